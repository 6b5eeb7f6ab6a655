/* A program that says MAXLINE of an array with 128 bytes, as many do that have never met a
   longer line. Nothing behind the string may be touched. */
#include "csapp.h"
#include <assert.h>

int main(void)
{
    const char *const lines[] = {"first\n", "\n", "the third line\n", "no newline"};
    struct {
        char line[128];
        char behind[128];
    } on_stack;
    char *on_heap = (char *)Malloc(128);
    int ends[2];
    size_t i, j;
    rio_t rio;

    assert(pipe(ends) == 0);
    for (i = 0; i < 4; i++)
        Rio_writen(ends[1], lines[i], strlen(lines[i]));
    Close(ends[1]);
    Rio_readinitb(&rio, ends[0]);
    for (i = 0; i < 4; i++) {
        /* On the heap the sanitizer watches the end; on the stack the bytes themselves tell. */
        char *line = i % 2 == 0 ? on_heap : on_stack.line;
        size_t length = strlen(lines[i]);

        memset(&on_stack, 'z', sizeof on_stack);
        memset(on_heap, 'z', 128);
        assert(Rio_readlineb(&rio, line, MAXLINE) == (ssize_t)length);
        assert(strcmp(line, lines[i]) == 0);
        for (j = length + 1; j < 128; j++)
            assert(line[j] == 'z');
        for (j = 0; j < sizeof on_stack.behind; j++)
            assert(on_stack.behind[j] == 'z');
    }
    assert(Rio_readlineb(&rio, on_heap, MAXLINE) == 0);
    Free(on_heap);
    return 0;
}
