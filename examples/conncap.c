/*
 * conncap - how many TCP connections can one machine hold? Opens, holds and counts them.
 *
 * Pairs of worker processes hold the two ends of the connections. There are as many pairs as the limit of
 * descriptors of a process requires; the parent tells them what to do. Step by step it opens COUNT connections,
 * or as many as the first limit allows, and prints which limit that was. Then each end sends some data, which both
 * read later. At the end conncap closes all connections.
 *
 * What to watch: four numbers identify a connection, two addresses and two ports. From one source address to one
 * server port, there can be as many connections as there are ephemeral ports; from k addresses, k times as many.
 * To see that, run it with -k 1 and a large COUNT. Memory is the next limit. It is counted for both ends here, since
 * both are on this machine.
 *
 * usage: conncap [-k ADDRESSES] [-d BYTES] [-o CSV] COUNT
 *        (source addresses 127.0.0.1 to 127.0.0.k, 1 unless given; data per connection and direction,
 *        1,024 unless given; COUNT at most 1,000,000)
 */
#include "listening.h"
#include <sys/resource.h>
#include <time.h>

enum { BATCH = 500, STEPS = 20, MOST = 1000000, MOST_ADDRESSES = 250, MOST_CACHES = 512,
    RESERVED = 64 /* descriptors that hold no connection */, MOST_PAIRS = 64 };

/* What the kernel and the two processes have at one moment. */
struct sample {
    long tcp_pages, slab_kb, available_kb, client_kb, server_kb;
};

/* One process that holds the ends of connections on one side. */
struct worker {
    pid_t pid;
    rio_t control;
    long kb; /* its memory, as it said last */
};

static struct worker clients[MOST_PAIRS], servers[MOST_PAIRS];
static long per_pair; /* connections */
static int pairs;

struct cache {
    char name[64];
    long objects, size;
};

static FILE *csv;
static double start_time;

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The number behind `name` in a file of /proc; -1 if there is none. */
static long number_in(const char *path, const char *line_start, const char *name)
{
    char line[MAXLINE], *at;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    long value = -1;
    rio_t rio;

    if (fd < 0)
        return -1;
    Rio_readinitb(&rio, fd);
    while (Rio_readlineb(&rio, line, sizeof line) > 0)
        if (strncmp(line, line_start, strlen(line_start)) == 0 && (at = strstr(line, name)) != NULL)
            value = atol(at + strlen(name));
    Close(fd);
    return value;
}

static long resident_kb(void)
{
    return number_in("/proc/self/status", "VmRSS:", "VmRSS:");
}

/* The kernel's object caches; 0 of them where only root may look. */
static int read_caches(struct cache *caches)
{
    char line[MAXLINE];
    int fd = open("/proc/slabinfo", O_RDONLY | O_CLOEXEC), count = 0;
    rio_t rio;

    if (fd < 0)
        return 0;
    Rio_readinitb(&rio, fd);
    while (count < MOST_CACHES && Rio_readlineb(&rio, line, sizeof line) > 0) {
        struct cache *cache = &caches[count];

        count += sscanf(line, "%63s %ld %*d %ld", cache->name, &cache->objects, &cache->size) == 3;
    }
    Close(fd);
    return count;
}

/* Raises the limit of descriptors where that is allowed. Returns how many a process may have. */
static long raise_descriptor_limit(long wanted)
{
    struct rlimit limit;
    rlim_t hard;

    getrlimit(RLIMIT_NOFILE, &limit);
    hard = limit.rlim_max;
    printf("descriptors per process: limit %ld, hard limit %ld", (long)limit.rlim_cur, (long)hard);
    if ((long)limit.rlim_cur < wanted) {
        limit.rlim_cur = (rlim_t)wanted;
        limit.rlim_max = hard < limit.rlim_cur ? limit.rlim_cur : hard;
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
            printf("; raised to %ld%s", wanted, hard < limit.rlim_cur ? ", the hard one too" : "");
        else {
            printf("; may not be raised to %ld (%s)", wanted, strerror(errno));
            limit.rlim_cur = limit.rlim_max = hard;
            setrlimit(RLIMIT_NOFILE, &limit);
        }
    }
    printf("\n");
    return (long)limit.rlim_cur;
}

