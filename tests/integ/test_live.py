# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trust that lasts: when it ends, exactly the sessions that rested on it end, soon, and no others."""
import os
import time

import issue
import peers
from crowd import Crowd
from federation import make_ca, make_site, partner
from harness import check, check_equal, limits

DAY = 86400


def within_a_second(ctx, crowd, names, since, what):
    """They all end, the last of them within one second of the change."""
    last = crowd.ended(names, 10 * ctx.slow) - since
    print(f"ended: {what} sessions={len(names)} last_after={last:.3f}")
    check(last <= 1.0 * ctx.slow, f"the last of {len(names)} sessions ended {last:.2f} s after {what}")


def ids(found):
    return sorted(session["id"] for session in found)


def by_remote(site, crowd, names):
    """The ids of these members of the crowd."""
    wanted = {"%s:%d" % crowd.socks[name].getsockname() for name in names}
    return ids(s for s in site.sessions() if s["remote"] in wanted)


@limits(seconds=300, heavy=True)
def test_anchor_removed(ctx):
    """Two anchors of one partner; one of them goes, with half of the sessions."""
    number = ctx.amount("resting")
    (one, path_one), (two, path_two) = make_ca(ctx, "one"), make_ca(ctx, "two")
    site, _ = make_site(ctx, partner("p", [path_one, path_two]))
    site.start()
    certs = [ctx.leaf(ca, "edge.p.example") for ca in (one, two)]
    contexts = [peers.tls_context(ctx, cert) for cert in certs]
    crowd = Crowd(ctx, site.port("trunk"))
    for n in range(2 * number):  # one after the other, so that no order helps
        crowd.join(n, certs[n % 2], contexts[n % 2])
    going, staying = range(0, 2 * number, 2), range(1, 2 * number, 2)
    doomed = by_remote(site, crowd, going)
    check_equal(len(doomed), number, "sessions on the first anchor")
    site.topology = site.topology.replace(f'"{path_one}.pem", ', "")
    site.write()
    preview = site.ctl("reload", "--dry-run")
    check_equal(ids(preview["sessions"]), doomed, "sessions that the dry run says will end")
    check_equal({s["reason"] for s in preview["sessions"]}, {"anchor-removed"}, "and why")
    crowd.alive(going)
    with crowd.talking(staying):
        done = site.ctl_run("reload")
        since = time.monotonic()
        check_equal(done.returncode, 0, f"reload: {done.stderr}")
        within_a_second(ctx, crowd, going, since, "reload")
    crowd.alive(staying)
    site.expect_ends({"anchor-removed": number})
    check_equal(len(site.relaying(number, 30)), number, "sessions left")
    found = peers.refused(ctx, site.port("trunk"), certs[0])
    check(found.endswith("UNKNOWN_CA"), f"a newcomer on the old anchor: {found!r}")
    crowd.leave()


@limits(seconds=300, heavy=True)
def test_one_of_many_revoked(ctx):
    """A new list names one certificate: its session ends, and it alone."""
    number = ctx.amount("peers")
    ca, path = make_ca(ctx, "p")
    folder = ctx.path("crl")
    os.mkdir(folder)
    issue.write(f"{folder}/ca.crl", ca.crl(number=1))
    site, _ = make_site(ctx, partner("p", [path], f'crl = {{"{folder}"}}', 'revocation = "require"'))
    site.start()
    ctx.wait(lambda: site.summary()["crls"] == 1, "the first list")
    key, crowd, leaves = issue.Key(), Crowd(ctx, site.port("trunk")), []
    for n in range(number):
        leaf = ca.issue("edge.p.example", key=key)
        leaves.append(leaf)
        crowd.join(n, leaf.save(ctx.path("leaf")))  # read by the TLS library at once
    victim = number // 3
    doomed = by_remote(site, crowd, [victim])
    # Many more entries than sessions, as public CAs publish them.
    crl = ca.crl([*range(1000, 3000), leaves[victim]], number=2, valid=(-30, DAY))
    issue.write(ctx.path("next.crl"), crl)
    preview = site.ctl("preview", "--crl", ctx.path("next.crl"))
    check_equal(ids(preview["sessions"]), doomed, "the session that the preview names")
    check_equal(preview["sessions"][0]["reason"], "revoked", "and why")
    crowd.alive(range(number))
    with crowd.talking(n for n in range(number) if n != victim):
        since = time.monotonic()
        issue.write(f"{folder}/ca.crl", crl)
        within_a_second(ctx, crowd, [victim], since, "new list")
    site.expect_ends({"revoked": 1})
    crowd.alive(n for n in range(number) if n != victim)
    check_equal(len(site.relaying(number - 1, 30)), number - 1, "sessions left")
    crowd.leave()


