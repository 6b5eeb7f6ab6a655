/* Children in every way: fork, vfork, posix_spawn, system, popen, double fork. */
#include "csapp.h"
#include <spawn.h>

static int end_of(pid_t pid)
{
    int status = -1;

    Waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
    char *argv[] = { "sh", "-c", "exit 3", NULL }, line[8];
    FILE *from;
    pid_t pid;
    volatile int here = 0;

    if ((pid = Fork()) == 0)
        execvp(argv[0], argv);
    if (end_of(pid) != 3)
        return 1;
    if ((pid = vfork()) == 0) {
        here = 1; /* in the parent's memory */
        execvp(argv[0], argv);
        _exit(127);
    }
    if (end_of(pid) != 3 || here != 1)
        return 2;
    if ((pid = vfork()) == 0) {
        execl("/nowhere", "nowhere", (char *)NULL);
        _exit(errno == ENOENT ? 5 : 6);
    }
    if (end_of(pid) != 5)
        return 3;
    if (posix_spawnp(&pid, "sh", NULL, NULL, argv, environ) != 0 || end_of(pid) != 3)
        return 4;
    if (WEXITSTATUS(system("exit 4")) != 4)
        return 5;
    if ((from = popen("echo word", "r")) == NULL || fgets(line, sizeof line, from) == NULL || pclose(from) != 0)
        return 6;
    if ((pid = Fork()) == 0) {
        if (Fork() == 0)
            usleep(1000);
        _exit(0);
    }
    if (end_of(pid) != 0)
        return 7;
    puts("ok");
    return 0;
}