/* A connection from `from` (host byte order) to `server`; -1 and errno. */
static int connect_from(in_addr_t from, const struct sockaddr_in *server)
{
    const struct linger reset = {1, 0}; /* close resets: no TIME_WAIT keeps the port for a minute */
    struct sockaddr_in source;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), reason;

    if (fd < 0)
        return -1;
    memset(&source, 0, sizeof source);
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(from);
    /* The port is chosen by connect, which knows the other end, and not by bind, which would not
       give the same port to two destinations. */
    Setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    Setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    Setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){5, 0}, sizeof(struct timeval));
    if (bind(fd, (SA *)&source, sizeof source) == 0 && connect(fd, (const SA *)server, sizeof *server) == 0)
        return fd;
    reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

/* accept, until a client comes that has not gone before it was accepted. */
static int accept_one(int listenfd)
{
    int fd;

    while ((fd = accept(listenfd, NULL, NULL)) < 0 && errno == ECONNABORTED)
        continue;
    return fd;
}

/* A worker does what its parent tells it, one line each: "accept N", "connect N ADDRESS", "send N",
   "read N". It answers "DONE KB REASON": for how many connections it was done, its memory, and an errno. */
static void work(int control, int listenfd, const struct sockaddr_in *server)
{
    int *held = Malloc((size_t)per_pair * sizeof *held);
    char line[MAXLINE], word[16], buffer[65536];
    long count = 0, n, address;
    rio_t rio;

    memset(held, 0, (size_t)per_pair * sizeof *held); /* so that it is in memory from the start */
    memset(buffer, 'x', sizeof buffer);
    Rio_readinitb(&rio, control);
    while (Rio_readlineb(&rio, line, sizeof line) > 0 && sscanf(line, "%15s %ld %ld", word, &n, &address) == 3) {
        int reason = 0;
        long done = 0;

        if (word[0] == 'a' || word[0] == 'c')
            for (; done < n; done++) {
                int fd = word[0] == 'a' ? accept_one(listenfd) : connect_from((in_addr_t)address, server);

                if (fd < 0) {
                    reason = errno;
                    break;
                }
                held[count++] = fd;
            }
        else
            for (; done < count; done++)
                if ((word[0] == 's' ? rio_writen(held[done], buffer, (size_t)n)
                                    : rio_readn(held[done], buffer, (size_t)n)) != n) {
                    reason = errno;
                    break;
                }
        snprintf(line, sizeof line, "%ld %ld %d\n", done, resident_kb(), reason);
        Rio_writen(control, line, strlen(line));
    }
    Free(held);
}

static void start(struct worker *worker, int listenfd, const struct sockaddr_in *server)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        unix_error("socketpair error");
    fflush(NULL);
    worker->pid = Fork();
    if (worker->pid == 0) {
        for (int i = 0; i <= pairs && i < MOST_PAIRS; i++) { /* the ends of its elder siblings: they end with ours */
            if (clients[i].pid > 0)
                close(clients[i].control.rio_fd);
            if (servers[i].pid > 0)
                close(servers[i].control.rio_fd);
        }
        Close(ends[0]);
        work(ends[1], listenfd, server);
        _exit(0);
    }
    Close(ends[1]);
    Rio_readinitb(&worker->control, ends[0]);
}

/* Has a worker do something; returns for how many connections it was done. */
static long tell(struct worker *worker, const char *word, long n, in_addr_t address, int *reason)
{
    char line[MAXLINE];
    long done = 0;

    snprintf(line, sizeof line, "%s %ld %ld\n", word, n, (long)address);
    Rio_writen(worker->control.rio_fd, line, strlen(line));
    if (Rio_readlineb(&worker->control, line, sizeof line) <= 0
        || sscanf(line, "%ld %ld %d", &done, &worker->kb, reason) != 3)
        app_error("conncap: a worker process ended before its work was done");
    return done;
}

/* Has all workers send or read; returns 0 or an errno. */
static int tell_all(const char *word, long n)
{
    int reason = 0;

    for (int i = 0; i < pairs && reason == 0; i++)
        tell(&clients[i], word, n, 0, &reason);
    for (int i = 0; i < pairs && reason == 0; i++)
        tell(&servers[i], word, n, 0, &reason);
    return reason;
}

static struct sample take_sample(void)
{
    struct sample sample;

