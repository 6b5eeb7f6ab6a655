//! The library through Python's ctypes, without the module and without the C header.

use std::process::{Command, Output};

use crate::common;

const SCRIPT: &str = r#"
import ctypes, errno, os, socket, sys, threading
sys.path.insert(0, "examples")
import echo_ctypes
csapp = echo_ctypes.load(sys.argv[1])

def fails(call, *arguments):
    ctypes.set_errno(0)
    assert call(*arguments) == -1, call
    return ctypes.get_errno()

def line(rio, size=8192):
    buffer = ctypes.create_string_buffer(size)
    count = echo_ctypes.checked(csapp.rio_readlineb(rio, buffer, size))
    return buffer.raw[:count]

# The version is the header's.
assert csapp.csapp_version().decode() == sys.argv[2], csapp.csapp_version()
assert ctypes.sizeof(echo_ctypes.Rio) == 8208

# Lines through a socketpair, and the end of the file.
here, there = socket.socketpair()
rio = echo_ctypes.Rio()
csapp.rio_readinitb(rio, there.fileno())
assert csapp.rio_writen(here.fileno(), b"one\ntwo", 7) == 7
assert line(rio) == b"one\n"
here.close()
assert line(rio) == b"two" and line(rio) == b""

# errno: a vanished peer raises no SIGPIPE, a bad descriptor and bad counts are told apart.
assert fails(csapp.rio_writen, there.fileno(), b"x", 1) == errno.EPIPE
there.close()
assert fails(csapp.rio_writen, -1, b"x", 1) == errno.EBADF
assert fails(csapp.rio_writen, 1, b"x", ctypes.c_size_t(-1).value) == errno.EINVAL
assert fails(csapp.rio_readlineb, rio, None, 10) == errno.EFAULT

# A client and a server; the server is Python's own.
with socket.create_server(("127.0.0.1", 0)) as listener:
    def echo():
        peer, _ = listener.accept()
        with peer:
            peer.sendall(peer.makefile("rb").readline())
    thread = threading.Thread(target=echo)
    thread.start()
    port = str(listener.getsockname()[1]).encode()
    fd = echo_ctypes.checked(csapp.open_clientfd(b"127.0.0.1", port))
    csapp.rio_readinitb(rio, fd)
    assert csapp.rio_writen(fd, b"over TCP\n", 9) == 9
    assert line(rio) == b"over TCP\n"
    os.close(fd)
    thread.join()
assert fails(csapp.open_clientfd, b"127.0.0.1", port) == errno.ECONNREFUSED
print("fine")
"#;

#[test]
fn ctypes_reads_writes_connects_and_sees_errno() {
    let library = common::library().join("libcsapp.so");
    let said = common::succeed(
        Command::new("python3")
            .args(["-c", SCRIPT])
            .arg(library)
            .arg(env!("CARGO_PKG_VERSION"))
            .current_dir(common::root()),
    );
    assert_eq!(said, "fine\n");
}

#[test]
fn the_example_tells_a_wrong_port_from_an_errno() {
    let connect = |port: &str| -> Output {
        common::run(
            Command::new("python3")
                .arg("examples/echo_ctypes.py")
                .arg(common::library().join("libcsapp.so"))
                .args(["127.0.0.1", port])
                .current_dir(common::root()),
        )
    };
    let no_port = connect("70000");
    assert_eq!(no_port.status.code(), Some(1));
    let said = String::from_utf8_lossy(&no_port.stderr);
    assert!(
        said.starts_with("getaddrinfo failed (127.0.0.1:70000): ") && said.lines().count() == 1,
        "{said}"
    );
    let nobody = connect("0");
    assert_eq!(nobody.status.code(), Some(1));
    let said = String::from_utf8_lossy(&nobody.stderr);
    assert!(
        said.ends_with(" 127.0.0.1 0: Connection refused\n") && said.lines().count() == 1,
        "{said}"
    );
}
