# SPDX-License-Identifier: LGPL-2.1-or-later
"""Phones on a client listener, IPv6, server names, TLS 1.2 where allowed, and the command line."""
import os
import socket
import ssl

import peers
from harness import check, check_equal, need_root

V12 = ssl.TLSVersion.TLSv1_2


def echo(sock):
    sock.sendall(b"ping")
    check_equal(peers.receive(sock, 4), b"ping", "echo")


def listener(ctx, **options):
    backend = peers.Backend(ctx, echo=True)
    return ctx.site("a").listen("trunk", backend.address, **options), backend


def test_client_needs_no_certificate(ctx):
    site, _ = listener(ctx, kind="client")
    site.start()
    with peers.tls_connect(ctx, site.port("trunk"), None) as sock:
        echo(sock)
        session = site.relaying()[0]
        check_equal(session["authenticated"], False, "authenticated")
        check(not session.get("peer"), f"peer is {session.get('peer')!r}")
        text = site.ctl_run("sessions").stdout + site.ctl_run("show", str(session["id"])).stdout
        check("authenticated: no" in text, f"not marked in: {text}")
        check("unauthenticated" in text, f"not marked in the list: {text}")
        check_equal(site.summary()["sessions"]["unauthenticated"], 1, "in the summary")
    check("authenticated" in site.log(), "not marked in the log")


def test_client_with_certificate_is_still_a_client(ctx):
    """It is not asked for, so it is not shown: a phone cannot become a server by bringing one."""
    site, _ = listener(ctx, kind="client")
    site.start()
    with peers.tls_connect(ctx, site.port("trunk"), "b") as sock:
        echo(sock)
        session = site.relaying()[0]
        check_equal(session["authenticated"], False, "authenticated")
        check(not session.get("peer"), f"peer is {session.get('peer')!r}")


def test_ipv6(ctx):
    backend = peers.Backend(ctx, echo=True, host="::1")
    b = ctx.site("b", identity="b").listen("trunk", backend.address, address=["[::1]:0"]).start()
    a = ctx.site("a").dial("out", b.port("trunk"), address=["[::1]:0"]).start()
    check(a.port("out").startswith("[::1]:"), "address of the dial-out")
    with peers.tcp_connect(ctx, a.port("out")) as sock:
        echo(sock)
        session = b.relaying()[0]
        check(session["remote"].startswith("[::1]:"), "remote")
        check_equal(session["local"], b.port("trunk"), "local")
        check_equal(session["backend"], backend.address, "backend")


def test_two_addresses(ctx):
    site, _ = listener(ctx, address=["127.0.0.1:0", "[::1]:0"])
    site.start()
    found = [p["address"] for p in site.ports() if p["via"] == "trunk"]
    check_equal(len(found), 2, "ports")
    for address in found:
        with peers.tls_connect(ctx, address) as sock:
            echo(sock)


def shown(ctx, site, name):
    with peers.tls_connect(ctx, site.port("trunk"), name=name) as sock:
        echo(sock)
        return dict(pair[0] for pair in sock.getpeercert()["subject"])["commonName"]


def test_server_name_chooses_identity(ctx):
    site, _ = listener(ctx, identity=["main", "other"])
    site.identities["other"] = (ctx.cert("a-alt"), ctx.key("a-alt"))
    site.start()
    for name, expected in (("alt.a.example", "alt.a.example"), ("ALT.a.example", "alt.a.example"),
                           ("pool.a.example", "pool.a.example"),
                           ("fe1.a.example", "pool.a.example"),
                           ("nobody.example", "pool.a.example"), (None, "pool.a.example")):
        check_equal(shown(ctx, site, name), expected, f"certificate for {name}")


def test_dial_sends_the_peers_name(ctx):
    names = []
    server = peers.TlsServer(ctx, "b")
    server.context.sni_callback = lambda sock, name, context: names.append(name)
    site = ctx.site("a").dial("out", server.address).start()
    with peers.tcp_connect(ctx, site.port("out")) as sock:
        echo(sock)
    check_equal(len(names), 1, "handshakes")
    check(names[0] in ("pool.b.example", "fe1.b.example"), f"server name sent: {names[0]}")


