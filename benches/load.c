/* Loading the library beside a C library with the same exports that do nothing: dlopen, one
   dlsym, dlclose. $CSAPP_SO and $STUB_SO say where they are. */
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

static const struct contestant field[] = {
    {"libcsapp.so", load_library},
    {"C library", load_stub},
};

int main(void)
{
    must(getenv("CSAPP_SO") != NULL && getenv("STUB_SO") != NULL, "CSAPP_SO and STUB_SO");
    take_turns("load", "dlopen", field, LENGTH(field), rounds(60), PROCESSOR, LOADS, LOADS);
    return 0;
}
