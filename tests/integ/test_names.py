# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names and where they lead: what DNS says is where to connect, never whom to trust."""
import socket
import ssl
import threading
import time

import names
import peers
from federation import echo, make_ca, make_site, refused
from harness import TOPOLOGY, check, check_equal
from system import split_address

ATTACKER = "127.0.0.66"


def port_of(address):
    return split_address(address)[1]


def dialled(ctx, site, via="out"):
    """None and the peer's address if what is dialled was admitted, else the refusal."""
    ctx.wait(lambda: all(s["via"] != via for s in site.sessions()), "the last session to end")
    before = sum(site.ended().values())
    with peers.tcp_connect(ctx, site.port(via)) as sock:
        sock.sendall(b"secret")

        def state():
            return sum(site.ended().values()) > before or \
                [s for s in site.sessions() if s["via"] == via and s["state"] == "relaying"]
        found = ctx.wait(state, f"the session through {via}", 20)
        if found is not True:
            check_equal(peers.receive(sock, 6), b"secret", "echo")
            return None, found[0]["remote"]
        try:
            check_equal(sock.recv(10), b"", "what the local SIP server reads")
        except ConnectionResetError:
            pass
    refusal = site.refusals()[0]
    return refusal["reason"], refusal.get("detail", "")


def name_server(ctx, sign=False, **zones):
    """It runs; zones are lists of lines, b for b.example."""
    return names.NameServer(ctx, {f"{zone}.example": lines_of(records) for zone, records in zones.items()},
                            sign=sign).start()


def lines_of(records):
    return "".join(f"{record}\n" for record in records)


def host_site(ctx, server, far, name="a", **dns):
    """A site that dials fe1.b.example of pool.b.example, wherever that is, at far's port."""
    text = TOPOLOGY.replace('pool "pool.b.example" {',
                            f'pool "pool.b.example" {{\n\t\tport = {port_of(far.address)}')
    site = ctx.site(name, topology=text).dial("out", None, peer="fe1.b.example")
    site.dns = {"server": [server.address], **dns}
    return site


# ---- an attacker with the power over names, or over the path -------------------------------------


def test_hijack(ctx):
    """The name server gives an attacker's address; the attacker has a valid certificate of the same
    CA, for another server that is listed. Refused, and the operator reads both names."""
    far = peers.TlsServer(ctx, "b")
    attacker = peers.TlsServer(ctx, "strict", at=f"{ATTACKER}:{port_of(far.address)}")
    server = name_server(ctx, b=["fe1 1 A 127.0.0.1"])
    site = host_site(ctx, server, far).start()
    check_equal(dialled(ctx, site), (None, far.address), "before the attack")
    server.zone("b.example", f"fe1 1 A {ATTACKER}\n", sign=False)
    ctx.wait(lambda: dialled(ctx, site)[0] == "name-mismatch", "the forged answer to be used", 20)
    detail = site.refusals()[0]["detail"]
    for word in ("fe1.b.example", "gw.strict.example"):
        check(word in detail, f"{word} is not in the refusal's detail: {detail}")
    check_equal(bytes(attacker.data), b"", "what the attacker has read")
    explained = site.ctl("explain", str(site.refusals()[0]["id"]))
    check(any(r.get("reason") == "name-mismatch" and "gw.strict.example" in r.get("detail", "")
              for r in explained["rules"]), f"rules: {explained['rules']}")


class Middle:
    """Between two sites, with certificates of its own CA for both of their names: reads all it can."""

    def __init__(self, ctx, target, as_server, as_client, ca):
        self.ctx, self.target, self.seen = ctx, target, bytearray()
        self.server = peers.tls_context(ctx, as_server, server=True)
        self.server.verify_mode = ssl.CERT_REQUIRED
        self.client = peers.tls_context(ctx, as_client)
        for context in (self.server, self.client):
            context.load_verify_locations(ca)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()
        ctx.keep(self)

    def stop(self):
        self.listener.close()

    def serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            for side in (self.accept, self.connect):
                threading.Thread(target=side, args=(sock,), daemon=True).start()

    def accept(self, sock):
        """Towards the one who dials."""
        sock.settimeout(10 * self.ctx.slow)
        try:
            with self.server.wrap_socket(sock, server_side=True) as tls:
                self.seen += tls.recv(65536)
        except OSError:
            pass

    def connect(self, _):
        """Towards the one who was meant."""
        try:
            with self.client.wrap_socket(peers.tcp_connect(self.ctx, self.target)) as tls:
                tls.sendall(b"OPTIONS sip:middle SIP/2.0\r\n\r\n")
                self.seen += tls.recv(65536)
        except OSError:
            pass


