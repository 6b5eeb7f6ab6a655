/* Copies lines, and uses what malloc returns without looking at it. */
#include "csapp.h"

int main(void)
{
    int i;
    char *copy;

    for (i = 0; i < 100; i++) {
        copy = malloc(6);
#ifdef MENDED
        if (copy == NULL)
            continue; /* this line is lost */
#endif
        puts(memcpy(copy, "entry", 6));
        free(copy);
    }
    return 0;
}