def test_cross_signed(ctx):
    """One issuing CA under two roots: its sessions live as long as one of the roots is an anchor."""
    (one, path_one), (two, path_two) = make_ca(ctx, "one"), make_ca(ctx, "two")
    sub = issue.Authority("/O=p/CN=Issuing", one)
    other = two.cross(sub)
    both = ctx.leaf(sub, "edge.p.example", chain=[sub, other])
    single = ctx.leaf(sub, "edge.p.example", chain=[sub])
    site, _ = make_site(ctx, partner("p", [path_one, path_two]))
    site.start()
    crowd = Crowd(ctx, site.port("trunk"))
    crowd.join("both", both)
    crowd.join("single", single)
    site.topology = partner_only(site.topology, path_one)
    site.reload()
    crowd.ended(["single"], 5 * ctx.slow)
    crowd.echo("both", b"still here")
    site.expect_ends({"anchor-removed": 1})
    site.topology = site.topology.replace(path_two, path_one)
    site.reload()
    crowd.echo("both", b"still here, by the other root")
    site.topology = site.topology.replace(path_one, make_ca(ctx, "three")[1])
    site.reload()
    crowd.ended(["both"], 5 * ctx.slow)
    site.expect_ends({"anchor-removed": 2})


def partner_only(text, path):
    """Without this anchor."""
    return text.replace(f'"{path}.pem", ', "").replace(f', "{path}.pem"', "")


def test_anchor_replaced_by_same(ctx):
    """The same CA from another file, or under another partner's title, is the same anchor."""
    ca, path = make_ca(ctx, "p")
    site, _ = make_site(ctx, partner("p", [path]))
    site.start()
    crowd = Crowd(ctx, site.port("trunk"))
    crowd.join("one", ctx.leaf(ca, "edge.p.example"))
    ca.save(ctx.path("copy"))
    site.topology = site.topology.replace(path, ctx.path("copy"))
    site.reload()
    site.topology = "serial = 1\n" + partner("other", [make_ca(ctx, "x")[1]]) + \
        partner("renamed", [ctx.path("copy")], host="edge.p.example")
    site.reload()
    crowd.echo("one", b"still here")
    check_equal(site.relaying()[0]["owner"], "renamed", "owner after the change of title")


CHANGES = {
    # what changes in the topology, and the reason with which the session of edge.p.example ends
    "removed": ('server "edge.p.example" { }', 'server "edge.q.example" { }', "not-in-topology"),
    "direction": ('server "edge.p.example" { }',
                  'server "edge.p.example" { direction = "outbound" }', "direction"),
    "blocked": ("serial = 1", 'serial = 2 block = {"edge.p.example"}', "blocked"),
    "blocked_domain": ("serial = 1", 'serial = 2 block = {".p.example"}', "blocked"),
    "profile": ('server "edge.p.example" { }',
                'server "edge.p.example" { key_usage = "sip" }', "key-usage"),
}


def change(old, new, reason):
    def test(ctx):
        (ca, path), (cb, path_b) = make_ca(ctx, "p"), make_ca(ctx, "bystander")
        site, _ = make_site(ctx, partner("p", [path]) + partner("bystander", [path_b]))
        site.start()
        crowd = Crowd(ctx, site.port("trunk"))
        crowd.join("p", ctx.leaf(ca, "edge.p.example"))
        crowd.join("bystander", ctx.leaf(cb, "edge.bystander.example"))
        doomed = by_remote(site, crowd, ["p"])
        check(old in site.topology, "the test's own change finds its place")
        site.topology = site.topology.replace(old, new)
        site.write()
        preview = site.ctl("reload", "--dry-run")
        check_equal([(s["id"], s["reason"]) for s in preview["sessions"]],
                    [(n, reason) for n in doomed], "the dry run")
        check(preview["lines"], "the dry run tells no difference")
        crowd.echo("p", b"still here after the dry run")
        with crowd.talking(["bystander"]):
            site.reload()
            within_a_second(ctx, crowd, ["p"], time.monotonic(), "reload")
        site.expect_ends({reason: 1})
    return test


