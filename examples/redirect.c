/*
 * redirect - runs a program as a shell does for  prog < IN > OUT 2>&1
 *
 * What to watch: a redirection changes the descriptor table between fork and exec. The program does not notice
 * it, and the parent's table does not change. The order matters: dup2(1, 2) makes descriptor 2 refer to the file that
 * 1 refers to at that moment. With -e it comes before the output is redirected, as in  prog 2>&1 > OUT , and the
 * errors go to the old output.
 *
 * usage: redirect [-e] IN OUT PROGRAM [ARGUMENT...]    (the status is the program's)
 */
#include "csapp.h"

/* Makes descriptor `to` mean the file, with no second descriptor left behind. */
static void open_as(int to, const char *path, int flags)
{
    int fd = Open(path, flags, DEF_MODE);

    if (fd != to) {
        Dup2(fd, to);
        Close(fd);
    }
}

static int usage(void)
{
    fprintf(stderr, "usage: redirect [-e] IN OUT PROGRAM [ARGUMENT...]\n");
    return 2;
}

int main(int argc, char **argv)
{
    int errors_first = 0, status;
    pid_t child;

    /* The + keeps getopt away from the program's own options. */
    for (int option; (option = getopt(argc, argv, "+e")) != -1;) {
        if (option != 'e')
            return usage(); /* getopt has said why */
        errors_first = 1;
    }
    argv += optind;
    if (argc - optind < 3)
        return usage();

    child = Fork();
    if (child == 0) {
        open_as(STDIN_FILENO, argv[0], O_RDONLY);
        if (errors_first)
            Dup2(STDOUT_FILENO, STDERR_FILENO);
        open_as(STDOUT_FILENO, argv[1], O_WRONLY | O_CREAT | O_TRUNC);
        if (!errors_first)
            Dup2(STDOUT_FILENO, STDERR_FILENO);
        execvp(argv[2], &argv[2]);
        fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
        _exit(errno == ENOENT ? 127 : 126); /* what shells say */
    }
    Waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        fprintf(stderr, "%s: %s\n", argv[2], strsignal(WTERMSIG(status)));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