def test_dial_to_a_member(ctx):
    """Whoever dials fe1 of a pool does not want fe2; the pool's own name is good for both."""
    server = peers.TlsServer(ctx, "b")
    site = ctx.site("a").dial("out", server.address, peer="fe1.b.example").start()
    with peers.tcp_connect(ctx, site.port("out")) as sock:
        echo(sock)
        check_equal(site.relaying()[0]["peer"], "pool.b.example", "peer")


def test_tls12_where_the_entry_allows(ctx):
    site, _ = listener(ctx)
    site.start()
    for suite, cipher in (("ECDHE-ECDSA-AES128-GCM-SHA256", "AES-128-GCM"),
                          ("ECDHE-ECDSA-AES256-GCM-SHA384", "AES-256-GCM"),
                          ("ECDHE-ECDSA-CHACHA20-POLY1305", "CHACHA20-POLY1305")):
        with peers.tls_connect(ctx, site.port("trunk"), "old", high=V12, ciphers=suite) as sock:
            echo(sock)
            session = site.relaying()[0]
            check_equal((session["version"], session["cipher"]), ("TLS 1.2", cipher), "session")
        site.relaying(0)
    with peers.tls_connect(ctx, site.port("trunk"), "old") as sock:
        echo(sock)
        check_equal(site.relaying()[0]["version"], "TLS 1.3", "version, if the peer can")


def test_tls12_for_clients(ctx):
    site, backend = listener(ctx, kind="client", tls12=True)
    site.listen("strict", backend.address, kind="client").start()
    with peers.tls_connect(ctx, site.port("trunk"), None, high=V12) as sock:
        echo(sock)
        check_equal(site.relaying()[0]["version"], "TLS 1.2", "version")
    site.relaying(0)
    found = peers.refused(ctx, site.port("strict"), None, high=V12)
    check(found.endswith("PROTOCOL_VERSION"), f"alert: {found}")
    site.expect_ends({"peer-truncated": 1, "tls-version": 1})


def test_names_of_all_profiles(ctx):
    """Good certificates of every profile get in, under the entry and name they should."""
    site, _ = listener(ctx)
    site.start()
    for cert, ca, peer, owner in (
            ("b", "enterprise-ca", "pool.b.example", "hq"),
            ("b-chain", "enterprise-ca", "pool.b.example", "hq"),
            ("b-rsa", "enterprise-ca", "pool.b.example", "hq"),
            ("strict", "enterprise-ca", "gw.strict.example", "hq"),
            ("strict-uri", "enterprise-ca", "gw.strict.example", "hq"),
            ("wild", "enterprise-ca", "gw.wild.example", "hq"),
            ("partner-a", "enterprise-ca", "edge.partner-a.example", "partner-a"),
            ("partner-b", "enterprise-ca", "edge.partner-b.example", "partner-b")):
        with peers.tls_connect(ctx, site.port("trunk"), cert, ca=ca) as sock:
            echo(sock)
            session = site.relaying()[0]
            check_equal((session["peer"], session["owner"], session["authenticated"]),
                        (peer, owner, True), f"session with {cert}")
        site.relaying(0)


def test_views(ctx):
    site, backend = listener(ctx)
    site.start()
    with peers.tls_connect(ctx, site.port("trunk")) as sock:
        echo(sock)
        session = site.relaying()[0]
        check_equal(session["direction"], "in", "direction")
        check_equal(session["via"], "trunk", "via")
        check_equal(session["remote"], "%s:%d" % sock.getsockname(), "remote")
        check_equal(session["local"], site.port("trunk"), "local")
        check_equal(session["backend"], backend.address, "backend")
        ctx.wait(lambda: [site.sessions()[0][k] for k in ("bytes_in", "bytes_out")] == [4, 4],
                 "four bytes each way")
        for verb in ("summary", "sessions", "peers"):
            done = site.ctl_run(verb)
            check(done.returncode == 0 and done.stdout, f"siptlsctl {verb}: {done.stderr}")
        check("pool.b.example" in site.ctl_run("sessions").stdout, "sessions do not name the peer")
        detail = site.ctl_run("show", str(session["id"])).stdout
        for word in ("pool.b.example", "TLS 1.3", "Enterprise CA", session["remote"], ctx.mode):
            check(word.lower() in detail.lower(), f"{word} is not in: {detail}")
        behind = "%s:%d" % backend.connections[0].sock.getpeername()
        done = site.ctl_run("--json", "lookup", behind)
        check(done.returncode == 0 and "pool.b.example" in done.stdout, f"lookup: {done}")
        check(site.ctl_run("lookup", "127.0.0.1:1").returncode != 0, "look-up of nobody")
        check(site.ctl_run("show", "999999").returncode != 0, "show of nothing")
        peer = next(p for p in site.ctl("peers")["peers"] if p["name"] == "pool.b.example")
        check_equal((peer["owner"], peer["admitted"]), ("hq", 1), "peers")