    memset(&sample, 0, sizeof sample);
    sample.tcp_pages = number_in("/proc/net/sockstat", "TCP:", "mem ");
    sample.slab_kb = number_in("/proc/meminfo", "Slab:", "Slab:");
    sample.available_kb = number_in("/proc/meminfo", "MemAvailable:", "MemAvailable:");
    for (int i = 0; i < pairs; i++) {
        sample.client_kb += clients[i].kb;
        sample.server_kb += servers[i].kb;
    }
    return sample;
}

static void report(const char *phase, long held, const struct sample *first, const struct sample *now)
{
    double per = held > 0 ? 1024.0 / (double)held : 0;
    double slab = (double)(now->slab_kb - first->slab_kb) * per;
    double tcp = (double)(now->tcp_pages - first->tcp_pages) * (double)sysconf(_SC_PAGESIZE) / 1024 * per;
    double user = (double)(now->client_kb - first->client_kb + now->server_kb - first->server_kb) * per;

    printf("%-7s %8ld held  %6.1f s  kernel objects %6.0f, data %6.0f, user memory %4.0f bytes a connection\n",
        phase, held, seconds() - start_time, slab, tcp, user);
    fflush(stdout);
    if (csv != NULL)
        fprintf(csv, "%s,%ld,%.3f,%ld,%ld,%ld,%ld,%ld\n", phase, held, seconds() - start_time, now->slab_kb,
            now->tcp_pages, now->available_kb, now->client_kb, now->server_kb);
}

static void explain(int reason, int addresses)
{
    long range[2] = {0, 0};
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");

    if (file != NULL) {
        if (fscanf(file, "%ld %ld", &range[0], &range[1]) != 2)
            range[0] = range[1] = 0;
        fclose(file);
    }
    printf("limit met: ");
    if (reason == EADDRNOTAVAIL)
        printf("ephemeral ports. %d source address%s x %ld ports (%ld to %ld) to one destination; -k %d gives more\n",
            addresses, addresses == 1 ? "" : "es", range[1] - range[0] + 1, range[0], range[1], addresses + 1);
    else if (reason == EMFILE)
        printf("descriptors of a process (ulimit -n)\n");
    else if (reason == ENFILE)
        printf("descriptors of the machine (fs.file-max)\n");
    else if (reason == ENOMEM || reason == ENOBUFS)
        printf("memory\n");
    else if (reason == ETIMEDOUT || reason == EINPROGRESS || reason == EAGAIN)
        printf("no answer within 5 s: the queue of the listening socket (net.core.somaxconn), or a buffer, is full\n");
    else
        printf("%s\n", strerror(reason));
}

static int by_growth(const void *a, const void *b)
{
    const struct cache *left = a, *right = b;
    long l = left->objects * left->size, r = right->objects * right->size;

    return l < r ? 1 : l > r ? -1 : 0;
}

/* What the idle connections are made of: the caches that have grown most. */
static void print_caches(const struct cache *before, int count, long held)
{
    static struct cache after[MOST_CACHES];
    int now = read_caches(after);

    if (now == 0 || held == 0)
        return;
    for (int i = 0; i < now; i++)
        for (int j = 0; j < count; j++)
            if (strcmp(after[i].name, before[j].name) == 0 && after[i].size == before[j].size)
                after[i].objects -= before[j].objects;
    qsort(after, (size_t)now, sizeof *after, by_growth);
    printf("kernel objects per connection (both ends):\n");
    for (int i = 0; i < now && i < 8 && after[i].objects * 20 > held; i++)
        printf("  %5.2f %-22s of %5ld bytes = %6.0f\n", (double)after[i].objects / (double)held, after[i].name,
            after[i].size, (double)(after[i].objects * after[i].size) / (double)held);
}

static long option_number(const char *text, long least, long most)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (end == text || *end != '\0' || value < least || value > most) {
        fprintf(stderr, "conncap: \"%s\" is not a number from %ld to %ld\n", text, least, most);
        exit(2);
    }
    return value;
}

