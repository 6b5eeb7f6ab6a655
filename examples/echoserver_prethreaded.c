/*
 * echoserver_prethreaded - sends every line back, with a fixed number of threads
 *
 * The main thread accepts connections and puts them into a bounded buffer; the workers take them out. Three
 * semaphores control the buffer: one counts its free places, one its filled places, and one is the lock.
 *
 * What to watch: the threads are created once, not for each client, so many clients cannot create many threads. If
 * all workers are busy and the buffer is full, the main thread waits in P(&free_places), and clients wait in the
 * kernel's queue.
 *
 * usage: echoserver_prethreaded PORT [THREADS]        (PORT 0: any free one; THREADS: 8)
 */
#include "echo.h"

enum { PLACES = 16, MOST_THREADS = 1024 };

static struct {
    int connections[PLACES];
    unsigned front, rear; /* the next to take out, the next to fill */
    sem_t free_places, filled_places, turn;
} buffer;

static void insert(int connection)
{
    P(&buffer.free_places);
    P(&buffer.turn);
    buffer.connections[buffer.rear++ % PLACES] = connection;
    V(&buffer.turn);
    V(&buffer.filled_places);
}

static int take(void)
{
    int connection;

    P(&buffer.filled_places);
    P(&buffer.turn);
    connection = buffer.connections[buffer.front++ % PLACES];
    V(&buffer.turn);
    V(&buffer.free_places);
    return connection;
}

static void *work(void *argument)
{
    (void)argument;
    for (;;) {
        int connection = take();

        echo(connection);
        Close(connection);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int threads = argc == 3 ? atoi(argv[2]) : 8;
    int listenfd;
    pthread_t tid;

    if ((argc != 2 && argc != 3) || threads < 1 || threads > MOST_THREADS) {
        fprintf(stderr, "usage: %s PORT [THREADS]        (1 to %d)\n", argv[0], MOST_THREADS);
        return 2;
    }
    Sem_init(&buffer.free_places, 0, PLACES);
    Sem_init(&buffer.filled_places, 0, 0);
    Sem_init(&buffer.turn, 0, 1);
    listenfd = Open_listenfd(argv[1]);
    for (int i = 0; i < threads; i++) {
        Pthread_create(&tid, NULL, work, NULL);
        Pthread_detach(tid);
    }
    print_port(listenfd);
    csapp_set_error_handler(csapp_error_return);
    for (;;) {
        int connection = Accept(listenfd, NULL, NULL);

        if (connection < 0)
            Sleep(1); /* out of descriptors, most likely: some will come back */
        else
            insert(connection);
    }
}
