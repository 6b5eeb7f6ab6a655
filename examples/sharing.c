/*
 * sharing - three tables of the kernel, in three acts
 *
 * A descriptor is a number in the descriptor table of a process. It points to an open file: an entry of the open
 * file table, with a position, flags and a count of the descriptors that point to it. The open file points to the
 * v-node, which is the file itself. The program draws them from /proc/PID/fd and /proc/PID/fdinfo.
 *
 * What to watch: each open makes a new open file, so two opens have two positions. dup and fork only make another
 * pointer to the same open file, so the copies share its position. close removes one pointer. The open file is
 * removed with its last pointer; a file without a name is removed with its last open file.
 *
 * The kernel does not number open files for programs. So this one finds out which descriptors share an open file:
 * it changes one position, and looks which others have changed as well.
 *
 * usage: sharing [DIRECTORY]        (where to make its file; /tmp unless given)
 */
#include "csapp.h"

/* A descriptor of this process or of its child. */
struct descriptor {
    pid_t pid;
    int fd;
    char entry; /* a letter for its open file */
};

enum { DESCRIPTORS = 8 };
static struct descriptor table[DESCRIPTORS];
static int rows;

/* The value of a line of /proc/PID/fdinfo/FD, which are "pos: 0", "flags: 0100000" and more. */
static long fdinfo(const struct descriptor *row, const char *name, int base)
{
    char path[64], line[MAXLINE];
    size_t length = strlen(name);
    long value = -1;
    rio_t rio;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)row->pid, row->fd);
    fd = Open(path, O_RDONLY, 0);
    Rio_readinitb(&rio, fd);
    while (Rio_readlineb(&rio, line, sizeof line) > 0)
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            value = strtol(line + length + 1, NULL, base);
    Close(fd);
    return value;
}

static void add(pid_t pid, int fd)
{
    table[rows].pid = pid;
    table[rows].fd = fd;
    rows++;
}

/* Gives descriptors that share an open file the same letter. Each open file has a descriptor of
   this process, by which its position is moved and put back. */
static void find_open_files(void)
{
    char next = 'A';

    for (int i = 0; i < rows; i++)
        table[i].entry = 0;
    for (int i = 0; i < rows; i++) {
        off_t position;

        if (table[i].entry != 0 || table[i].pid != getpid())
            continue;
        position = Lseek(table[i].fd, 0, SEEK_CUR);
        Lseek(table[i].fd, 1000000 + i, SEEK_SET);
        for (int j = 0; j < rows; j++)
            if (fdinfo(&table[j], "pos", 10) == 1000000 + i)
                table[j].entry = next;
        Lseek(table[i].fd, position, SEEK_SET);
        next++;
    }
}

static void draw(void)
{
    printf("    %-16s %-34s %s\n", "descriptors", "open files", "v-node");
    find_open_files();
    for (int i = 0; i < rows; i++) {
        const struct descriptor *row = &table[i];
        const char *access[] = {"read", "write", "read and write", "?"};
        char path[64], name[256], owner[32];
        struct stat file;
        ssize_t n;

        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)row->pid, row->fd);
        n = readlink(path, name, sizeof name - 1);
        name[n < 0 ? 0 : n] = '\0';
        Stat(path, &file);
        snprintf(owner, sizeof owner, "%s fd %d", row->pid == getpid() ? "parent" : "child", row->fd);
        printf("    %-12s --> %c: position %ld, to %-14s --> inode %lu, %lu name%s: %s\n", owner, row->entry,
            fdinfo(row, "pos", 10), access[fdinfo(row, "flags", 8) & O_ACCMODE],
            (unsigned long)file.st_ino, (unsigned long)file.st_nlink, file.st_nlink == 1 ? "" : "s", name);
    }
    printf("\n");
}

static void read_letters(int fd, int count)
{
    char letters[16];
    ssize_t n = Rio_readn(fd, letters, (size_t)count);

    printf("Parent reads %d bytes through fd %d: \"%.*s\"\n", count, fd, (int)n, letters);
}

/* Act 2: a child that reads a byte, says so, and lives until its parent has looked. */
static void fork_and_look(int fd)
{
    int go[2], said[2];
    pid_t child;
    char byte;

    if (pipe(go) < 0 || pipe(said) < 0)
        unix_error("pipe error");
    fflush(stdout);
    child = Fork();
    if (child == 0) {
        Close(go[1]);
        Rio_readn(fd, &byte, 1);
        Rio_writen(said[1], &byte, 1);
        Rio_readn(go[0], &byte, 1); /* the end of the file comes with the parent's last word */
        _exit(0);
    }
    Close(go[0]);
    Close(said[1]);
    Rio_readn(said[0], &byte, 1);
    printf("fork, and the child reads 1 byte through fd %d: \"%c\". The parent's position moved too:\n", fd,
        byte);
    add(child, fd);
    draw();
    rows--;
    Close(go[1]);
    Close(said[0]);
    Waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
    char path[4096];
    int first, second, copy;

    if (argc > 2) {
        fprintf(stderr, "usage: %s [DIRECTORY]\n", argv[0]);
        return 2;
    }
    snprintf(path, sizeof path, "%s/sharing-XXXXXX", argc == 2 ? argv[1] : "/tmp");
    first = mkstemp(path);
    if (first < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    Rio_writen(first, "abcdefghijklmnopqrstuvwxyz", 26);
    Close(first);

    printf("Act 1: two opens of one file\n");
    first = Open(path, O_RDONLY, 0);
    second = Open(path, O_RDWR, 0);
    add(getpid(), first);
    add(getpid(), second);
    read_letters(first, 3);
    printf("Two open files, each with a position of its own; one v-node:\n");
    draw();

    printf("Act 2: dup and fork\n");
    copy = dup(first);
    if (copy < 0)
        unix_error("dup error");
    add(getpid(), copy);
    printf("fd %d = dup(fd %d)\n", copy, first);
    read_letters(copy, 2);
    printf("The copy points to the same open file, so fd %d moved as well:\n", first);
    draw();
    fork_and_look(copy);

    printf("Act 3: close counts\n");
    Close(first);
    Close(second);
    unlink(path);
    table[0] = table[2];
    rows = 1;
    printf("close(fd %d), close(fd %d), and the file's name is removed. fd %d keeps the open file and\n", first,
        second, copy);
    printf("the v-node, with the same position:\n");
    draw();
    read_letters(copy, 4);
    Close(copy);
    printf("close(fd %d): no descriptor points to them any more, and the kernel removes both.\n", copy);
    return 0;
}