/* Opens connections to `wanted` or the first limit. Returns how many; *reason is 0 or the limit's errno. */
static long open_step_by_step(long wanted, int addresses, const struct sample *first, int *reason)
{
    static long held_from[MOST_ADDRESSES];
    long held = 0, step = wanted / STEPS + 1, next = step;
    int address = 0;

    while (held < wanted && *reason == 0) {
        long pair = held / per_pair, batch = BATCH, done;
        int server_reason;

        /* No more than the queue of the listening socket takes, and than this pair has room for. */
        if (batch > wanted - held)
            batch = wanted - held;
        if (batch > (pair + 1) * per_pair - held)
            batch = (pair + 1) * per_pair - held;
        done = tell(&clients[pair], "connect", batch, INADDR_LOOPBACK + (in_addr_t)address, reason);
        held_from[address] += done;
        if (*reason == EADDRNOTAVAIL && address + 1 < addresses) {
            address++;
            *reason = 0;
        }
        if (tell(&servers[pair], "accept", done, 0, &server_reason) < done)
            *reason = server_reason;
        held += done;
        if (held >= next || held == wanted || *reason != 0) {
            struct sample now = take_sample();

            report("idle", held, first, &now);
            next = held + step;
        }
    }
    for (int i = 0; i <= address; i++)
        printf("  from 127.0.0.%d: %ld\n", i + 1, held_from[i]);
    return held;
}

static int usage(void)
{
    fprintf(stderr, "usage: conncap [-k ADDRESSES] [-d BYTES] [-o CSV] COUNT\n");
    return 2;
}

int main(int argc, char **argv)
{
    static struct cache caches[MOST_CACHES];
    long wanted, held, bytes = 1024;
    int addresses = 1, reason = 0, listenfd, cache_count;
    struct sockaddr_in server;
    struct sample first, now;
    socklen_t length = sizeof server;

    for (int option; (option = getopt(argc, argv, "k:d:o:")) != -1;) {
        if (option == 'k')
            addresses = (int)option_number(optarg, 1, MOST_ADDRESSES);
        else if (option == 'd')
            bytes = option_number(optarg, 1, 65536);
        else if (option == 'o')
            csv = Fopen(optarg, "w");
        else
            return usage(); /* getopt has said why */
    }
    if (argc - optind != 1)
        return usage();
    wanted = option_number(argv[optind], 1, MOST);
    per_pair = raise_descriptor_limit(wanted + RESERVED) - RESERVED;
    if (per_pair < 1 || (wanted - 1) / per_pair >= MOST_PAIRS)
        app_error("conncap: the limit of descriptors per process is too low: raise it with ulimit -n");
    if (per_pair > wanted)
        per_pair = wanted;
    listenfd = csapp_listen("127.0.0.1", "0", LISTENQ, 0);
    if (listenfd < 0 || getsockname(listenfd, (SA *)&server, &length) < 0)
        unix_error("cannot listen");
    for (; pairs * per_pair < wanted; pairs++) {
        start(&clients[pairs], listenfd, &server);
        start(&servers[pairs], listenfd, &server);
    }
    printf("%d pair%s of processes with at most %ld connections each\n", pairs, pairs == 1 ? "" : "s", per_pair);
    if (csv != NULL)
        fprintf(csv, "phase,connections,seconds,slab_kb,tcp_pages,available_kb,client_rss_kb,server_rss_kb\n");

    start_time = seconds();
    tell_all("read", 0);
    cache_count = read_caches(caches);
    first = take_sample();
    report("start", 0, &first, &first);
    held = open_step_by_step(wanted, addresses, &first, &reason);
    if (reason != 0)
        explain(reason, addresses);
    print_caches(caches, cache_count, held);

    printf("each end sends %ld bytes, which nobody reads, and then both read:\n", bytes);
    reason = tell_all("send", bytes);
    now = take_sample();
    report("sent", held, &first, &now);
    if (reason != 0)
        explain(reason, addresses);
    else {
        reason = tell_all("read", bytes);
        now = take_sample();
        report("read", held, &first, &now);
    }

    for (int i = 0; i < pairs; i++) { /* at the end of its orders, a worker ends */
        Close(clients[i].control.rio_fd);
        Waitpid(clients[i].pid, NULL, 0);
        Close(servers[i].control.rio_fd);
        Waitpid(servers[i].pid, NULL, 0);
        clients[i].kb = servers[i].kb = 0;
    }
    now = take_sample();
    report("closed", 0, &first, &now);
    printf("sockets still in use on this machine: %ld\n", number_in("/proc/net/sockstat", "TCP:", "inuse "));
    if (csv != NULL)
        Fclose(csv);
    return 0;
}
