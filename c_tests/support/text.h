/* The text that the suites send: lines of many lengths with bytes of every value, the same in
   every run, so that a byte that is lost, doubled or changed shows. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <string.h>

/* Fills text[0..len) with lines; the last byte is a newline. Lengths cycle through short ones, and
   every 40th line does not fit a rio_t's buffer. */
static inline void make_text(char *text, size_t len)
{
    unsigned int state = 2463534242u; /* xorshift32 */
    size_t line_end = 0, number = 0, i;

    for (i = 0; i < len; i++) {
        if (i == line_end) {
            size_t line_len = number % 40 == 39 ? 9001 : number * number % 301;

            line_end = i + line_len + 1;
            number++;
        }
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        text[i] = (char)(state >> 8);
        if (text[i] == '\n')
            text[i] = '\0';
        if (i == line_end - 1)
            text[i] = '\n';
    }
    if (len > 0)
        text[len - 1] = '\n';
}

/* The length of the line at the start of text[0..len), its newline included if there is one, but
   at most `most`. */
static inline size_t line_length(const char *text, size_t len, size_t most)
{
    const char *end;

    if (len > most)
        len = most;
    end = memchr(text, '\n', len);
    return end ? (size_t)(end - text) + 1 : len;
}

#endif
