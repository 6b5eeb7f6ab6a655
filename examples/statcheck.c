/*
 * statcheck - prints what the kernel knows about a file besides its bytes
 *
 * What to watch: all of this is in the inode, and the name is not: two hard links show the same inode, with a link
 * count of 2. A symbolic link is a file of its own, whose size is the length of its target's name. Option -L
 * shows the target instead (stat, not lstat).
 *
 * usage: statcheck [-L] PATH...        (the status is 1 if one of them cannot be looked at)
 */
#include "csapp.h"
#include <sys/sysmacros.h>
#include <time.h>

static const char *type_name(mode_t mode)
{
    return S_ISREG(mode)    ? "regular file"
           : S_ISDIR(mode)  ? "directory"
           : S_ISLNK(mode)  ? "symbolic link"
           : S_ISFIFO(mode) ? "fifo"
           : S_ISSOCK(mode) ? "socket"
           : S_ISCHR(mode)  ? "character device"
           : S_ISBLK(mode)  ? "block device"
                            : "unknown";
}

/* The nine letters that ls shows; s and t stand for set-user-ID, set-group-ID and sticky. */
static void permission_letters(mode_t mode, char letters[10])
{
    static const struct {
        mode_t bit;
        char with_x, without_x;
    } special[] = {{S_ISUID, 's', 'S'}, {S_ISGID, 's', 'S'}, {S_ISVTX, 't', 'T'}};

    for (int i = 0; i < 9; i++)
        letters[i] = mode & (0400u >> i) ? "rwx"[i % 3] : '-';
    for (int i = 0; i < 3; i++)
        if (mode & special[i].bit)
            letters[3 * i + 2] = letters[3 * i + 2] == 'x' ? special[i].with_x : special[i].without_x;
    letters[9] = '\0';
}

static void print_time(const char *label, struct timespec time)
{
    char text[32];
    struct tm utc;

    if (gmtime_r(&time.tv_sec, &utc) != NULL && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &utc))
        printf("  %-12s %s.%09ld UTC\n", label, text, time.tv_nsec);
    else
        printf("  %-12s %lld s after 1970\n", label, (long long)time.tv_sec);
}

static void print_target(const char *path)
{
    char target[4096];
    ssize_t n = readlink(path, target, sizeof target);

    if (n >= 0)
        printf("  %-12s %.*s\n", "target", (int)n, target);
}

static int check(const char *path, int follow)
{
    struct stat file;
    char letters[10];

    if ((follow ? stat : lstat)(path, &file) < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    permission_letters(file.st_mode, letters);
    printf("%s\n", path);
    printf("  %-12s %s\n", "type", type_name(file.st_mode));
    if (S_ISLNK(file.st_mode))
        print_target(path);
    if (S_ISCHR(file.st_mode) || S_ISBLK(file.st_mode))
        printf("  %-12s major %u, minor %u\n", "device", major(file.st_rdev), minor(file.st_rdev));
    printf("  %-12s %s (%04o)\n", "permissions", letters, (unsigned)(file.st_mode & 07777));
    printf("  %-12s uid %u, gid %u\n", "owner", (unsigned)file.st_uid, (unsigned)file.st_gid);
    printf("  %-12s %lld bytes, %lld on disk\n", "size", (long long)file.st_size,
        (long long)file.st_blocks * 512);
    printf("  %-12s %lu\n", "links", (unsigned long)file.st_nlink);
    printf("  %-12s %lu\n", "inode", (unsigned long)file.st_ino);
    print_time("read", file.st_atim);
    print_time("written", file.st_mtim);
    print_time("inode change", file.st_ctim);
    return 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: statcheck [-L] PATH...\n");
    return 2;
}

int main(int argc, char **argv)
{
    int follow = 0, status = 0;

    for (int option; (option = getopt(argc, argv, "L")) != -1;) {
        if (option != 'L')
            return usage(); /* getopt has said why */
        follow = 1;
    }
    if (optind == argc)
        return usage();
    for (int i = optind; i < argc; i++)
        if (check(argv[i], follow) < 0)
            status = 1;
    return status;
}