for _name, _row in CHANGES.items():
    globals()[f"test_change_{_name}"] = change(*_row)


def test_block_certificate(ctx):
    """By the fingerprint of the leaf, and of the issuing CA above it."""
    root, path = make_ca(ctx, "p")
    sub = issue.Authority("/O=p/CN=Issuing", root)
    leaf, other = sub.issue("edge.p.example"), sub.issue("edge.p.example")
    site, _ = make_site(ctx, partner("p", [path]))
    site.start()
    crowd = Crowd(ctx, site.port("trunk"))
    crowd.join("leaf", leaf.save(ctx.path("leaf")))
    crowd.join("other", other.save(ctx.path("other")))
    plain = site.topology
    site.topology = plain.replace(
        "serial = 1", f'serial = 2\nblock_certificate = {{"{leaf.fingerprint}"}}')
    site.reload()
    crowd.ended(["leaf"], 5 * ctx.slow)
    crowd.echo("other", b"still here")
    site.topology = plain.replace(
        "serial = 1", f'serial = 3\nblock_certificate = {{"{sub.fingerprint}"}}')
    site.reload()
    crowd.ended(["other"], 5 * ctx.slow)
    site.expect_ends({"blocked": 2})
    found = peers.refused(ctx, site.port("trunk"), ctx.path("other"))
    check(found.endswith("ACCESS_DENIED"), f"alert for the blocked issuing CA: {found!r}")


def test_expiry(ctx):
    """The session ends with the certificate it was admitted on, and the preview says so before."""
    ca, path = make_ca(ctx, "p")
    site, _ = make_site(ctx, partner("p", [path]))
    site.start()
    life = int(6 * ctx.slow)
    leaf = ca.issue("edge.p.example", valid=(-DAY, life))
    end = int(time.time()) + life
    crowd = Crowd(ctx, site.port("trunk"))
    crowd.join("short", leaf.save(ctx.path("short")))
    crowd.join("long", ctx.leaf(ca, "edge.p.example"))
    doomed = by_remote(site, crowd, ["short"])
    for at, expected in ((end - 2, []), (end + 2, doomed)):
        preview = site.ctl("preview", "--at", f"@{at}")
        check_equal(ids(preview["sessions"]), expected, f"sessions that will have ended by {at}")
    with crowd.talking(["long"]):
        crowd.ended(["short"], life + 5 * ctx.slow)
        late = time.time() - end
        check(-1 <= late <= 1 + ctx.slow, f"ended {late:.1f} s after the certificate did")
    site.expect_ends({"expired": 1})


def test_expiry_of_the_issuer(ctx):
    """The earliest end in the chain counts."""
    root, path = make_ca(ctx, "p")
    life = int(5 * ctx.slow)
    sub = issue.Authority("/O=p/CN=Issuing", root, valid=(-DAY, life))
    site, _ = make_site(ctx, partner("p", [path]))
    site.start()
    crowd = Crowd(ctx, site.port("trunk"))
    crowd.join("one", ctx.leaf(sub, "edge.p.example"))
    crowd.ended(["one"], life + 5 * ctx.slow)
    site.expect_ends({"expired": 1})


def revocable(ctx, **site_limits):
    """A site with one session whose CA publishes into a folder."""
    ca, path = make_ca(ctx, "p")
    folder = ctx.path("crl")
    os.mkdir(folder)
    issue.write(f"{folder}/ca.crl", ca.crl(number=1))
    site, backend = make_site(ctx, partner("p", [path], f'crl = {{"{folder}"}}'))
    site.limits.update(site_limits)
    site.start()
    leaf = ca.issue("edge.p.example")
    leaf.save(ctx.path("leaf"))

    def revoke(number):
        issue.write(f"{folder}/ca.crl", ca.crl([leaf], number=number, valid=(number - 50, DAY)))

    def forgive(number):
        issue.write(f"{folder}/ca.crl", ca.crl([], number=number, valid=(number - 50, DAY)))
    return site, backend, revoke, forgive


