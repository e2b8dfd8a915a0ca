# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes in comes out: every byte, in order, once, in both directions."""
import glob
import os
import re
import socket
import struct
import threading

import peers
from harness import Failed, check, check_equal, limits
from system import split_address

MESSAGES = sorted(glob.glob(os.path.join(os.path.dirname(__file__), "rfc4475/*.dat")))
PIECE = bytes((i * 7 + (i >> 8) * 13 + (i >> 16)) & 255 for i in range((1 << 20) - 3))


def pattern(size):
    """Bytes of which no shifted or lost part looks like another."""
    return (PIECE * (size // len(PIECE) + 1))[:size]


def listener(ctx, proxy="none", **options):
    backend = peers.Backend(ctx, **options)
    return ctx.site("b", identity="b").listen("trunk", backend.address,
                                              proxy_protocol=proxy).start(), backend


class Pair:
    """A plain client, a, b, a backend: the whole way of the bytes."""

    def __init__(self, ctx, **options):
        self.b, self.backend = listener(ctx, **options)
        self.a = ctx.site("a").dial("to-b", self.b.port("trunk")).start()
        self.client = peers.tcp_connect(ctx, self.a.port("to-b"))
        self.far = self.backend.connection()
        self.a.relaying()
        self.b.relaying()

    def back(self, data):
        self.far.send(data)
        found = peers.receive(self.client, len(data))
        check(found == data, f"client received {found[:300]!r}, expected {data[:300]!r}")


def test_rfc4475_messages(ctx):
    check_equal(len(MESSAGES), 49, "messages in rfc4475/")
    pair, expected = Pair(ctx), b""
    for path in MESSAGES:
        with open(path, "rb") as f:
            message = f.read()
        expected += message
        pair.client.sendall(message)
        pair.backend.received(expected)
        pair.back(message)
    pair.client.close()


def test_message_64k(ctx):
    pair, message = Pair(ctx), pattern(64 << 10)
    pair.client.sendall(message)
    pair.backend.received(message)
    pair.back(message)
    pair.client.close()


def test_message_bytewise(ctx):
    pair, message = Pair(ctx), pattern(ctx.amount("message_bytewise"))
    for i in range(len(message)):
        pair.client.send(message[i:i + 1])
    pair.backend.received(message, seconds=20)

    def drip():
        pair.far.sock.setblocking(True)
        pair.far.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(message)):
            pair.far.sock.send(message[i:i + 1])
        pair.far.sock.setblocking(False)

    thread = threading.Thread(target=drip)
    thread.start()
    found = peers.receive(pair.client, len(message))
    thread.join()
    check(found == message, "what came back byte by byte differs")
    pair.client.close()


def test_keepalives_pass(ctx):
    pair = Pair(ctx)
    pair.client.sendall(b"\r\n\r\n")
    pair.backend.received(b"\r\n\r\n")
    pair.back(b"\r\n")
    pair.client.close()


def test_data_with_finished(ctx):
    """Data in the segment of the client's Finished: the library may have decrypted it already."""
    site, backend = listener(ctx)
    sizes = (1, 300, 16384, 50000)
    for n, size in enumerate(sizes):
        client, data = peers.Handmade(ctx, "b"), pattern(size)
        with peers.tcp_connect(ctx, site.port("trunk")) as sock:
            sock.sendall(client.hello())
            flight = client.answer(sock)
            for at in range(0, size, 16384):
                client.tls.write(data[at:at + 16384])
            sock.sendall(flight + client.flight())
            conn = backend.received(data, n)
            client.tls.write(b"and more")
            sock.sendall(client.flight())
            backend.received(data + b"and more", n)
            conn.send(b"answer")
            check_equal(client.read(sock), b"answer", "what the client reads")
    site.relaying(0)


def test_data_with_finished_bytewise(ctx):
    """The same bytes, one per segment: a record may be in parts when the keys are taken over."""
    site, backend = listener(ctx)
    client = peers.Handmade(ctx, "b")
    with peers.tcp_connect(ctx, site.port("trunk")) as sock:
        sock.sendall(client.hello())
        flight = client.answer(sock)
        client.tls.write(b"first")
        for byte in flight + client.flight():
            sock.send(bytes([byte]))
        backend.received(b"first")


def test_half_close_by_client(ctx):
    pair = Pair(ctx, lingers=True)
    pair.client.sendall(b"request")
    pair.client.shutdown(socket.SHUT_WR)
    ctx.wait(lambda: pair.far.eof, "the end of the client's stream")
    check_equal(bytes(pair.far.data), b"request", "what the backend got")
    pair.far.send(pattern(100000))
    pair.far.shutdown()
    check(peers.receive(pair.client, 1 << 20) == pattern(100000), "the rest of the answer")
    pair.client.close()
    pair.a.relaying(0)
    pair.b.relaying(0)


def test_half_close_by_backend(ctx):
    pair = Pair(ctx)
    pair.far.send(b"bye")
    pair.far.shutdown()
    check_equal(peers.receive(pair.client, 100), b"bye", "what the client got until the end")
    pair.client.sendall(pattern(100000))
    pair.client.close()
    ctx.wait(lambda: pair.far.eof, "the end of the client's stream")
    check(pair.far.data == pattern(100000), "what came after the half-close")
    pair.a.relaying(0)
    pair.b.relaying(0)


def test_half_close_timeout(ctx):
    backend = peers.Backend(ctx, lingers=True)
    site = ctx.site("b", identity="b").listen("trunk", backend.address)
    site.limits["half_close_timeout"] = "300ms"
    site.start()
    client = peers.Handmade(ctx, "b")
    with peers.tcp_connect(ctx, site.port("trunk")) as sock:
        sock.sendall(client.hello())
        sock.sendall(client.answer(sock))
        site.relaying()
        try:
            client.tls.unwrap()
        except OSError:
            pass  # it wants to read the answer
        sock.sendall(client.flight())
        ctx.wait(lambda: backend.connection().eof, "the end of the stream at the backend")
        site.expect_ends({"half-close-timeout": 1})


def push(ctx, pair, write, released, everything, arrived):
    """Push until nothing moves, look at the memory, then let it flow."""
    sent, failure = [0], []

    def run():
        try:
            while sent[0] < len(everything):
                sent[0] += write(everything[sent[0]:sent[0] + (1 << 16)])
        except OSError as error:
            failure.append(error)

    before = pair.a.pss() + pair.b.pss()
    thread = threading.Thread(target=run)
    thread.start()
    last = [-1, 0]

    def stuck():
        last[:] = [sent[0], last[1] + 1 if last[0] == sent[0] else 0]
        return last[1] >= 8 or sent[0] == len(everything)
    ctx.wait(stuck, "the writer to be stopped", 30)
    grown = pair.a.pss() + pair.b.pss() - before
    check(sent[0] < len(everything), "the writer was never stopped")
    ctx.check_memory(grown, 12 << 20, "under back-pressure")
    released()
    ctx.wait(lambda: failure or arrived(), "everything", 60)
    thread.join()
    check(not failure, f"the writer failed: {failure}")


@limits(seconds=120)
def test_back_pressure_by_backend(ctx):
    pair, data = Pair(ctx, stalled=True), pattern(ctx.amount("push_bytes"))
    push(ctx, pair, pair.client.send, pair.far.resume, data,
         lambda: len(pair.far.data) >= len(data))
    check(pair.far.data == data, "what arrived differs")
    check(pair.b.sessions()[0]["bytes_in"] == len(data), "bytes_in")
    pair.client.close()


@limits(seconds=120)
def test_back_pressure_by_client(ctx):
    pair, data = Pair(ctx), pattern(ctx.amount("push_bytes"))
    found = []
    reader = threading.Thread(target=lambda: found.append(peers.receive(pair.client, len(data))))
    pair.far.sock.setblocking(True)
    push(ctx, pair, pair.far.sock.send, reader.start, data, lambda: found)
    pair.far.sock.setblocking(False)
    reader.join()
    check(found[0] == data, "what arrived differs")
    check(pair.b.sessions()[0]["bytes_out"] == len(data), "bytes_out")
    pair.client.close()


def proxy_header(version, source, destination):
    (source, sport), (destination, dport) = split_address(source), split_address(destination)
    six = ":" in source
    if version == "v1":
        return f"PROXY TCP{6 if six else 4} {source} {destination} {sport} {dport}\r\n".encode()
    family = socket.AF_INET6 if six else socket.AF_INET
    body = (socket.inet_pton(family, source) + socket.inet_pton(family, destination) +
            struct.pack(">HH", sport, dport))
    start = struct.pack(">BBH", 0x21, 0x21 if six else 0x11, len(body))
    return b"\r\n\r\n\0\r\nQUIT\n" + start + body


def proxy(version, host):
    def test(ctx):
        backend = peers.Backend(ctx)
        site = ctx.site("b", identity="b")
        site.listen("trunk", backend.address, proxy_protocol=version, address=[f"{host}:0"]).start()
        for n in range(2):
            with peers.tls_connect(ctx, site.port("trunk")) as sock:
                header = b""
                if version != "none":
                    header = proxy_header(version, "%s:%d" % sock.getsockname()[:2],
                                          site.port("trunk"))
                conn = backend.received(header, n)  # before the peer has said anything
                sock.sendall(b"hello")
                backend.received(header + b"hello", n)
                conn.send(b"answer")
                check_equal(sock.recv(100), b"answer", "what the peer reads")
    return test


test_proxy_v1 = proxy("v1", "127.0.0.1")
test_proxy_v2 = proxy("v2", "127.0.0.1")
test_proxy_none = proxy("none", "127.0.0.1")
test_proxy_v1_ipv6 = proxy("v1", "[::1]")
test_proxy_v2_ipv6 = proxy("v2", "[::1]")


def test_truncation_is_told(ctx):
    """A FIN without close_notify: what came before is delivered, the end is not taken for clean."""
    site, backend = listener(ctx)
    client = peers.Handmade(ctx, "b")
    with peers.tcp_connect(ctx, site.port("trunk")) as sock:
        sock.sendall(client.hello())
        flight = client.answer(sock)
        client.tls.write(b"last words")
        sock.sendall(flight + client.flight())
    backend.received(b"last words")
    site.expect_ends({"peer-truncated": 1})


def test_corrupt_record(ctx):
    site, backend = listener(ctx)
    client = peers.Handmade(ctx, "b")
    with peers.tcp_connect(ctx, site.port("trunk")) as sock:
        sock.sendall(client.hello())
        sock.sendall(client.answer(sock))
        client.tls.write(b"good")
        sock.sendall(client.flight())
        backend.received(b"good")
        client.tls.write(b"evil")
        record = bytearray(client.flight())
        record[-1] ^= 1
        sock.sendall(record)
        try:
            client.read(sock)
            raise Failed("the peer was not told")
        except OSError as error:
            # The kernel closes with the bad record unread, and the reset overtakes the alert.
            expected = "BAD_RECORD_MAC" if ctx.mode == "user" else "BAD_RECORD_MAC|reset by peer"
            check(re.search(expected, str(error)), f"alert: {error}")
    site.expect_ends({"record-corrupt": 1})
    check_equal(bytes(backend.connections[0].data), b"good", "what the backend got")
