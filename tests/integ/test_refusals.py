# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who must not get in does not: each with its own reason, and without a byte for the SIP server."""
import socket
import ssl

import peers
from harness import check, check_equal

V11, V12, V13 = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
CBC = {"ciphers": "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384", "high": V12}

# They dial: certificate shown, reason, how OpenSSL calls the alert they get, how they connect.
INBOUND = {
    "no_certificate": (None, "no-certificate", "CERTIFICATE_REQUIRED", {}),
    "expired": ("expired", "expired", "CERTIFICATE_EXPIRED", {}),
    "not_yet_valid": ("not-yet-valid", "not-yet-valid", "BAD_CERTIFICATE", {}),
    "unknown_ca": ("unknown-ca", "unknown-ca", "UNKNOWN_CA", {}),
    "not_in_topology": ("unlisted", "not-in-topology", "ACCESS_DENIED", {}),
    "partner_ca_own_name": ("partner-a-internal", "foreign-ca-internal-name", "UNKNOWN_CA", {}),
    "partner_ca_other_partner": ("partner-a-as-b", "foreign-ca-partner-name", "UNKNOWN_CA", {}),
    "wildcard_rfc5922": ("strict-wildcard", "name-wildcard", "BAD_CERTIFICATE", {}),
    "cn_only_rfc9525": ("cn-only", "name-cn", "BAD_CERTIFICATE", {}),
    "ca_as_leaf": ("ca-leaf", "ca-as-leaf", "BAD_CERTIFICATE", {}),
    "sha1": ("sha1", "weak-signature", "BAD_CERTIFICATE", {}),
    "rsa1024": ("rsa1024", "weak-key", "BAD_CERTIFICATE", {}),
    "no_client_auth": ("server-only", "key-usage", "BAD_CERTIFICATE", {}),
    "version1": ("version1", "certificate-version", "UNSUPPORTED_CERTIFICATE", {}),
    "bad_signature": ("bad-signature", "chain-signature", "BAD_CERTIFICATE", {}),
    "outbound_only": ("out", "direction", "ACCESS_DENIED", {}),
    "tls11": ("old", "tls-version", "PROTOCOL_VERSION", {"low": V11, "high": V11}),
    "tls12_not_allowed": ("b", "tls-version-peer", "PROTOCOL_VERSION", {"high": V12}),
    "cbc_only": ("old", "tls-cipher", "HANDSHAKE_FAILURE", CBC),
}

# We dial: whom, the certificate found there, reason.
OUTBOUND = {
    "wrong_name": ("pool.b.example", "unlisted", "name-mismatch"),
    "other_entry": ("pool.b.example", "a", "name-mismatch"),
    "expired": ("pool.b.example", "expired", "expired"),
    "unknown_ca": ("pool.b.example", "unknown-ca", "unknown-ca"),
    "partner_ca": ("pool.b.example", "partner-a-internal", "foreign-ca-internal-name"),
    "no_server_auth": ("pool.b.example", "client-only", "key-usage"),
    "wildcard": ("gw.strict.example", "strict-wildcard", "name-wildcard"),
    "cn_only": ("gw.dns.example", "cn-only", "name-cn"),
}


def listener(ctx, **limits):
    backend = peers.Backend(ctx)
    site = ctx.site("a").listen("trunk", backend.address, proxy_protocol="v1")
    site.limits.update(limits)
    return site.start(), backend


def nothing_came(site, backend, ends):
    site.expect_ends(ends)
    check_equal(len(backend.connections), 0, "connections at the SIP server")


def inbound(cert, reason, alert, options):
    def test(ctx):
        site, backend = listener(ctx)
        found = peers.refused(ctx, site.port("trunk"), cert, **options)
        check(found.endswith(f"_ALERT_{alert}"), f"expected the alert {alert}, found {found!r}")
        nothing_came(site, backend, {reason: 1})
    return test


def outbound(peer, cert, reason):
    def test(ctx):
        server = peers.TlsServer(ctx, cert)
        site = ctx.site("a").dial("out", server.address, peer=peer).start()
        with peers.tcp_connect(ctx, site.port("out")) as sock:
            try:
                sock.sendall(b"OPTIONS sip:secret SIP/2.0\r\n\r\n")
                check_equal(sock.recv(100), b"", "what the local SIP server reads")
            except ConnectionResetError:
                pass
        site.expect_ends({reason: 1})
        check_equal(bytes(server.data), b"", "what the wrong peer has received")
    return test


for _name, _row in INBOUND.items():
    globals()[f"test_in_{_name}"] = inbound(*_row)
for _name, _row in OUTBOUND.items():
    globals()[f"test_out_{_name}"] = outbound(*_row)


def test_out_tls12_only(ctx):
    server = peers.TlsServer(ctx, "b", high=V12)
    site = ctx.site("a").dial("out", server.address).start()
    with peers.tcp_connect(ctx, site.port("out")) as sock:
        check_equal(sock.recv(100), b"", "what the local SIP server reads")
    site.expect_ends({"peer-alert": 1})


def test_peer_refuses_us(ctx):
    site, backend = listener(ctx)
    try:
        peers.tls_connect(ctx, site.port("trunk"), "b", ca="other-ca").close()
        check(False, "the peer accepted us")
    except ssl.SSLCertVerificationError:
        pass
    nothing_came(site, backend, {"peer-alert": 1})
    check("unknown_ca" in site.log(), "the alert's name is not in the log")


