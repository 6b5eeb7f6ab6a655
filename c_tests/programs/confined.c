/* Sets error handlers and fails where there is only libc (in a jail), or where no thread and no process can be
   made ("alone", by a filter that kills a process that tries). The rest of the arguments says what follows: "thread", that a thread
   fails under csapp_error_thread_exit. */
#include "csapp.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void say(const char *message)
{
    printf("handler: %s\n", message);
}

#define KILL_ON(call) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static void stay_alone(void)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        KILL_ON(SYS_clone),
#ifdef SYS_clone3
        KILL_ON(SYS_clone3),
#endif
#ifdef SYS_fork
        KILL_ON(SYS_fork),
#endif
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof instructions / sizeof *instructions, instructions};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        unix_error("prctl");
}

static void *fail(void *arg)
{
    app_error("the thread fails");
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t thread;

    if (argc > 1 && strcmp(argv[1], "alone") == 0)
        stay_alone();
    Close(Open_listenfd("0")); /* which looks what CSAPP_ON_ERROR says */
    csapp_set_error_handler(say);
    Open("/no/such/file", O_RDONLY, 0);
    csapp_set_error_handler(csapp_error_thread_exit);
    if (argc > 1 && strcmp(argv[1], "thread") == 0) {
        Pthread_create(&thread, NULL, fail, NULL);
        Pthread_join(thread, NULL);
    }
    csapp_set_error_handler(csapp_error_return);
    Open("/no/such/file", O_RDONLY, 0);
    puts("the program goes on");
    return 0;
}
