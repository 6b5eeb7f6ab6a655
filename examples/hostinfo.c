/*
 * hostinfo - lists every address of a name, and the name of each address
 *
 * What to watch: one name may have many addresses of both families. A program should try them in the order
 * given, as open_clientfd does. The name of an address is often not the name that it was found by: many names share
 * an address, and most addresses have no name. NAME may also be a numeric address.
 *
 * usage: hostinfo NAME [SERVICE]
 */
#include "csapp.h"

int main(int argc, char **argv)
{
    char address[NI_MAXHOST], port[NI_MAXSERV], name[NI_MAXHOST];
    struct addrinfo hints, *list;
    int code;

    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: %s NAME [SERVICE]\n", argv[0]);
        return 2;
    }
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM; /* without it, each address comes once per type of socket */
    Getaddrinfo(argv[1], argc == 3 ? argv[2] : NULL, &hints, &list);

    for (const struct addrinfo *entry = list; entry != NULL; entry = entry->ai_next) {
        Getnameinfo(entry->ai_addr, entry->ai_addrlen, address, sizeof address, port, sizeof port,
            NI_NUMERICHOST | NI_NUMERICSERV);
        printf("%s %s", entry->ai_family == AF_INET6 ? "IPv6" : "IPv4", address);
        if (argc == 3)
            printf(" port %s", port);
        /* No name is no failure here, so this call goes unchecked. */
        code = getnameinfo(entry->ai_addr, entry->ai_addrlen, name, sizeof name, NULL, 0, NI_NAMEREQD);
        if (code == 0)
            printf(" is called %s\n", name);
        else
            printf(" has no name (%s)\n", gai_strerror(code));
    }
    Freeaddrinfo(list);
    return 0;
}
