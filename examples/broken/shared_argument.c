/*
 * shared_argument - tells each of three threads its number, by the address of one variable
 */
#include "csapp.h"

static int seen[3];

static void *thread(void *argument)
{
#ifdef MENDED
    int number = (int)(long)argument;
#else
    int number = *(int *)argument;
#endif

    if (number < 3)
        seen[number] = 1;
    return NULL;
}

int main(void)
{
    pthread_t tids[3];
    int i;

    for (i = 0; i < 3; i++)
#ifdef MENDED
        Pthread_create(&tids[i], NULL, thread, (void *)(long)i);
#else
        Pthread_create(&tids[i], NULL, thread, &i); /* FAULT: shared-argument */
#endif
    for (i = 0; i < 3; i++)
        Pthread_join(tids[i], NULL);
    return 0;
}
