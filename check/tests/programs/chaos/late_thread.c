/* Each of eight threads adds its number to a list, which is to be in order. */
#include "csapp.h"

static sem_t turn[9];
static int list[8], used;

static void *thread(void *argument)
{
    int number = (int)(long)argument;

#ifdef MENDED
    P(&turn[number]);
#endif
    list[__atomic_fetch_add(&used, 1, __ATOMIC_SEQ_CST)] = number;
    V(&turn[number + 1]);
    return NULL;
}

int main(void)
{
    pthread_t tids[8];
    long i;

    for (i = 0; i < 9; i++)
        Sem_init(&turn[i], 0, i == 0);
    for (i = 0; i < 8; i++) {
        Pthread_create(&tids[i], NULL, thread, (void *)i);
        usleep(500); /* "is enough for a thread to begin" */
    }
    for (i = 0; i < 8; i++)
        Pthread_join(tids[i], NULL);
    for (i = 0; i < 8; i++)
        if (list[i] != i)
            return 1;
    return 0;
}
