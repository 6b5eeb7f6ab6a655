/* The part of src/sys/sanitizer.rs that Rust cannot express: weak references, and the address that a function
   returns to. */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* As <sanitizer/...interface.h> declares them. Each is NULL in a program that has no such sanitizer. */
#ifndef __APPLE__
#pragma weak __sanitizer_print_stack_trace
#pragma weak __asan_region_is_poisoned
#pragma weak __asan_report_store_n_noabort
#pragma weak __tsan_write_range
#pragma weak __tsan_func_entry
#pragma weak __tsan_func_exit
#pragma weak __msan_unpoison
void __sanitizer_print_stack_trace(void);
void *__asan_region_is_poisoned(void *start, size_t size);
void __asan_report_store_n_noabort(void *start, size_t size);
void __tsan_write_range(void *start, size_t size);
void __tsan_func_entry(void *call_site);
void __tsan_func_exit(void);
void __msan_unpoison(void *start, size_t size);
#endif

/* `Interface` in Rust. */
HIDDEN extern const struct interface {
    void (*any)(void);
    void *(*asan_first_bad)(void *, size_t);
    void (*asan_report_store)(void *, size_t);
    void (*tsan_store)(void *, size_t);
    void (*tsan_entry)(void *);
    void (*tsan_exit)(void);
    void (*msan_initialized)(void *, size_t);
} csapp_c_sanitizers;

const struct interface csapp_c_sanitizers = {
#ifdef __APPLE__ /* whose linker needs an option for each weak reference in every program */
    0
#else
    __sanitizer_print_stack_trace, __asan_region_is_poisoned, __asan_report_store_n_noabort, __tsan_write_range,
    __tsan_func_entry, __tsan_func_exit, __msan_unpoison,
#endif
};

typedef uintptr_t word;
typedef ssize_t call_t(word a, word b, word c, word d, word e);
HIDDEN ssize_t csapp_c_traced(word a, word b, word c, word d, word e, call_t *call);

/* Makes the call. A function of the API jumps here, so this function returns to the program. It tells ThreadSanitizer
   the address it returns to, because the reports show only calls that ThreadSanitizer was told of. */
ssize_t csapp_c_traced(word a, word b, word c, word d, word e, call_t *call)
{
    const volatile struct interface *sanitizer = &csapp_c_sanitizers; /* volatile: not by an entry of the GOT for each */
    ssize_t result;

    if (!sanitizer->tsan_entry)
        return call(a, b, c, d, e);
    sanitizer->tsan_entry(__builtin_return_address(0));
    result = call(a, b, c, d, e);
    sanitizer->tsan_exit();
    return result;
}
