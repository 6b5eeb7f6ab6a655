/* A call that fails, two calls deep. */
#include "csapp.h"

static int read_settings(const char *name)
{
    return Open(name, O_RDONLY, 0);
}

int main(void)
{
    return read_settings("/no/such/file") >= 0;
}
