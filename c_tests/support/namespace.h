/* A network, and where needed a file system, of this process' own: nothing that a test does there
   leaves it, whoever runs the tests. */
#ifndef NAMESPACE_H
#define NAMESPACE_H

#include "support.h"
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

/* Writes `text` to a file that is there already. Whether that went well. */
static inline int write_file(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_TRUNC | O_CLOEXEC);
    int is_written = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd != -1)
        close(fd);
    return is_written;
}

/* The same for a file that is not there yet. */
static inline int write_new_file(const char *name, const char *text)
{
    close(open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    return write_file(name, text);
}

/* Gives this process an /etc of its own, with nothing in it; in a mount namespace of its own. */
static inline int empty_etc(void)
{
    return mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0
        && mount("none", "/etc", "tmpfs", 0, "") == 0;
}

/* Moves this process into namespaces of its own, by `kinds` (CLONE_NEWNET and so on). A user that is not
   root becomes it in a user namespace first, where the system allows that. */
static inline int enter_namespaces(int kinds)
{
    unsigned int user = geteuid(), group = getegid();
    char map[64];

    if (unshare(kinds) == 0)
        return 1;
    if (unshare(CLONE_NEWUSER | kinds) == -1)
        return 0;
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", user);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", group);
    write_file("/proc/self/gid_map", map);
    return 1;
}

/* Turns the loopback interface on. */
static inline int raise_loopback(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), is_up;
    struct ifreq request;

    memset(&request, 0, sizeof request);
    strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    is_up = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return is_up;
}

/* Moves this process into a network with only loopback. */
static inline int enter_loopback_network(void)
{
    return enter_namespaces(CLONE_NEWNET) && raise_loopback();
}

#endif
