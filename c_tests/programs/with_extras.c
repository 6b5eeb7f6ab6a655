/* Built with -DCSAPP_EXTRAS: what people most often add to their copies is there already. */
#include "csapp.h"
#include <assert.h>

static pthread_mutex_t mutex;
static pthread_cond_t filled;
static int items;

static void *producer(void *arg)
{
    (void)arg;
    Pthread_mutex_lock(&mutex);
    items++;
    Pthread_cond_signal(&filled);
    Pthread_mutex_unlock(&mutex);
    return NULL;
}

/* What a command prints, the newline included. */
static void ask(const char *command, char *const argv[], char *answer, size_t size)
{
    int ends[2];
    pid_t pid;
    ssize_t n;

    Pipe(ends);
    if ((pid = Fork()) == 0) {
        Dup2(ends[1], STDOUT_FILENO);
        Close(ends[0]);
        Close(ends[1]);
        Execvp(command, argv);
    }
    Close(ends[1]);
    n = Rio_readn(ends[0], answer, size - 1);
    answer[n] = '\0';
    Close(ends[0]);
    Waitpid(pid, NULL, 0);
}

int main(void)
{
    char echo[] = "echo", hello[] = "hello", host[] = "localhost", no_port[] = "0";
    char *argv[] = {echo, hello, NULL};
    char answer[64];
    pthread_t tid;
    sem_t sem;

    Pthread_mutex_init(&mutex, NULL);
    Pthread_cond_init(&filled, NULL);
    Pthread_create(&tid, NULL, producer, NULL);
    Pthread_mutex_lock(&mutex);
    while (items == 0)
        Pthread_cond_wait(&filled, &mutex);
    assert(Pthread_mutex_trylock(&mutex) == EBUSY);
    Pthread_mutex_unlock(&mutex);
    Pthread_join(tid, NULL);
    Pthread_cond_destroy(&filled);
    Pthread_mutex_destroy(&mutex);

    Sem_init(&sem, 0, 1);
    P(&sem);
    V(&sem);
    Sem_destroy(&sem);

    ask("echo", argv, answer, sizeof answer);
    assert(strcmp(answer, "hello\n") == 0);
    assert(open_clientfd_r(host, no_port) == -1);
    return 0;
}
