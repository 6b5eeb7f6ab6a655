/*
 * adder - a CGI program that adds the two numbers of a form
 *
 * What to watch: a CGI program reads its input from the environment, and writes header lines, an empty line
 * and a page to standard output. Any such program will do. The query comes from a stranger: adder converts it to
 * numbers, and never prints the text itself.
 *
 * usage: tinyweb runs it for /cgi-bin/adder?a=1&b=2
 */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    const char *query = getenv("QUERY_STRING");
    long a, b;

    printf("Content-Type: text/html\r\nCache-Control: no-store\r\n\r\n");
    if (query != NULL && sscanf(query, "a=%9ld&b=%9ld", &a, &b) == 2)
        printf("<!DOCTYPE html><title>adder</title><p>%ld + %ld = <b id=\"sum\">%ld</b></p>\n", a, b, a + b);
    else
        printf("<!DOCTYPE html><title>adder</title><p>Two numbers are needed: ?a=1&amp;b=2</p>\n");
    return 0;
}
