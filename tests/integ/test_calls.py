# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls: SIPp and Kamailio through a pair of siptlsd, and what a wire tap sees of them."""
import re
import signal
import struct

import peers
import programs
from harness import BACKEND_NONE, check, check_equal, need_root
from system import split_address


def pair(ctx, backend, reverse=BACKEND_NONE, **listen):
    """Sites a and b, each with a listener, and dial-outs both ways."""
    b = ctx.site("b", identity="b").listen("trunk", backend, **listen).start()
    a = ctx.site("a", identity="a").listen("trunk", reverse, **listen)
    a.dial("to-b", b.port("trunk")).start()
    return a, b


def call_through(ctx, port, a, b, rounds=1, **options):
    calls, rate = ctx.amount("calls"), ctx.amount("calls_rate")
    for n in range(rounds):
        programs.sipp_calls(ctx, port, calls, rate, name=f"uac{n}", **options)
    a.relaying(0)
    b.relaying(0)
    check(not set(a.ended()) - {"closed-by-peer", "closed-by-backend"}, f"ends: {a.ended()}")


def test_calls_from_a_to_b(ctx):
    a, b = pair(ctx, f"127.0.0.1:{programs.sipp_uas(ctx)}")
    call_through(ctx, a.port("to-b"), a, b)


def test_calls_from_b_to_a(ctx):
    a = ctx.site("a", identity="a")
    a.listen("trunk", f"127.0.0.1:{programs.sipp_uas(ctx)}").start()
    b = ctx.site("b", identity="b").dial("to-a", a.port("trunk"), peer="fe1.a.example").start()
    call_through(ctx, b.port("to-a"), a, b)


def test_calls_both_ways_at_once(ctx):
    uas_a, uas_b = programs.sipp_uas(ctx, "uas-a"), programs.sipp_uas(ctx, "uas-b")
    a, b = pair(ctx, f"127.0.0.1:{uas_b}", reverse=f"127.0.0.1:{uas_a}")
    b.dial("to-a", a.port("trunk"), peer="pool.a.example").write()
    check_equal(b.ctl_run("reload").returncode, 0, "reload")
    calls, rate = ctx.amount("calls") // 2, ctx.amount("calls_rate")
    back = programs.sipp_start(ctx, b.port("to-a"), calls, rate, name="uac-back")
    programs.sipp_calls(ctx, a.port("to-b"), calls, rate)
    back.succeed()


def test_connection_per_call(ctx):
    a, b = pair(ctx, f"127.0.0.1:{programs.sipp_uas(ctx)}")
    calls = ctx.amount("connections")
    programs.sipp_calls(ctx, a.port("to-b"), calls, ctx.amount("connections_rate"),
                        connection_per_call=True)
    check(b.summary()["totals"]["admitted"] >= calls, "one session for each call")


def test_calls_through_kamailio(ctx):
    """Kamailio stands behind b and hears the truth about the address by PROXY v1."""
    uas = programs.sipp_uas(ctx)
    plain, _ = programs.kamailio(ctx, forward=f"sip:127.0.0.1:{uas};transport=tcp", haproxy=True)
    a, b = pair(ctx, f"127.0.0.1:{plain}", proxy_protocol="v1")
    call_through(ctx, a.port("to-b"), a, b)


def test_kamailio_sees_source(ctx):
    plain, _ = programs.kamailio(ctx, haproxy=True)
    a, b = pair(ctx, f"127.0.0.1:{plain}", proxy_protocol="v1")
    with peers.tcp_connect(ctx, a.port("to-b")) as sock:
        for n in range(1, 4):
            sock.sendall(programs.options_request(n))
            answer = programs.response(sock)
            check(answer.startswith("SIP/2.0 200 "), answer)
            remote = b.relaying()[0]["remote"]
            check_equal(re.search(r"X-Source: (\S+)", answer).group(1), remote,
                        "what Kamailio takes for its peer")


def captured(path):
    """(source port, destination port, payload) of every IPv4 TCP packet of a pcap file."""
    with open(path, "rb") as f:
        data = f.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at, packets = 24, []
    while at < len(data):
        size = struct.unpack_from(order + "I", data, at + 8)[0]
        packet = data[at + 16 + 14:at + 16 + size]  # Ethernet header
        at += 16 + size
        if packet[:1] and packet[0] >> 4 == 4 and packet[9] == 6:
            tcp = packet[(packet[0] & 15) * 4:struct.unpack_from(">H", packet, 2)[0]]
            source, destination = struct.unpack_from(">HH", tcp)
            packets.append((source, destination, tcp[(tcp[12] >> 4) * 4:]))
    return packets


def test_wire_capture(ctx):
    """No SIP on the TLS port, all of it on the two plain ones."""
    need_root()
    uas = programs.sipp_uas(ctx)
    a, b = pair(ctx, f"127.0.0.1:{uas}")
    front, secure = (split_address(s.port(v))[1] for s, v in ((a, "to-b"), (b, "trunk")))
    tap = ctx.spawn("tcpdump", [programs.need("tcpdump"), "-i", "lo", "-s", "0", "-U", "-Z", "root",
                                "--immediate-mode", "-B", "16384", "-w", ctx.path("wire.pcap"),
                                f"tcp port {front} or tcp port {secure} or tcp port {uas}"])
    ctx.wait(lambda: "listening on" in tap.output() or tap.process.poll() is not None, "tcpdump")
    check(tap.process.poll() is None, f"tcpdump: {tap.output()}")
    calls = ctx.amount("calls") // 4
    programs.sipp_calls(ctx, a.port("to-b"), calls, ctx.amount("calls_rate") // 2)
    a.relaying(0)
    b.relaying(0)

    def text(port):
        return b"".join(p[2] for p in captured(ctx.path("wire.pcap")) if port in p[:2])

    for port in (front, uas):  # tcpdump may lag behind
        ctx.wait(lambda port=port: text(port).count(b"BYE sip:") >= calls, f"all of port {port}")
    tap.stop(signal.SIGINT)
    for port in (front, uas):
        for word, times in ((b"INVITE sip:", 1), (b"SIP/2.0 180 Ringing", 1), (b"ACK sip:", 1)):
            check(text(port).count(word) >= calls * times, f"{word} on plain port {port}")
    encrypted = text(secure)
    check(len(encrypted) > calls * 2000, f"only {len(encrypted)} bytes on the TLS port")
    for word in (b"SIP/2.0", b"sip:", b"INVITE", b"Via:", b"Call-ID", b"v=0\r\n", b"PROXY "):
        check(word not in encrypted, f"{word} in clear on the TLS port")
