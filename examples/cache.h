/*
 * cache.h - the answers that the proxy stores
 *
 * The cache holds 1 MiB, including the keys; new answers replace those that were not used for the longest time. RFC
 * 9111 says which answers may be stored, and for how long.
 *
 * What to watch: it stores only answers that it understands completely. To give an answer that is meant for one
 * client to another is worse than to store too few.
 */
#ifndef CACHE_H
#define CACHE_H

#include "http.h"

enum { CACHE_SIZE = 1 << 20, OBJECT_SIZE = 100 << 10, UNSAID = 60 /* seconds, where the server says nothing */ };

struct object {
    struct object *newer, *older;
    long long made, expires; /* when, in milliseconds of now() */
    size_t header_size;      /* without the empty line at its end */
    size_t body_size;
    size_t size;             /* of all this */
    char *key;               /* and behind its NUL the header and the body; in one piece with this */
};

/* A ring around `ends`: ends.older is the most recently used, ends.newer the least. */
static struct {
    struct object ends;
    size_t size;
    sem_t turn;
} cache;

static inline void cache_init(void)
{
    cache.ends.newer = cache.ends.older = &cache.ends;
    Sem_init(&cache.turn, 0, 1);
}

static inline void unlink_object(struct object *object)
{
    object->newer->older = object->older;
    object->older->newer = object->newer;
}

static inline void make_newest(struct object *object)
{
    object->newer = &cache.ends;
    object->older = cache.ends.older;
    object->older->newer = object;
    cache.ends.older = object;
}

static inline struct object *find(const char *key)
{
    for (struct object *object = cache.ends.older; object != &cache.ends; object = object->older)
        if (strcmp(object->key, key) == 0)
            return object;
    return NULL;
}

static inline void evict(struct object *object)
{
    unlink_object(object);
    cache.size -= object->size;
    free(object);
}

/* A copy of the answer that is kept for key, with its age in its header, to be freed; NULL if there is none. */
static inline char *look_up(const char *key, size_t *size)
{
    struct object *object;
    char *copy = NULL, age[64];

    P(&cache.turn);
    object = find(key);
    if (object != NULL && now() >= object->expires) {
        evict(object);
        object = NULL;
    }
    if (object != NULL) {
        size_t length = (size_t)snprintf(age, sizeof age, "Age: %lld\r\n\r\n", (now() - object->made) / 1000);
        const char *header = object->key + strlen(key) + 1;

        *size = object->header_size + length + object->body_size;
        copy = malloc(*size);
        if (copy != NULL) {
            memcpy(copy, header, object->header_size);
            memcpy(copy + object->header_size, age, length);
            memcpy(copy + object->header_size + length, header + object->header_size, object->body_size);
            unlink_object(object);
            make_newest(object);
        }
    }
    V(&cache.turn);
    return copy;
}

/* Keeps an answer, which is `age` seconds old and good for `lifetime`, if there is memory for it. */
static inline void keep(const char *key, const char *header, size_t header_size, const char *body, size_t body_size,
    long age, long lifetime)
{
    size_t key_size = strlen(key) + 1, size = sizeof(struct object) + key_size + header_size + body_size;
    struct object *object = malloc(size), *old;

    if (object == NULL)
        return;
    object->key = (char *)(object + 1);
    object->made = now() - age * 1000LL;
    object->expires = object->made + lifetime * 1000LL;
    object->header_size = header_size;
    object->body_size = body_size;
    object->size = size;
    memcpy(object->key, key, key_size);
    memcpy(object->key + key_size, header, header_size);
    memcpy(object->key + key_size + header_size, body, body_size);
    P(&cache.turn);
    old = find(key);
    if (old != NULL)
        evict(old);
    while (cache.size + size > CACHE_SIZE)
        evict(cache.ends.newer);
    make_newest(object);
    cache.size += size;
    V(&cache.turn);
}

/* A date in one of the three forms of RFC 9110, section 5.6.7; -1 if it is none. */
static inline time_t parse_date(const char *text)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"};

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm utc = {0};
        const char *end = strptime(text, forms[i], &utc);

        if (end != NULL && *end == '\0')
            return timegm(&utc);
    }
    return -1;
}

/* A number of seconds; -1 if it is none. More than a year is a year. */
static inline long parse_seconds(const char *text)
{
    enum { YEAR = 365 * 24 * 3600 };

    if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
        return -1;
    return strlen(text) > 8 || atol(text) > YEAR ? YEAR : atol(text);
}

/* What Cache-Control says: -1 that the answer is not to be kept, or in `lifetime` for how long, if it says that. */
static inline int parse_cache_control(const struct header *h, long *lifetime)
{
    char name[MAXLINE], value[MAXLINE];
    long max_age = -1, shared_max_age = -1;

    for (int i = 0; i < h->count; i++) {
        const char *list = h->fields[i].value;
        int more;

        if (strcasecmp(h->fields[i].name, "Cache-Control") != 0)
            continue;
        while ((more = next_item(&list, name, value, sizeof name)) > 0) {
            long *age = strcasecmp(name, "max-age") == 0 ? &max_age
                : strcasecmp(name, "s-maxage") == 0      ? &shared_max_age
                                                         : NULL;

            if (strcasecmp(name, "no-store") == 0 || strcasecmp(name, "no-cache") == 0 || strcasecmp(name, "private") == 0)
                return -1;
            if (age != NULL && (*age >= 0 || (*age = parse_seconds(value)) < 0))
                return -1; /* twice, or no number */
        }
        if (more < 0)
            return -1;
    }
    if (max_age >= 0)
        *lifetime = max_age;
    if (shared_max_age >= 0)
        *lifetime = shared_max_age;
    return 0;
}

/*
 * For how many seconds since it was made an answer with this header is good for everybody, and how many
 * of them have gone by; 0 if it is not to be kept (RFC 9111, sections 3 and 4.2).
 */
static inline long lifetime_of(const struct header *h, long *age)
{
    int ages, dates, expiries;
    const char *stated_age = get_field(h, "Age", &ages), *date = get_field(h, "Date", &dates);
    const char *expires = get_field(h, "Expires", &expiries);
    time_t present = time(NULL), made = dates == 1 ? parse_date(date) : -1;
    long lifetime = -1;

    if (get_field(h, "Set-Cookie", NULL) || get_field(h, "Vary", NULL) || get_field(h, "Pragma", NULL))
        return 0;
    if (ages > 1 || dates > 1 || expiries > 1 || parse_cache_control(h, &lifetime) < 0)
        return 0;
    if (made == -1)
        made = present;
    *age = made < present ? (long)(present - made) : 0;
    if (ages == 1 && parse_seconds(stated_age) > *age)
        *age = parse_seconds(stated_age);
    if (ages == 1 && parse_seconds(stated_age) < 0)
        return 0;
    if (lifetime < 0 && expiries == 1) {
        time_t end = parse_date(expires);

        lifetime = end > made ? (long)(end - made) : 0; /* what is no date is long ago */
    } else if (lifetime < 0)
        lifetime = *age + UNSAID;
    return lifetime > *age ? lifetime : 0;
}

#endif