def test_man_in_the_middle(ctx):
    """Refused on both sides, whoever looks first."""
    ca, path = make_ca(ctx, "middle")
    backend = peers.Backend(ctx, echo=True)
    b = ctx.site("b", identity="b").listen("trunk", backend.address).start()
    middle = Middle(ctx, b.port("trunk"), ctx.leaf(ca, "pool.b.example"),
                    ctx.leaf(ca, "pool.a.example"), f"{path}.pem")
    a = ctx.site("a").dial("out", middle.address, peer="pool.b.example").start()
    check_equal(dialled(ctx, a)[0], "unknown-ca", "the side that dials")
    b.expect_ends({"unknown-ca": 1})
    check("CA middle" in b.refusals()[0]["detail"], f"detail: {b.refusals()[0]['detail']}")
    check_equal(bytes(middle.seen), b"", "what the man in the middle has read")
    check_equal(len(backend.connections), 0, "connections at the SIP server")


# ---- where a peer is -----------------------------------------------------------------------------


def test_host(ctx):
    """A and AAAA; what was found is used while it may be, and looked up again after that."""
    far = peers.TlsServer(ctx, "b")
    second = peers.TlsServer(ctx, "b", at=f"127.0.0.2:{port_of(far.address)}")
    server = name_server(ctx, b=["fe1 1 A 127.0.0.1"])
    site = host_site(ctx, server, far).start()
    check_equal(dialled(ctx, site), (None, far.address), "first")
    server.zone("b.example", "fe1 1 A 127.0.0.2\n", sign=False)
    ctx.wait(lambda: dialled(ctx, site)[1] == second.address, "the new address", 20)


def test_next_address(ctx):
    """The first address does not answer: the next one is tried."""
    far = peers.TlsServer(ctx, "b")
    server = name_server(ctx, b=["fe1 60 A 127.0.0.77", "fe1 60 A 127.0.0.1"])
    site = host_site(ctx, server, far).start()
    for n in range(4):
        check_equal(dialled(ctx, site), (None, far.address), f"call {n}")


FAILURES = {
    "no_name": (["fe2 60 A 127.0.0.1"], "dns-failed"),
    "no_address": (["fe1 60 TXT none"], "dns-failed"),
}


def failure(zone, reason):
    def test(ctx):
        far = peers.TlsServer(ctx, "b")
        site = host_site(ctx, name_server(ctx, b=zone), far).start()
        found, detail = dialled(ctx, site)
        check_equal(found, reason, "reason")
        check("fe1.b.example" in detail, f"detail: {detail}")
    return test


for _name, _row in FAILURES.items():
    globals()[f"test_{_name}"] = failure(*_row)


def test_no_name_server(ctx):
    """The look-up ends after its time; other calls are not held up by it."""
    far = peers.TlsServer(ctx, "b")
    server = name_server(ctx, b=["fe1 60 A 127.0.0.1"])
    site = host_site(ctx, server, far, timeout="2s")
    site.dial("fixed", far.address, peer="fe1.b.example")
    site.start()
    server.stop()
    start = time.monotonic()
    with peers.tcp_connect(ctx, site.port("out")) as waiting:
        check_equal(dialled(ctx, site, "fixed"), (None, far.address), "a call with a fixed address")
        check(time.monotonic() - start < 2 * ctx.slow, "it was held up")
        check_equal(waiting.recv(10), b"", "what the local SIP server reads")
    ctx.wait(lambda: site.ended().get("dns-failed") == 1, f"the failure; counted {site.ended()}")
    check(time.monotonic() - start < 2 + 4 * ctx.slow, "the look-up took far too long")


# ---- SRV -----------------------------------------------------------------------------------------


def domain_site(ctx, records, words="", ca=None):
    """A site that dials the domain contoso.example, whose servers SRV tells."""
    _, path = ca or make_ca(ctx, "contoso")
    text = (f'partner "contoso" {{\n\tanchors = {{"{path}.pem"}}\n'
            f'\tdomain "contoso.example" {{ {words} }}\n}}\n')
    site, _ = make_site(ctx, text)
    site.dial("out", None, peer="contoso.example")
    site.dns = {"server": [name_server(ctx, contoso=records).address]}
    return site.start()


def srv(service, *targets):
    """Records of a service: (priority, weight, host, port) each."""
    return [f"{service} 2 SRV {priority} {weight} {port} {host}"
            for priority, weight, host, port in targets]


def test_domain(ctx):
    """By _sipfederationtls._tcp; the name in the certificate is the domain that is configured."""
    ca = make_ca(ctx, "contoso")
    far = peers.TlsServer(ctx, ctx.leaf(ca[0], "contoso.example"))
    site = domain_site(ctx, [*srv("_sipfederationtls._tcp",
                                 (10, 0, "edge", port_of(far.address))),
                             "edge 60 A 127.0.0.1"], ca=ca)
    check_equal(dialled(ctx, site), (None, far.address), "the domain")
    # And inbound, where no look-up is needed.
    with peers.tls_connect(ctx, site.port("trunk"), ctx.leaf(ca[0], "contoso.example")) as sock:
        echo(sock)
        check_equal(site.sessions()[-1]["peer"], "contoso.example", "peer")