def first_bytes(data, reason):
    def test(ctx):
        site, backend = listener(ctx)
        with peers.tcp_connect(ctx, site.port("trunk")) as sock:
            sock.sendall(data)
            try:
                peers.receive(sock, 1000)  # perhaps an alert, then the end
            except ConnectionResetError:
                pass
        nothing_came(site, backend, {reason: 1})
    return test


SIP = (b"OPTIONS sip:pool.a.example SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK1\r\n"
       b"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
test_plain_sip = first_bytes(SIP, "plain-sip")
test_plain_sip_response = first_bytes(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", "plain-sip")
test_http = first_bytes(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "not-tls")
test_zeros = first_bytes(bytes(200), "not-tls")
test_noise = first_bytes(bytes((i * 151 + 77) & 255 for i in range(2000)), "not-tls")
test_broken_hello = first_bytes(b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03" + b"\xee" * 58,
                                "tls-protocol")


def test_endless_message(ctx):
    """A message that claims 16 MB is not collected; the connection ends soon, and so does its memory."""
    site, backend = listener(ctx)
    before = site.pss()
    record = b"\x16\x03\x03\x40\x00"
    for _ in range(5):
        with peers.tcp_connect(ctx, site.port("trunk")) as sock:
            try:
                sock.sendall(record + b"\x01\xff\xff\xff" + bytes(16380))
                for _ in range(64):
                    sock.sendall(record + bytes(16384))
            except OSError:
                pass  # it has had enough
    nothing_came(site, backend, {"tls-protocol": 5})
    ctx.check_memory(site.pss() - before, 4 << 20, "for five endless messages")


def test_out_not_mutual(ctx):
    """A server that does not ask for our certificate would take anybody's."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(ctx.cert("b"), ctx.key("b"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        site = ctx.site("a").dial("out", f"127.0.0.1:{port}").start()
        with peers.tcp_connect(ctx, site.port("out")) as local:
            local.sendall(b"secret")
            sock, _ = listening.accept()
            sock.settimeout(10 * ctx.slow)
            try:
                with server.wrap_socket(sock, server_side=True) as tls:
                    check_equal(tls.recv(100), b"", "what the server reads")
            except OSError:
                pass  # the alert
            site.expect_ends({"not-mutual": 1})


def test_silence(ctx):
    site, backend = listener(ctx, handshake_timeout="500ms")
    with peers.tcp_connect(ctx, site.port("trunk")) as sock:
        check_equal(sock.recv(100), b"", "what the peer reads")
    nothing_came(site, backend, {"handshake-timeout": 1})


def test_close_before_hello(ctx):
    site, backend = listener(ctx)
    peers.tcp_connect(ctx, site.port("trunk")).close()
    nothing_came(site, backend, {"peer-closed": 1})


def test_stall_at_every_byte(ctx):
    """Peers that stop after some byte of the handshake hold up nobody, and time out one and all."""
    site, backend = listener(ctx, handshake_timeout=f"{int(4 * ctx.slow)}s", unauthenticated=5000,
                             unauthenticated_per_source=5000)
    address, step, open_ones = site.port("trunk"), ctx.amount("stall_step"), []
    size = len(peers.Handmade(ctx).hello())
    for k in range(0, size, step):
        sock = peers.tcp_connect(ctx, address)
        sock.sendall(peers.Handmade(ctx).hello()[:k])
        open_ones.append(sock)
    k, size = 0, step
    while k < size:
        client, sock = peers.Handmade(ctx), peers.tcp_connect(ctx, address)
        sock.sendall(client.hello())
        flight = client.answer(sock)
        size = len(flight) - 2  # lengths vary with the signature
        sock.sendall(flight[:k])
        open_ones.append(sock)
        k += step
    site.expect_ends({"handshake-timeout": len(open_ones)}, 20)
    check_equal(len(backend.connections), 0, "connections at the SIP server")
    for sock in open_ones:
        sock.close()
    with peers.tls_connect(ctx, address) as good:
        good.sendall(b"still there")
        check(backend.connection().data is not None, "no backend connection")
        site.relaying()


def test_tries_between_stalls(ctx):
    """A good peer is served while others stall."""
    site, backend = listener(ctx, handshake_timeout=f"{int(10 * ctx.slow)}s")
    stalled = []
    for n in range(40):
        sock = peers.tcp_connect(ctx, site.port("trunk"))
        sock.sendall(peers.Handmade(ctx).hello()[:5 * n + 1])
        stalled.append(sock)
    with peers.tls_connect(ctx, site.port("trunk")) as good:
        good.sendall(b"x")
        ctx.wait(lambda: b"x" in backend.connection().data, "the good one", 5)
    for sock in stalled:
        peers.reset(sock)


def test_refusal_tells_operator(ctx):
    """The log has what was expected, what was found and from where."""
    site, _ = listener(ctx)
    peers.refused(ctx, site.port("trunk"), "unlisted")
    site.expect_ends({"not-in-topology": 1})
    for word in ("pool.c.example", "Enterprise CA", "127.0.0.1:"):
        check(word in site.log(), f"{word!r} is not in the log")
