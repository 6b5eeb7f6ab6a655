/*
 * lsdir - lists a directory: each entry's inode number and name, in the directory's own order
 *
 * What to watch: a directory is only a table of names and inode numbers; everything else is in the inodes
 * (statcheck). And readdir returns NULL both at the end and after an error. Only errno, set to 0 before the call,
 * tells them apart: without that, a program takes half a directory on a failing disk for the whole.
 *
 * usage: lsdir [DIRECTORY]
 */
#include "csapp.h"

int main(int argc, char **argv)
{
    const struct dirent *entry;
    long entries = 0;
    DIR *directory;

    if (argc > 2) {
        fprintf(stderr, "usage: %s [DIRECTORY]\n", argv[0]);
        return 2;
    }
    directory = Opendir(argc == 2 ? argv[1] : ".");
    while (errno = 0, (entry = readdir(directory)) != NULL) {
        printf("%10lu %s\n", (unsigned long)entry->d_ino, entry->d_name);
        entries++;
    }
    if (errno != 0)
        unix_error("readdir error"); /* Readdir, the checked form, does the same */
    Closedir(directory);
    printf("%ld entries\n", entries);
    return 0;
}
