/* Calls of every section, each on a stack full of what MemorySanitizer takes for uninitialised. All is right here: no
   sanitizer may report anything. */
#include "csapp.h"

/* As the frame of any function with a large array leaves it behind. */
__attribute__((noinline)) static void dirty(void)
{
    char junk[60000];

    __asm__ volatile("" : : "r"(junk) : "memory");
}

/* What follows is done, and looked at. */
#define DO(statement) \
    do {              \
        dirty();      \
        statement;    \
    } while (0)
#define CHECK(condition)                                                 \
    do {                                                                 \
        dirty();                                                         \
        if (!(condition)) {                                              \
            fprintf(stderr, "%d: %s is not so\n", __LINE__, #condition); \
            exit(1);                                                     \
        }                                                                \
    } while (0)

static void *echo(void *arg)
{
    const int *fd = arg;
    char line[100];
    ssize_t count;
    rio_t rio;

    DO(Rio_readinitb(&rio, *fd));
    while ((count = Rio_readlineb(&rio, line, sizeof line)) > 0 && line[0] != 'q')
        DO(Rio_writen(*fd, line, count));
    DO(Close(*fd));
    return NULL;
}

/* The message is the library's own memory. */
static void own_handler(const char *message)
{
    CHECK(!strncmp(message, "Open error", 10) && strstr(message, strerror(ENOENT)));
}

static void over_sockets(void)
{
    char port[16], host[100], service[100], line[100], ahead;
    struct sockaddr_storage peer;
    struct sockaddr_in own;
    socklen_t len = sizeof own;
    int listening, client, server;
    size_t moved;
    pthread_t thread;
    rio_t rio;

    DO(listening = Open_listenfd("0"));
    CHECK(getsockname(listening, (SA *)&own, &len) == 0);
    sprintf(port, "%d", ntohs(own.sin_port));
    DO(client = Open_clientfd("localhost", port));
    len = sizeof peer;
    DO(server = csapp_accept(listening, (SA *)&peer, &len, 5000));
    DO(Getnameinfo((SA *)&peer, len, host, sizeof host, service, sizeof service, NI_NUMERICHOST | NI_NUMERICSERV));
    CHECK(strlen(host) > 2);
    DO(Pthread_create(&thread, NULL, echo, &server));
    DO(Rio_readinitb(&rio, client));
    CHECK(rio.rio_cnt == 0);
    DO(Rio_writen(client, "hello\nthere\n", 12));
    CHECK(Rio_readlineb(&rio, line, sizeof line) == 6 && !strcmp(line, "hello\n"));
    CHECK(Rio_readnb(&rio, line, 6) == 6 && !memcmp(line, "there\n", 6));
    CHECK(csapp_writen(client, "in\ntime\n", 8, 5000, &moved) == 8 && moved == 8);
    CHECK(csapp_readlineb(&rio, line, sizeof line, 5000) == 3 && !strcmp(line, "in\n"));
    CHECK(csapp_readnb(&rio, line, 5, 5000) == 5 && !memcmp(line, "time\n", 5));
    CHECK(csapp_readlineb(&rio, line, sizeof line, 0) == -1 && errno == ETIMEDOUT);
    DO(Rio_writen(client, "quit\n", 5));
    DO(Pthread_join(thread, NULL));
    CHECK(csapp_readn(client, &ahead, 1, 5000, &moved) == 0 && moved == 0);
    CHECK(Rio_readn(client, &ahead, 1) == 0);
    DO(Close(client));
    DO(client = csapp_connect("127.0.0.1", port, 5000));
    CHECK(client >= 0);
    DO(Close(client));
    DO(Close(listening));
    CHECK((open_clientfd)("localhost", port) == -1);
    CHECK((open_clientfd)("no.such.host.invalid", port) == -2);
}

static void the_rest(void)
{
    struct timeval moment = {0, 1000};
    struct addrinfo *list, hints;
    struct stat status;
    char line[100];
    FILE *file;
    sem_t sem;
    int ended;

    DO(Signal(SIGUSR1, SIG_IGN));
    CHECK(Signal(SIGUSR1, SIG_DFL) == SIG_IGN);
    DO(Stat("/", &status));
    CHECK(S_ISDIR(status.st_mode));
    if (Fork() == 0)
        _exit(3);
    DO(Wait(&ended));
    CHECK(WEXITSTATUS(ended) == 3);
    DO(file = Fopen("/etc/passwd", "r"));
    CHECK(Fgets(line, sizeof line, file) && strlen(line) > 0);
    DO(Fclose(file));
    DO(Sem_init(&sem, 0, 1));
    DO(P(&sem));
    DO(V(&sem));
    DO(Select(0, NULL, NULL, NULL, &moment));
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    DO(Getaddrinfo("127.0.0.1", "80", &hints, &list));
    CHECK(list->ai_family == AF_INET);
    DO(Freeaddrinfo(list));
    CHECK(sio_printf("%d %s %c %x\n", -5, "text", 'c', 255) > 0);
    CHECK(sio_puts("text\n") == 5 && sio_putl(-99) == 3);
    DO(csapp_set_error_handler(csapp_error_return));
    errno = ENOENT;
    DO(unix_error("unix"));
    DO(posix_error(EACCES, "posix"));
    DO(gai_error(EAI_NONAME, "gai"));
    DO(app_error("app"));
    DO(csapp_set_error_handler(own_handler));
    CHECK(Open("/no/such/file", O_RDONLY, 0) == -1 && errno == ENOENT);
}

int main(void)
{
    over_sockets();
    the_rest();
    puts("right");
    return 0;
}
