/* A pseudoterminal. */
#ifndef PTY_H
#define PTY_H

#include "support.h"
#include <termios.h>

/* Opens the side of the window and that of its programs; bytes go through as they are. */
static inline void open_pty(int *master, int *slave)
{
    struct termios mode;

    *master = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_int_ge(*master, 0);
    ck_assert_int_eq(grantpt(*master), 0);
    ck_assert_int_eq(unlockpt(*master), 0);
    *slave = open(ptsname(*master), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(*slave, 0);
    ck_assert_int_eq(tcgetattr(*slave, &mode), 0);
    cfmakeraw(&mode);
    ck_assert_int_eq(tcsetattr(*slave, TCSANOW, &mode), 0);
}

#endif
