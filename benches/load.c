/* Loading the library beside C libraries with the same exports that do nothing, one of which needs
   the same functions of libc: dlopen, one dlsym, dlclose. $CSAPP_SO, $STUB_SO and $IMPORTS_SO say
   where they are. */
#include "bench.h"

#include <dlfcn.h>

enum { LOADS = 20 };

static size_t load(const char *path)
{
    size_t done;

    for (done = 0; done < LOADS; done++) {
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

        if (library == NULL || dlsym(library, "rio_readlineb") == NULL)
            break;
        dlclose(library);
    }
    return done;
}

static size_t load_library(void)
{
    return load(getenv("CSAPP_SO"));
}

static size_t load_stub(void)
{
    return load(getenv("STUB_SO"));
}

static size_t load_imports(void)
{
    return load(getenv("IMPORTS_SO"));
}

static const struct contestant field[] = {
    {"libcsapp.so", load_library},
    {"C library", load_imports},
    {"empty C library", load_stub},
};

int main(void)
{
    must(getenv("CSAPP_SO") && getenv("STUB_SO") && getenv("IMPORTS_SO"), "CSAPP_SO, STUB_SO, IMPORTS_SO");
    take_turns("load", "dlopen", field, LENGTH(field), rounds(60), PROCESSOR, LOADS, LOADS);
    return 0;
}