def test_grace(ctx):
    """trust_grace: the end is planned, visible, and comes; a change back takes it off."""
    grace = int(4 * ctx.slow)
    site, _, revoke, forgive = revocable(ctx, trust_grace=f"{grace}s")
    crowd = Crowd(ctx, site.port("trunk"))
    crowd.join("one", ctx.path("leaf"))
    check(not site.sessions()[0].get("ends"), "an end is planned before anything has happened")
    revoke(2)
    ctx.wait(lambda: site.sessions()[0].get("ends"), "the end to be planned")
    session = site.sessions()[0]
    check_equal(session["ends_reason"], "revoked", "reason of the planned end")
    check(0 < session["ends"] - time.time() <= grace + 1, f"planned for {session['ends']}")
    found = peers.refused(ctx, site.port("trunk"), ctx.path("leaf"))
    check(found.endswith("CERTIFICATE_REVOKED"), f"a newcomer has no grace: {found!r}")
    forgive(3)
    ctx.wait(lambda: not site.sessions()[0].get("ends"), "the end to be taken off")
    crowd.echo("one", b"still here")
    start = time.monotonic()
    revoke(4)
    crowd.ended(["one"], grace + 5 * ctx.slow)
    check(time.monotonic() - start > grace - 1.5, "ended before its grace was over")
    site.expect_ends({"revoked": 2})  # the newcomer, and this one


def test_revoked_now(ctx):
    site, _, revoke, _ = revocable(ctx)
    crowd = Crowd(ctx, site.port("trunk"))
    crowd.join("one", ctx.path("leaf"))
    since = time.monotonic()
    revoke(2)
    within_a_second(ctx, crowd, ["one"], since, "new list")
    site.expect_ends({"revoked": 1})


# ---- changes during a handshake ------------------------------------------------------------------


def hang(ctx, address, cert):
    """A handshake that hangs before its last flight: socket, flight."""
    client = peers.Handmade(ctx, cert)
    sock = peers.tcp_connect(ctx, address)
    sock.sendall(client.hello())
    return sock, client.answer(sock)


def closed(sock):
    try:
        while sock.recv(4096):
            pass  # tickets there are none, but an alert there may be
    except OSError:
        pass


def test_anchor_removed_during_handshake(ctx):
    (one, path_one), (_, path_two) = make_ca(ctx, "one"), make_ca(ctx, "two")
    site, backend = make_site(ctx, partner("p", [path_one, path_two]))
    site.start()
    sock, flight = hang(ctx, site.port("trunk"), ctx.leaf(one, "edge.p.example"))
    with sock:
        site.topology = partner_only(site.topology, path_one)
        site.reload()
        sock.sendall(flight)
        closed(sock)
    ctx.wait(lambda: sum(site.ended().values()) == 1, "the end")
    check(set(site.ended()) <= {"anchor-removed", "unknown-ca"}, f"ended: {site.ended()}")
    site.relaying(0)
    check(not any(conn.data for conn in backend.connections), "the SIP server has read something")


def test_revoked_during_handshake(ctx):
    site, backend, revoke, _ = revocable(ctx)
    sock, flight = hang(ctx, site.port("trunk"), ctx.path("leaf"))
    with sock:
        board = site.summary()["board"]
        revoke(2)
        ctx.wait(lambda: site.summary()["board"] > board, "the new board")
        sock.sendall(flight)
        closed(sock)
    site.expect_ends({"revoked": 1})
    check(not any(conn.data for conn in backend.connections), "the SIP server has read something")


@limits(seconds=120)
def test_revoked_while_many_come(ctx):
    """A list that comes while handshakes of its victim are at every stage leaves none of them."""
    site, _, revoke, forgive = revocable(ctx)
    crowd = Crowd(ctx, site.port("trunk"))
    for turn in range(5):
        forgive(2 * turn + 2)
        ctx.wait(lambda: not any(site.summary()["sessions"].get(k) for k in ("handshaking",)), "rest")
        ctx.wait(lambda turn=turn: joins(crowd, f"first-{turn}", ctx.path("leaf")), "admission")
        hanging = [hang(ctx, site.port("trunk"), ctx.path("leaf")) for _ in range(20)]
        for n, (sock, flight) in enumerate(hanging):
            if n == 10:
                revoke(2 * turn + 3)
            sock.sendall(flight)
        for sock, _ in hanging:
            closed(sock)
            sock.close()
        crowd.ended([f"first-{turn}"], 5 * ctx.slow)
        site.relaying(0)
    late = {"handshake-timeout"} if ctx.slow > 1 else set()  # they came all at once
    check_equal(set(site.ended()) - {"peer-closed"} - late, {"revoked"}, "reasons")


def joins(crowd, name, cert):
    try:
        crowd.join(name, cert)
        return True
    except Exception:  # pylint: disable=broad-exception-caught
        crowd.leave([name] if name in crowd.socks else [])
        return False
