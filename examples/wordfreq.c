/*
 * wordfreq - counts the words of a text and prints the most frequent ones
 *
 * A word is a sequence of letters, which may contain apostrophes. Capitals count as small letters, and bytes above
 * 127 as letters, so that words in UTF-8 stay whole.
 *
 * What to watch: rio_readlineb returns a line longer than its buffer in pieces, and a piece may end inside a word.
 * So the current word is stored outside the loop over the pieces, and ends only at a byte that is not part of a
 * word. A NUL in the text is a byte like any other.
 *
 * usage: wordfreq [-n COUNT] [FILE]        (COUNT: how many words to print, 10 unless given)
 */
#include "csapp.h"

struct word {
    struct word *next; /* in its bucket */
    long count;
    char text[];
};

struct word_buffer {
    char *text;
    size_t length, size;
};

enum { BUCKETS = 1 << 14 };
static struct word *buckets[BUCKETS];
static long words, different;

static void count_word(const char *text, size_t length)
{
    unsigned long hash = 5381;
    struct word *word, **bucket;

    for (size_t i = 0; i < length; i++)
        hash = hash * 33 + (unsigned char)text[i];
    bucket = &buckets[hash % BUCKETS];
    for (word = *bucket; word != NULL; word = word->next)
        if (strlen(word->text) == length && memcmp(word->text, text, length) == 0)
            break;
    if (word == NULL) {
        word = Malloc(sizeof *word + length + 1);
        memcpy(word->text, text, length);
        word->text[length] = '\0';
        word->count = 0;
        word->next = *bucket;
        *bucket = word;
        different++;
    }
    word->count++;
    words++;
}

static void append(struct word_buffer *word, unsigned char byte)
{
    if (word->length == word->size) {
        word->size = word->size ? 2 * word->size : 64;
        word->text = Realloc(word->text, word->size);
    }
    word->text[word->length++] = (char)(byte < 128 ? tolower(byte) : byte);
}

static void end_word(struct word_buffer *word)
{
    while (word->length > 0 && word->text[word->length - 1] == '\'')
        word->length--;
    if (word->length > 0)
        count_word(word->text, word->length);
    word->length = 0;
}

static int by_count(const void *a, const void *b)
{
    const struct word *left = *(struct word *const *)a, *right = *(struct word *const *)b;

    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return strcmp(left->text, right->text);
}

static void print_most_frequent(long limit)
{
    struct word **list = Calloc((size_t)different + 1, sizeof *list), **end = list;

    for (size_t i = 0; i < BUCKETS; i++)
        for (struct word *word = buckets[i]; word != NULL; word = word->next)
            *end++ = word;
    qsort(list, (size_t)different, sizeof *list, by_count);
    printf("%ld words, %ld different ones\n", words, different);
    for (long i = 0; i < limit && i < different; i++)
        printf("%7ld %s\n", list[i]->count, list[i]->text);
    for (long i = 0; i < different; i++)
        Free(list[i]);
    Free(list);
}

static int usage(const char *program)
{
    fprintf(stderr, "usage: %s [-n COUNT] [FILE]\n", program);
    return 2;
}

int main(int argc, char **argv)
{
    struct word_buffer word = {NULL, 0, 0};
    char piece[MAXLINE], *end;
    long limit = 10;
    rio_t rio;
    ssize_t n;

    for (int option; (option = getopt(argc, argv, "n:")) != -1;) {
        if (option != 'n')
            return usage(argv[0]);
        limit = strtol(optarg, &end, 10);
        if (end == optarg || *end != '\0' || limit < 0)
            return usage(argv[0]);
    }
    if (argc - optind > 1)
        return usage(argv[0]);

    Rio_readinitb(&rio, optind < argc ? Open(argv[optind], O_RDONLY, 0) : STDIN_FILENO);
    while ((n = Rio_readlineb(&rio, piece, sizeof piece)) > 0)
        for (ssize_t i = 0; i < n; i++) {
            unsigned char byte = (unsigned char)piece[i];

            if (isalpha(byte) || byte > 127 || (byte == '\'' && word.length > 0))
                append(&word, byte);
            else
                end_word(&word);
        }
    end_word(&word);
    Free(word.text);
    print_most_frequent(limit);
    return 0;
}
