/* A small shell with job control, as the book's chapter 8 and its shell lab build it: commands in the
   foreground and with & in the background, each in a process group of its own, and the built-in
   jobs, stop, bg, fg, kill (each with a job's number), wait and quit. */
#include "csapp.h"

#define MAXARGS 32
#define MAXJOBS 8

enum state { NONE, FOREGROUND, BACKGROUND, STOPPED };

struct job {
    volatile pid_t pid;
    volatile enum state state;
};

static struct job jobs[MAXJOBS]; /* job n is jobs[n - 1]; changed only with the signals blocked */
static sigset_t handled, without;

static struct job *job_of(pid_t pid)
{
    int i;

    for (i = 0; i < MAXJOBS; i++)
        if (jobs[i].state != NONE && jobs[i].pid == pid)
            return &jobs[i];
    return NULL;
}

static void tell(const struct job *job, const char *what, int number)
{
    Sio_puts("[");
    Sio_putl(job - jobs + 1);
    Sio_puts("] ");
    Sio_puts(what);
    if (number >= 0) {
        Sio_puts(" ");
        Sio_putl(number);
    }
    Sio_puts("\n");
}

static void on_child(int sig)
{
    int olderrno = errno, status;
    pid_t pid;

    (void)sig;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        struct job *job = job_of(pid);

        if (job == NULL)
            Sio_error("a child that is no job\n");
        if (WIFSTOPPED(status)) {
            tell(job, "stopped by", WSTOPSIG(status));
            job->state = STOPPED;
            continue;
        }
        if (WIFSIGNALED(status))
            tell(job, "killed by", WTERMSIG(status));
        else if (WEXITSTATUS(status) != 0)
            tell(job, "failed with", WEXITSTATUS(status));
        else if (job->state == BACKGROUND)
            tell(job, "done", -1);
        job->state = NONE;
    }
    errno = olderrno;
}

/* Passes what the terminal sends on to the job in the foreground. */
static void on_terminal(int sig)
{
    int olderrno = errno, i;

    for (i = 0; i < MAXJOBS; i++)
        if (jobs[i].state == FOREGROUND)
            Kill(-jobs[i].pid, sig);
    errno = olderrno;
}

static int is_any(enum state state)
{
    int i;

    for (i = 0; i < MAXJOBS; i++)
        if (jobs[i].state == state)
            return 1;
    return 0;
}

/* With the signals blocked: waits until no job is in that state. */
static void wait_while(enum state state)
{
    while (is_any(state))
        Sigsuspend(&without);
}

static void run(char **argv, int in_background)
{
    struct job *job = jobs;
    pid_t pid;

    while (job < jobs + MAXJOBS && job->state != NONE)
        job++;
    if (job == jobs + MAXJOBS) {
        Sio_puts("too many jobs\n");
        return;
    }
    if ((pid = Fork()) == 0) {
        Setpgid(0, 0);
        /* Signals are blocked until here: one for the job must not meet the shell's handlers. */
        Signal(SIGINT, SIG_DFL);
        Signal(SIGTSTP, SIG_DFL);
        Sigprocmask(SIG_SETMASK, &without, NULL);
        Execve(argv[0], argv, environ);
    }
    setpgid(pid, pid); /* whichever of the two comes first; the later may fail */
    job->pid = pid;
    job->state = in_background ? BACKGROUND : FOREGROUND;
    if (in_background)
        tell(job, argv[0], -1);
    wait_while(FOREGROUND);
}

/* Runs a command that is the shell's own. Returns whether it was one. */
static int run_builtin(char **argv)
{
    static const char *const states[] = {"", "foreground", "background", "stopped"};
    int i, number = argv[1] ? atoi(argv[1]) : 0;
    struct job *job;

    if (!strcmp(argv[0], "quit"))
        exit(0);
    if (!strcmp(argv[0], "wait")) {
        wait_while(BACKGROUND);
        return 1;
    }
    if (!strcmp(argv[0], "jobs")) {
        for (i = 0; i < MAXJOBS; i++)
            if (jobs[i].state != NONE)
                tell(&jobs[i], states[jobs[i].state], -1);
        return 1;
    }
    if (number < 1 || number > MAXJOBS || jobs[number - 1].state == NONE)
        return 0;
    job = &jobs[number - 1];
    if (!strcmp(argv[0], "stop") || !strcmp(argv[0], "kill")) {
        enum state before = job->state;

        Kill(-job->pid, argv[0][0] == 's' ? SIGTSTP : SIGKILL);
        while (job->state == before)
            Sigsuspend(&without);
        return 1;
    }
    if (!strcmp(argv[0], "bg") || !strcmp(argv[0], "fg")) {
        job->state = argv[0][0] == 'b' ? BACKGROUND : FOREGROUND;
        Kill(-job->pid, SIGCONT);
        wait_while(FOREGROUND);
        return 1;
    }
    return 0;
}

int main(void)
{
    char line[MAXLINE], *argv[MAXARGS + 1], *word;
    int argc, in_background;

    Sigemptyset(&handled);
    Sigaddset(&handled, SIGCHLD);
    Sigaddset(&handled, SIGINT);
    Sigaddset(&handled, SIGTSTP);
    Signal(SIGCHLD, on_child);
    Signal(SIGINT, on_terminal);
    Signal(SIGTSTP, on_terminal);
    while (Fgets(line, MAXLINE, stdin) != NULL) {
        argc = 0;
        for (word = strtok(line, " \n"); word && argc < MAXARGS; word = strtok(NULL, " \n"))
            argv[argc++] = word;
        in_background = argc > 0 && !strcmp(argv[argc - 1], "&");
        if (in_background)
            argc--;
        argv[argc] = NULL;
        if (argc == 0)
            continue;
        Sigprocmask(SIG_BLOCK, &handled, &without);
        if (!run_builtin(argv))
            run(argv, in_background);
        Sigprocmask(SIG_SETMASK, &without, NULL);
    }
    return 0;
}
