// The library from C++17: ports of both editions by overloads, wrappers among objects with destructors, a
// handler that is a lambda.
#include "csapp.h"

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>

namespace {

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;
    ~Descriptor() { Close(fd_); }
    int get() const { return fd_; }

private:
    int fd_;
};

std::string port_of(const Descriptor &socket)
{
    sockaddr_in address{};
    socklen_t len = sizeof address;

    if (getsockname(socket.get(), reinterpret_cast<SA *>(&address), &len) != 0)
        unix_error("getsockname");
    return std::to_string(ntohs(address.sin_port));
}

void echo_once(int listenfd)
{
    const Descriptor connection(Accept(listenfd, nullptr, nullptr));
    std::array<char, MAXLINE> line;
    rio_t rio;

    Rio_readinitb(&rio, connection.get());
    while (auto n = Rio_readlineb(&rio, line.data(), line.size()))
        Rio_writen(connection.get(), line.data(), static_cast<size_t>(n));
}

void exchange(const Descriptor &client, std::string_view text)
{
    std::array<char, MAXLINE> line;
    rio_t rio;

    Rio_readinitb(&rio, client.get());
    Rio_writen(client.get(), text.data(), text.size());
    Rio_readlineb(&rio, line.data(), line.size());
    std::printf("%s", line.data());
}

} // namespace

int main()
{
    Alarm(30);
    const Descriptor listener(Open_listenfd("0"));
    const std::string port = port_of(listener);

    for (const bool is_number : {true, false}) {
        std::thread server(echo_once, listener.get());
        {
            const Descriptor client(is_number ? Open_clientfd("127.0.0.1", std::stoi(port))
                                              : Open_clientfd("127.0.0.1", port.c_str()));
            exchange(client, is_number ? "by number\n" : "by string\n");
        }
        server.join();
    }

    csapp_set_error_handler([](const char *message) { std::puts(message); });
    const int fd = Open("/nowhere/file", O_RDONLY, 0);
    std::printf("%d %d\n", fd, errno == ENOENT);
    gai_error(EAI_NONAME, "no name");
}
