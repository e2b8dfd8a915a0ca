# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other implementations of TLS as the far peer: OpenSSL, GnuTLS, Kamailio."""
import os

import peers
import programs
from harness import check, check_equal
from system import free_port

SUITES = {"TLS_AES_128_GCM_SHA256": "AES-128-GCM", "TLS_AES_256_GCM_SHA384": "AES-256-GCM",
          "TLS_CHACHA20_POLY1305_SHA256": "CHACHA20-POLY1305"}


def can_rekey(ctx):
    """GnuTLS can follow a KeyUpdate; a kernel can since Linux 6.14."""
    release = tuple(int(n) for n in os.uname().release.split("-")[0].split(".")[:2])
    return ctx.mode == "user" or release >= (6, 14)


def listener(ctx):
    backend = peers.Backend(ctx)
    return ctx.site("a").listen("trunk", backend.address).start(), backend


def s_client(ctx, site, *more, cert="b"):
    return programs.openssl(ctx, "s_client", "s_client", "-connect", site.port("trunk"), "-cert",
                            ctx.cert(cert), "-cert_chain", ctx.cert(cert), "-key", ctx.key(cert),
                            "-CAfile", ctx.cert("enterprise-ca"), "-verify_return_error",
                            "-verify_hostname", "pool.a.example", *more)


def say(process, text):
    process.process.stdin.write(text.encode())
    process.process.stdin.flush()


def talk(ctx, process, conn, so_far, text):
    """A line each way; gives what the backend has got by then."""
    say(process, text + "\n")
    so_far += text.encode() + b"\n"
    ctx.wait(lambda: len(conn.data) >= len(so_far) or conn.closed, f"{text!r} at the backend")
    check_equal(bytes(conn.data), so_far, "backend")
    conn.send(f"answer to {text}\n".encode())
    ctx.wait(lambda: f"answer to {text}\n" in process.output(), f"the answer to {text!r}")
    return so_far


def with_openssl(*more, cipher=None, cert="b"):
    def test(ctx):
        site, backend = listener(ctx)
        client = s_client(ctx, site, *more, cert=cert)
        talk(ctx, client, backend.connection(), b"", "hello")
        session = site.relaying()[0]
        check_equal(session["version"], "TLS 1.3", "version")
        check_equal(session["peer"], "pool.b.example", "peer")
        if cipher:
            check_equal(session["cipher"], cipher, "cipher")
        client.process.stdin.close()
        client.process.stdin = None
        client.wait()
        site.expect_ends({"closed-by-peer": 1})
    return test


test_openssl = with_openssl()
test_openssl_rsa = with_openssl(cert="b-rsa")
test_openssl_intermediate = with_openssl(cert="b-chain")
test_openssl_p256 = with_openssl("-groups", "P-256")
test_openssl_hello_retry = with_openssl("-groups", "X448:P-384:P-256")
for _suite, _cipher in SUITES.items():
    globals()[f"test_openssl_{_cipher.lower().replace('-', '_')}"] = with_openssl(
        "-ciphersuites", _suite, cipher=_cipher)


def key_update(command):
    def test(ctx):
        site, backend = listener(ctx)
        client = s_client(ctx, site)
        conn = backend.connection()
        so_far = talk(ctx, client, conn, b"", "before")
        site.relaying()
        for n in range(3):
            say(client, f"{command}\n")
            ctx.wait(lambda n=n: client.output().count("KEYUPDATE") > n, "s_client to send it")
            if not can_rekey(ctx):
                site.expect_ends({"key-update-unsupported": 1})
                return
            so_far = talk(ctx, client, conn, so_far, f"after {n}")
        site.relaying()
    return test


test_key_update = key_update("k")
test_key_update_with_request = key_update("K")


def test_gnutls_cli(ctx):
    site, backend = listener(ctx)
    host, port = site.port("trunk").split(":")
    client = ctx.spawn("gnutls-cli", [
        programs.need("gnutls-cli"), "--port", port, "--x509certfile", ctx.cert("b"),
        "--x509keyfile", ctx.key("b"), "--x509cafile", ctx.cert("enterprise-ca"),
        "--verify-hostname", "pool.a.example", host], stdin=programs.PIPE)
    talk(ctx, client, backend.connection(), b"", "hello")
    check_equal(site.relaying()[0]["name"], "pool.b.example", "name")
    client.process.stdin.close()
    client.process.stdin = None
    client.wait()
    site.expect_ends({"closed-by-peer": 1})


def test_tickets_are_swallowed(ctx):
    """openssl s_server sends tickets after the handshake: not a byte of them may get through."""
    port = free_port()
    server = programs.openssl(
        ctx, "s_server", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", ctx.cert("b"), "-key",
        ctx.key("b"), "-CAfile", ctx.cert("enterprise-ca"), "-Verify", "2",
        "-verify_return_error", "-num_tickets", "5", "-quiet").listening(port)
    site = ctx.site("a").dial("out", f"127.0.0.1:{port}").start()
    with peers.tcp_connect(ctx, site.port("out")) as sock:
        sock.sendall(b"hello server\n")
        ctx.wait(lambda: "hello server\n" in server.output(), "data at s_server")
        say(server, "hello client\n")
        check_equal(peers.receive(sock, 13), b"hello client\n", "what comes back")
        session = site.relaying()[0]
        check_equal((session["direction"], session["peer"]), ("out", "pool.b.example"), "session")
        if ctx.mode == "kernel":
            check_equal(session["tickets"], 5, "tickets")
    site.relaying(0)


def test_kamailio_dials(ctx):
    """SIPp > Kamailio = TLS => siptlsd > SIPp."""
    uas = programs.sipp_uas(ctx)
    site = ctx.site("a").listen("trunk", f"127.0.0.1:{uas}").start()
    plain, _ = programs.kamailio(ctx, forward=f"sip:{site.port('trunk')};transport=tls", tls="b")
    programs.sipp_calls(ctx, f"127.0.0.1:{plain}", ctx.amount("calls") // 4,
                        ctx.amount("calls_rate") // 2)
    check_equal(site.relaying()[0]["peer"], "pool.b.example", "peer")


def test_dial_kamailio(ctx):
    """SIPp > siptlsd = TLS => Kamailio > SIPp; Kamailio sends tickets and no close_notify."""
    uas = programs.sipp_uas(ctx)
    _, secure = programs.kamailio(ctx, forward=f"sip:127.0.0.1:{uas};transport=tcp", tls="b")
    site = ctx.site("a").dial("out", f"127.0.0.1:{secure}").start()
    programs.sipp_calls(ctx, site.port("out"), ctx.amount("calls") // 4,
                        ctx.amount("calls_rate") // 2)
    site.relaying(0)
    check_equal(site.summary()["totals"]["admitted"], 1, "admitted")


def test_kamailio_refused(ctx):
    """Kamailio with a certificate that the topology does not list: it would itself not mind."""
    backend = peers.Backend(ctx)
    site = ctx.site("a").listen("trunk", backend.address).start()
    plain, _ = programs.kamailio(ctx, forward=f"sip:{site.port('trunk')};transport=tls", tls="b",
                                 client="unlisted", answer=False)
    with peers.tcp_connect(ctx, f"127.0.0.1:{plain}") as sock:
        sock.sendall(programs.options_request())
        ctx.wait(lambda: site.ended().get("not-in-topology", 0) >= 1, "the refusal")
    check_equal(len(backend.connections), 0, "connections at the SIP server")
    check(site.sessions() == [], "sessions")
