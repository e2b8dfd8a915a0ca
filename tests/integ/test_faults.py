# SPDX-License-Identifier: LGPL-2.1-or-later
"""What breaks around siptlsd: its own workers, the SIP server, peers that reset, and floods."""
import os
import re
import signal

import peers
from harness import check, check_equal, limits
from system import children, free_port


def listener(ctx, backend=None, **limit):
    backend = backend or peers.Backend(ctx, echo=True)
    site = ctx.site("b", identity="b").listen("trunk", backend.address)
    site.limits.update(limit)
    return site.start(), backend


def echoes(sock):
    try:
        sock.sendall(b"ping")
        return peers.receive(sock, 4) == b"ping"
    except OSError:
        return False


def stall(ctx, site, after=40):
    sock = peers.tcp_connect(ctx, site.port("trunk"))
    sock.sendall(peers.Handmade(ctx).hello()[:after])
    return sock


def handshaking(ctx, site, n):
    ctx.wait(lambda: sum(s["state"] == "handshaking" for s in site.sessions()) == n,
             f"{n} handshakes under way")


def new_session(ctx, site):
    try:
        with peers.tls_connect(ctx, site.port("trunk"), "a") as sock:
            return echoes(sock)
    except OSError:
        return False  # the new workers are still reading their certificates


def kill_workers(ctx, killed):
    site, _ = listener(ctx)
    sessions = [peers.tls_connect(ctx, site.port("trunk"), "a") for _ in range(6)]
    check(all(echoes(s) for s in sessions), "echo before")
    stalled = [stall(ctx, site) for _ in range(6)]
    handshaking(ctx, site, 6)
    workers = site.processes()[1:]
    for pid in workers[:killed]:
        os.kill(pid, signal.SIGKILL)
    ctx.wait(lambda: site.summary()["workers"] == 2 and
             len(set(site.processes()[1:]) - set(workers)) == killed, "new workers")
    alive = [s for s in sessions if echoes(s)]
    if killed == 2:  # a session that a worker carried ends when its sockets have
        ctx.wait(lambda: site.ended().get("worker-died", 0) == 12 - len(alive), "the ends")
    lost = site.ended().get("worker-died", 0)
    if ctx.mode == "kernel":
        check_equal(len(alive), len(sessions), "sessions in the kernel that live on")
    check_equal(set(site.ended()), {"worker-died"}, "reasons")
    check_equal(len(site.sessions()), 12 - lost, "what is left")
    if killed == 2:
        check_equal(lost, 6 + len(sessions) - len(alive), "everything that was in the workers")
    else:
        check(0 < lost < 12 and len(alive) > 0, f"lost {lost}, alive {len(alive)}")
    ctx.wait(lambda: new_session(ctx, site), "a new session")
    for sock in sessions + stalled:
        sock.close()


def test_one_worker_killed(ctx):
    kill_workers(ctx, 1)


def test_all_workers_killed(ctx):
    kill_workers(ctx, 2)


def test_daemon_killed(ctx):
    """Workers do not outlive the daemon."""
    site, _ = listener(ctx)
    sock = peers.tls_connect(ctx, site.port("trunk"), "a")
    check(echoes(sock), "echo before")
    workers = children(site.process.pid)
    site.process.process.kill()
    site.process.process.wait()
    ctx.wait(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers),
             "the workers to end")
    check_equal(echoes(sock), False, "the session after its daemon was killed")


def test_dead_backend(ctx):
    site = ctx.site("b", identity="b").listen("trunk", f"127.0.0.1:{free_port()}").start()
    try:
        with peers.tls_connect(ctx, site.port("trunk"), "a") as sock:
            check_equal(sock.recv(100), b"", "what the peer reads")
    except OSError:
        pass  # an alert instead of close_notify
    site.expect_ends({"backend-connect": 1})


def test_dead_peer(ctx):
    site = ctx.site("a").dial("out", f"127.0.0.1:{free_port()}").start()
    with peers.tcp_connect(ctx, site.port("out")) as sock:
        try:
            check_equal(sock.recv(100), b"", "what the local SIP server reads")
        except ConnectionResetError:
            pass
    site.expect_ends({"dial-connect": 1})


def test_local_server_gives_up(ctx):
    silent = peers.Backend(ctx)  # accepts and says nothing
    site = ctx.site("a").dial("out", silent.address).start()
    with peers.tcp_connect(ctx, site.port("out")):
        silent.connection()
    site.expect_ends({"local-closed": 1})


def test_backend_resets(ctx):
    site, backend = listener(ctx)
    with peers.tls_connect(ctx, site.port("trunk"), "a") as sock:
        check(echoes(sock), "echo")
        backend.connection().abort()
        try:
            check_equal(sock.recv(100), b"", "what the peer reads")
        except OSError:
            pass
    site.expect_ends({"backend-reset": 1})