def test_target_is_no_name(ctx):
    """A certificate for the SRV target alone is refused: the answer is never a name to trust."""
    ca = make_ca(ctx, "contoso")
    far = peers.TlsServer(ctx, ctx.leaf(ca[0], "edge.contoso.example"))
    site = domain_site(ctx, [*srv("_sips._tcp", (10, 0, "edge", port_of(far.address))),
                             "edge 60 A 127.0.0.1"], 'srv = "sips"', ca=ca)
    found, detail = dialled(ctx, site)
    check_equal(found, "name-mismatch", "reason")
    check("contoso.example" in detail and "edge.contoso.example" in detail, f"detail: {detail}")
    refused(ctx, site, ctx.leaf(ca[0], "edge.contoso.example"), "not-in-topology", "ACCESS_DENIED")


def test_srv_order(ctx):
    """The lowest priority number first; the next when it does not answer; the first again when it does."""
    ca = make_ca(ctx, "contoso")
    cert = ctx.leaf(ca[0], "contoso.example")
    first, second, third = (peers.TlsServer(ctx, cert) for _ in range(3))
    targets = [(30, 0, "edge", port_of(third.address)), (10, 0, "edge", port_of(first.address)),
               (20, 0, "edge", port_of(second.address))]
    site = domain_site(ctx, [*srv("_sips._tcp", *targets), "edge 60 A 127.0.0.1"],
                       'srv = "sips"', ca=ca)
    for far in (first, second, third):
        for n in range(3):
            check_equal(dialled(ctx, site), (None, far.address), f"call {n}")
        far.stop()
    found, _ = dialled(ctx, site)
    check_equal(found, "dial-connect", "when none of them answers")
    peers.TlsServer(ctx, cert, at=first.address)
    check_equal(dialled(ctx, site), (None, first.address), "the first is there again")


def test_srv_weight(ctx):
    """Among equals the weight decides, by chance: nine to one shows in a few calls."""
    ca = make_ca(ctx, "contoso")
    cert = ctx.leaf(ca[0], "contoso.example")
    heavy, light = peers.TlsServer(ctx, cert), peers.TlsServer(ctx, cert)
    targets = [(10, 90, "edge", port_of(heavy.address)), (10, 10, "edge", port_of(light.address))]
    site = domain_site(ctx, [*srv("_sips._tcp", *targets), "edge 60 A 127.0.0.1"],
                       'srv = "sips"', ca=ca)
    found = []
    for _ in range(40):
        found.append(dialled(ctx, site)[1])
    count = found.count(heavy.address)
    # Less than 21 of 40 at nine to one: about one in 10^9.
    check(count > 20, f"{count} of 40 calls went to nine tenths of the weight")


def test_srv_no_service(ctx):
    """The target "." says that there is no such service."""
    site = domain_site(ctx, ["_sips._tcp 60 SRV 0 0 0 ."], 'srv = "sips"')
    check_equal(dialled(ctx, site)[0], "dns-failed", "reason")


# ---- DNSSEC --------------------------------------------------------------------------------------


def test_signed(ctx):
    far = peers.TlsServer(ctx, "b")
    server = name_server(ctx, sign=True, b=["fe1 1 A 127.0.0.1"])
    site = host_site(ctx, server, far, dnssec="require", trust_anchor=server.anchors).start()
    check_equal(dialled(ctx, site), (None, far.address), "a signed answer that is required")


def test_insecure(ctx):
    """Not signed, and nobody said that it should be: enough for check, not for require."""
    far = peers.TlsServer(ctx, "b")
    server = name_server(ctx, b=["fe1 1 A 127.0.0.1"])
    server.key("other.example")
    site = host_site(ctx, server, far, dnssec="require", trust_anchor=server.anchors).start()
    check_equal(dialled(ctx, site)[0], "dns-insecure", "an answer without signatures, required")
    site.dns["dnssec"] = "check"
    site.reload()
    check_equal(dialled(ctx, site), (None, far.address), "an answer without signatures, checked")


# What is wrong with a zone that should be signed: arguments of NameServer.zone().
BOGUS = {
    "changed": {"broken": ("fe1", "A")},
    "stripped": {"sign": False},
    "old": {"inception": "20200101", "expiration": "20200201"},
}


def test_bogus(ctx):
    """Refused with check as with require; what the forged answer leads to is not even dialled."""
    far = peers.TlsServer(ctx, "b")
    for name, options in BOGUS.items():
        server = names.NameServer(ctx, {"b.example": "fe1 1 A 127.0.0.1\n"}, name=f"names-{name}")
        server.zone("b.example", "fe1 1 A 127.0.0.1\n", **options)
        server.start()
        for mode in ("check", "require"):
            site = host_site(ctx, server, far, name=f"{name}-{mode}", dnssec=mode,
                             trust_anchor=server.anchors).start()
            found, detail = dialled(ctx, site)
            check_equal(found, "dns-bogus", f"reason of {name} with {mode}")
            check("fe1.b.example" in detail, f"detail: {detail}")
    check_equal((bytes(far.data), far.errors), (b"", []), "what the server has seen")