def test_close(ctx):
    site, backend = listener(ctx)
    site.start()
    with peers.tls_connect(ctx, site.port("trunk")) as sock:
        with peers.tls_connect(ctx, site.port("trunk"), "partner-a") as other:
            echo(sock)
            echo(other)
            session = next(s for s in site.relaying(2) if s["peer"] == "pool.b.example")
            done = site.ctl_run("close", str(session["id"]))
            check_equal(done.returncode, 0, f"close: {done.stderr}")
            check_equal(sock.recv(100), b"", "the peer gets close_notify")
            site.relaying(1)
            site.expect_ends({"admin-closed": 1})
            done = site.ctl_run("close", str(session["id"]))
            check(done.returncode != 0, "close of a session that is closed already")
            echo(other)
    ctx.wait(lambda: backend.connections[0].eof, "the backend told")


def test_control_is_closed_to_others(ctx):
    site, _ = listener(ctx)
    site.start()
    check_equal(os.stat(site.socket).st_mode & 0o777, 0o600, "mode of the control socket")
    need_root()
    done = site.ctl_run("summary", user=65534, group=65534, extra_groups=[])
    check(done.returncode != 0 and "ermission" in done.stderr, f"as nobody: {done}")


def test_control_group_may_operate(ctx):
    need_root()
    site, _ = listener(ctx)
    site.control["group"] = "nogroup"
    os.chmod(ctx.dir, 0o755)
    site.start()
    check_equal(os.stat(site.socket).st_mode & 0o777, 0o660, "mode of the control socket")
    member = {"user": 65534, "group": 65534, "extra_groups": []}
    with peers.tls_connect(ctx, site.port("trunk")) as sock:
        echo(sock)
        session = site.relaying()[0]
        check_equal(site.ctl_run("summary", **member).returncode, 0, "summary for a member")
        done = site.ctl_run("reload", **member)
        check(done.returncode != 0, "reload for a member")
        check_equal(site.summary()["generation"], 1, "generation")
        check_equal(site.ctl_run("close", str(session["id"]), **member).returncode, 0, "close")
        check_equal(sock.recv(10), b"", "the peer")


def test_stop_ends_sessions(ctx):
    site, backend = listener(ctx)
    site.start()
    with peers.tls_connect(ctx, site.port("trunk")) as sock:
        echo(sock)
        site.leave_dirty = True
        site.stop()
        check_equal(sock.recv(100), b"", "close_notify")
    ctx.wait(lambda: backend.connections[0].eof or backend.connections[0].reset, "the backend told")
    check("reason=shutdown" in site.log(), "reason=shutdown is not in the log")
    check(not os.path.exists(site.socket), "the control socket is still there")


def test_hostile_control_clients(ctx):
    """Garbage, half requests and clients that never read do not hold up the others."""
    site, _ = listener(ctx)
    site.start()
    clients = []
    for data in (b"", b"\0", b"{", b"{}\0", b"[" * 60000, b"x" * 70000, b'{"method":1}\0',
                 b'{"method":"no.such.method"}\0' * 100, bytes(range(256))):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(5 * ctx.slow)
        client.connect(site.socket)
        try:
            client.sendall(data)
        except OSError:
            pass
        clients.append(client)
        check("sessions" in site.summary(), "summary")
    for client in clients:
        client.close()