def test_peer_resets_at_each_step(ctx):
    site, backend = listener(ctx)
    size = len(peers.Handmade(ctx, "a").hello())
    steps = [0, 1, 5, 6, size - 1]
    for after in steps:
        peers.reset(stall(ctx, site, after))
    for part in (0, 1, 600, None):  # of the last flight
        client, sock = peers.Handmade(ctx, "a"), peers.tcp_connect(ctx, site.port("trunk"))
        sock.sendall(client.hello())
        sock.sendall(client.answer(sock)[:part])
        if part is None:
            site.relaying()
            backend.connection()
        peers.reset(sock)
    n = len(steps) + 4
    ctx.wait(lambda: sum(site.ended().values()) == n, f"{n} ends")
    check_equal(set(site.ended()) - {"peer-closed"}, {"peer-reset"}, "reasons")
    with peers.tls_connect(ctx, site.port("trunk"), "a") as sock:
        check(echoes(sock), "a new session")
    first = backend.connections[0]
    ctx.wait(lambda: first.closed or first.eof, "the backend to be told")


def test_peer_resets_in_data(ctx):
    site, backend = listener(ctx)
    for n in range(5):
        sock = peers.tls_connect(ctx, site.port("trunk"), "a")
        sock.sendall(b"x" * 50000)
        backend.connection(n)
        peers.reset(sock)
    site.expect_ends({"peer-reset": 5})


def refused_at_once(ctx, site, source):
    """Closed without a byte: the caps come before any work."""
    sock = peers.tcp_connect(ctx, site.port("trunk"), source)
    try:
        return sock.recv(10) == b""
    except ConnectionResetError:
        return True
    finally:
        sock.close()


def hold(ctx, site, n, source):
    return [peers.tcp_connect(ctx, site.port("trunk"), source) for _ in range(n)]


def test_caps_on_handshakes(ctx):
    site, _ = listener(ctx, unauthenticated=8, unauthenticated_per_source=5,
                       handshake_timeout="60s")
    held = hold(ctx, site, 5, "127.0.0.1")
    handshaking(ctx, site, 5)
    check(refused_at_once(ctx, site, "127.0.0.1"), "the sixth of one source")
    held += hold(ctx, site, 3, "127.0.0.2")
    handshaking(ctx, site, 8)
    check(refused_at_once(ctx, site, "127.0.0.3"), "the ninth of all")
    site.expect_ends({"limit-source": 1, "limit-unauthenticated": 1})
    for sock in held:
        sock.close()
    handshaking(ctx, site, 0)
    with peers.tls_connect(ctx, site.port("trunk"), "a") as sock:
        check(echoes(sock), "a session when there is room again")


def test_cap_on_sessions(ctx):
    site, _ = listener(ctx, sessions=3)
    sessions = [peers.tls_connect(ctx, site.port("trunk"), "a") for _ in range(3)]
    check(all(echoes(s) for s in sessions), "three sessions")
    check(refused_at_once(ctx, site, "127.0.0.1"), "the fourth")
    site.expect_ends({"limit-sessions": 1})
    sessions.pop().close()
    site.relaying(2)
    sessions.append(peers.tls_connect(ctx, site.port("trunk"), "a"))
    check(echoes(sessions[-1]), "a session when there is room again")


def test_authenticated_are_not_capped(ctx):
    """The caps on handshakes do not count sessions."""
    site, _ = listener(ctx, unauthenticated=4, unauthenticated_per_source=2)
    sessions = []
    for _ in range(6):
        sessions.append(peers.tls_connect(ctx, site.port("trunk"), "a"))
        check(echoes(sessions[-1]), f"session {len(sessions)}")
    site.relaying(6)


@limits(seconds=150, heavy=True)
def test_churn(ctx):
    """Thousands of connections, good and bad, leave neither descriptors nor memory behind."""
    site, _ = listener(ctx)
    total = ctx.amount("churn")
    crowd = Crowd(ctx, site)
    crowd.send(total // 10)
    before = site.pss()
    crowd.send(total - total // 10)
    grown = site.pss() - before
    print(f"memory: churn connections={total} grown={grown}")
    ctx.check_memory(grown, 2 << 20, f"over {total} connections")
    check_equal(sum(site.ended().values()), total, "ends counted")
    check_equal(len(re.findall(r"\breason=", site.log())), total, "ends logged")


class Crowd:
    """The same few contexts for all connections: the test must not be the slow part."""

    def __init__(self, ctx, site):
        self.ctx, self.site, self.sent = ctx, site, 0
        self.address = site.port("trunk")
        self.contexts = {cert: peers.tls_context(ctx, cert)
                         for cert in ("a", "unlisted", "expired")}

    def tls(self, cert):
        sock = peers.tcp_connect(self.ctx, self.address)
        return self.contexts[cert].wrap_socket(sock, suppress_ragged_eofs=False)

    def one(self, kind):
        if kind < 4:
            with self.tls("a") as sock:
                check(echoes(sock), "echo")
        elif kind < 6:
            with self.tls(("unlisted", "expired")[kind - 4]) as sock:
                check(not echoes(sock), "not refused")
        elif kind < 8:
            sock = peers.tcp_connect(self.ctx, self.address)
            (sock.close if kind == 6 else lambda: peers.reset(sock))()
        else:
            with peers.tcp_connect(self.ctx, self.address) as sock:
                sock.sendall(b"OPTIONS sip:x SIP/2.0\r\n\r\n")
                check(not echoes(sock), "plain SIP was answered")

    def send(self, n):
        for _ in range(n):
            self.one(self.sent % 10)
            self.sent += 1
        self.ctx.wait(self.site.settled, "every connection to be over", 30)
