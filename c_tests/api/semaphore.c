/* Semaphores: P and V. */
#define _GNU_SOURCE
#include "failing.h"
#include "interrupted.h"
#include <limits.h>

INJECT(int, sem_wait, (sem_t *sem), (sem), MINUS_ONE)

static sem_t sem;

static sem_t *full_semaphore(void)
{
    sem_init(&sem, 0, SEM_VALUE_MAX);
    return &sem;
}

#define FAILURES(CALL)                                                              \
    CALL(Sem_init, 0, BY_ERRNO, EINVAL, NOTHING(Sem_init(&sem, 0, (unsigned)SEM_VALUE_MAX + 1))) \
    CALL(P, 0, BY_ERRNO, EINVAL, NOTHING((FAIL_NEXT(sem_wait, EINVAL), P(&sem))))   \
    CALL(V, 0, BY_ERRNO, EOVERFLOW, NOTHING(V(full_semaphore())))

DEFINE_FAILURES

START_TEST(p_and_v_count)
{
    int value;

    Sem_init(&sem, 0, 2);
    P(&sem);
    P(&sem);
    sem_getvalue(&sem, &value);
    ck_assert_int_eq(value, 0);
    ck_assert_int_eq(sem_trywait(&sem), -1);
    V(&sem);
    sem_getvalue(&sem, &value);
    ck_assert_int_eq(value, 1);
}
END_TEST

static void post(void)
{
    sem_post(&sem);
}

START_TEST(p_goes_on_after_signals)
{
    int value;

    Sem_init(&sem, 0, 0);
    interrupt_until(post);
    P(&sem);
    ck_assert_was_interrupted();
    sem_getvalue(&sem, &value);
    ck_assert_int_eq(value, 0);
}
END_TEST

#define ROUNDS 10000

static sem_t mutex;
static long counted;

static void *count_up(void *arg)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        P(&mutex);
        counted++;
        V(&mutex);
    }
    return arg;
}

START_TEST(a_semaphore_of_one_is_a_lock)
{
    pthread_t threads[4];
    int i;

    Sem_init(&mutex, 0, 1);
    for (i = 0; i < 4; i++)
        Pthread_create(&threads[i], NULL, count_up, NULL);
    for (i = 0; i < 4; i++)
        Pthread_join(threads[i], NULL);
    ck_assert_int_eq(counted, 4 * ROUNDS);
}
END_TEST

/* The other process posts when this one sleeps in P: a semaphore of one process alone would
   not wake it. */
START_TEST(processes_can_share_a_semaphore)
{
    sem_t *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;
    pid_t pid;

    ck_assert_ptr_ne(shared, MAP_FAILED);
    Sem_init(shared, 1, 0);
    pid = fork();
    ck_assert_int_ne(pid, -1);
    if (pid == 0) {
        usleep(50000);
        V(shared);
        _exit(0);
    }
    P(shared);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("semaphore");

    add_failures(tests);
    tcase_add_test(tests, p_and_v_count);
    tcase_add_test(tests, p_goes_on_after_signals);
    tcase_add_test(tests, a_semaphore_of_one_is_a_lock);
    tcase_add_test(tests, processes_can_share_a_semaphore);
    return run_suite("semaphore", tests);
}
