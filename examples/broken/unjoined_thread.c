/*
 * unjoined_thread - creates a thread for each client, and neither joins nor detaches it
 */
#include "csapp.h"

static sem_t done;

static void *thread(void *argument)
{
    (void)argument;
#ifdef MENDED
    Pthread_detach(pthread_self());
#endif
    V(&done);
    return NULL;
}

int main(void)
{
    pthread_t tid;
    int i;

    Sem_init(&done, 0, 0);
    for (i = 0; i < 4; i++) {
        Pthread_create(&tid, NULL, thread, NULL); /* FAULT: unjoined-thread */
        P(&done);
    }
    usleep(50000); /* the last one ends */
    return 0;
}
