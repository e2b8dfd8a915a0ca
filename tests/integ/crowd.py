# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many TLS peers of one site at once: they are admitted, they talk, and some of them are ended."""
import contextlib
import resource
import selectors
import socket
import ssl
import threading
import time

import peers
from harness import check, check_equal


def allow_many_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))


class Crowd:
    """Sockets by name, all of them through an echoing SIP server."""

    def __init__(self, ctx, address):
        allow_many_files()
        self.ctx, self.address, self.socks = ctx, address, {}
        ctx.keep(self)

    def join(self, name, cert, context=None):
        """One more, admitted: it has heard its own words."""
        context = context or peers.tls_context(self.ctx, cert)
        sock = context.wrap_socket(peers.tcp_connect(self.ctx, self.address),
                                   suppress_ragged_eofs=False)
        self.socks[name] = sock
        self.echo(name, b"hello")

    def echo(self, name, data):
        self.socks[name].sendall(data)
        check_equal(peers.receive(self.socks[name], len(data)), data, f"echo of {name}")

    @contextlib.contextmanager
    def talking(self, names):
        """These talk all the time, one after the other, and each of them once more at the end."""
        names, failures, over = list(names), [], threading.Event()

        def talk():
            round_number, last = 0, False
            while not last:
                last = over.is_set()
                round_number += 1
                for name in names:
                    try:
                        self.echo(name, b"%s %d\n" % (str(name).encode(), round_number))
                    except Exception as error:  # pylint: disable=broad-exception-caught
                        failures.append(f"{name}: {error}")
                        return
        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(60 * self.ctx.slow)
        check(not thread.is_alive(), "the others do not get their words back")
        check(not failures, f"a session that should live on: {failures}")

    def ended(self, names, seconds):
        """Wait until all of these are closed by the site; the time when the last one was."""
        names, last = set(names), time.monotonic()
        deadline = last + seconds
        with selectors.DefaultSelector() as selector:
            for name in names:
                selector.register(self.socks[name], selectors.EVENT_READ, name)
            while names:
                ready = selector.select(max(0, deadline - time.monotonic()))
                if not ready:
                    break
                last = time.monotonic()
                for key, _ in ready:
                    selector.unregister(key.fileobj)
                    names.discard(key.data)
                    check(over(key.fileobj), f"{key.data} read something")
        check(not names, f"{len(names)} sessions live on after {seconds:.1f} s, such as {sorted(names)[:3]}")
        return last

    def alive(self, names):
        """None of these has read anything, the end least of all."""
        for name in names:
            sock = self.socks[name]
            sock.settimeout(0)
            try:
                data = sock.recv(1)
                check(False, f"{name} read {data!r}")
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            finally:
                sock.settimeout(20 * self.ctx.slow)

    def leave(self, names=None):
        for name in list(self.socks if names is None else names):
            self.socks.pop(name).close()

    def stop(self):
        self.leave()


def over(sock):
    """close_notify, or an alert, or the end."""
    try:
        return sock.recv(1) == b""
    except (OSError, socket.timeout):
        return True
