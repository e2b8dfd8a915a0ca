# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whose word counts for whom: anchors of one name, block list, discovered peers, this server itself."""
import os
import time

import issue
import peers
from crowd import Crowd
from federation import admitted, echo, make_ca, make_site, partner, refused
from harness import BACKEND_NONE, TOPOLOGY, check, check_equal


def test_two_cas_of_one_name(ctx):
    """The same DN, different keys: each vouches for its own partner's names and no other's."""
    one = issue.Authority("/O=Common Name Ltd/CN=Root CA")
    two = issue.Authority("/O=Common Name Ltd/CN=Root CA")
    paths = [ca.save(ctx.path(f"ca-{n}")) for n, ca in enumerate((one, two))]
    site, _ = make_site(ctx, partner("one", paths[:1]) + partner("two", paths[1:]))
    site.start()
    for ca, host in ((one, "edge.one.example"), (two, "edge.two.example")):
        session = admitted(ctx, site, ctx.leaf(ca, host))
        check_equal(session["peer"], host, "peer")
    for ca, host in ((one, "edge.two.example"), (two, "edge.one.example")):
        found = peers.refused(ctx, site.port("trunk"), ctx.leaf(ca, host))
        check(found.endswith(("BAD_CERTIFICATE", "UNKNOWN_CA")), f"alert: {found!r}")
    site.relaying(0)
    left = {code: n for code, n in site.ended().items() if not code.startswith(("closed", "peer"))}
    check_equal(sum(left.values()), 2, f"refusals in {left}")
    check(set(left) <= {"chain-signature", "foreign-ca-partner-name", "unknown-ca"}, f"{left}")


def test_two_cas_of_one_name_together(ctx):
    """Both are anchors of one partner, in either order, as in a change of the CA's key."""
    one = issue.Authority("/O=Common Name Ltd/CN=Root CA")
    two = issue.Authority("/O=Common Name Ltd/CN=Root CA")
    paths = [ca.save(ctx.path(f"ca-{n}")) for n, ca in enumerate((one, two))]
    for n, order in enumerate((paths, paths[::-1])):
        backend = peers.Backend(ctx, echo=True)
        site = ctx.site(f"a{n}", topology="serial = 1\n" + partner("p", order))
        site.listen("trunk", backend.address).start()
        for ca in (one, two):
            admitted(ctx, site, ctx.leaf(ca, "edge.p.example"))
        stranger = issue.Authority("/O=Common Name Ltd/CN=Root CA")
        found = peers.refused(ctx, site.port("trunk"), ctx.leaf(stranger, "edge.p.example"))
        check(found.endswith(("BAD_CERTIFICATE", "UNKNOWN_CA")), f"a third CA of the name: {found!r}")


def test_partner_root_is_an_intermediate(ctx):
    """Q has certified P's root. Under Q's anchor P's CA may speak for Q, until Q takes that back;
    for others it may not, and its own partner does not suffer."""
    p, path_p = make_ca(ctx, "p")
    q, path_q = make_ca(ctx, "q")
    cross, folder = q.cross(p), ctx.path("crl")
    os.mkdir(folder)
    issue.write(f"{folder}/q.crl", q.crl(number=1))
    site, _ = make_site(ctx, partner("p", [path_p]) + partner("r", [make_ca(ctx, "r")[1]]) +
                        partner("q", [path_q], f'crl = {{"{folder}"}}'))
    site.start()
    ctx.wait(lambda: site.summary()["crls"] == 1, "the list")
    own = ctx.leaf(p, "edge.p.example")
    with_cross = ctx.leaf(p, "edge.p.example", chain=[cross])
    for_q = ctx.leaf(p, "edge.q.example", chain=[cross])
    check_equal(admitted(ctx, site, own)["owner"], "p", "owner")
    check_equal(admitted(ctx, site, with_cross)["owner"], "p", "owner, with the cross-certificate")
    check_equal(admitted(ctx, site, for_q)["owner"], "q", "owner of what Q has let P vouch for")
    refused(ctx, site, ctx.leaf(p, "edge.q.example", chain=[]), "foreign-ca-partner-name",
            "UNKNOWN_CA")
    refused(ctx, site, ctx.leaf(p, "edge.r.example", chain=[cross]), "foreign-ca-partner-name",
            "UNKNOWN_CA")
    crowd = Crowd(ctx, site.port("trunk"))
    for name, cert in (("own", own), ("cross", with_cross), ("q", for_q)):
        crowd.join(name, cert)
    with crowd.talking(["own", "cross"]):
        issue.write(f"{folder}/q.crl", q.crl([cross], number=2, valid=(-30, 86400)))
        crowd.ended(["q"], 5 * ctx.slow)
    ctx.wait(lambda: site.ended().get("revoked") == 1, "the end of the revoked one")
    check_equal(sorted(s["owner"] for s in site.relaying(2)), ["p", "p"], "who is left")


def test_partner_root_under_the_enterprise(ctx):
    """A partner's root with an internal name and without the enterprise's own word."""
    p, path_p = make_ca(ctx, "p")
    site, _ = make_site(ctx, TOPOLOGY + partner("p", [path_p]))
    site.start()
    refused(ctx, site, ctx.leaf(p, "pool.b.example"), "foreign-ca-internal-name", "UNKNOWN_CA")
    ctx.leaf(p, "edge.p.example")
    check_equal(admitted(ctx, site, "b")["owner"], "hq", "the enterprise's own")


# ---- block list ----------------------------------------------------------------------------------


def test_block_list(ctx):
    """It wins over everything, and over nothing else than what it names."""
    text = TOPOLOGY.replace("serial = 1", 'serial = 1\nblock = {"edge.partner-a.example", ".b.example"}')
    backend = peers.Backend(ctx, echo=True)
    site = ctx.site("a", topology=text).listen("trunk", backend.address).start()
    for cert in ("partner-a", "b", "b-chain"):
        refusal = refused(ctx, site, cert, "blocked", "ACCESS_DENIED")
        check("example" in refusal["detail"], f"the detail names nobody: {refusal}")
    admitted(ctx, site, "partner-b")
    warnings = site.ctl_run("summary").stdout + site.log()
    check("edge.partner-a.example" in warnings, "no warning that a listed server is blocked")


# ---- discovered ----------------------------------------------------------------------------------


DISCOVERED = """
rate "guests" {
	bytes = 50000
	burst = 65536
}
discovered "guests" {
	anchors = {"@PKI@/other-ca.pem"}
	rate = "guests"
	profile = "rfc9525"
}
"""


def test_discovered(ctx):
    """Whoever that CA vouches for and no entry claims: inbound, and slowly."""
    backend = peers.Backend(ctx, echo=True)
    site = ctx.site("a", topology=TOPOLOGY + DISCOVERED).listen("trunk", backend.address).start()
    other = ctx.authority("other-ca")
    guest = ctx.leaf(other, "sip.anybody.example")
    session = admitted(ctx, site, guest)
    check_equal((session["peer"], session["name"]), ("guests", "sip.anybody.example"), "session")
    # A name that an entry claims belongs to that entry and its anchors.
    refused(ctx, site, ctx.leaf(other, "pool.b.example"), "foreign-ca-internal-name", "UNKNOWN_CA")
    # And the enterprise's CA is none of the guests' anchors.
    refused(ctx, site, "unlisted", "not-in-topology", "ACCESS_DENIED")
    number = len(backend.connections)
    with peers.tls_connect(ctx, site.port("trunk"), guest) as sock:
        start, size = time.monotonic(), 400000
        data = bytes(size)
        conn = backend.connection(number)
        sock.settimeout(60 * ctx.slow)
        sock.sendall(data)
        check_equal(len(peers.receive(sock, size)), size, "bytes back")
        check_equal(len(conn.data), size, "bytes at the SIP server")
        took = time.monotonic() - start
        # The burst, and one read more than the bucket holds; some of the rest is on its way.
        check(took > 0.7 * (size - 2 * 65536) / 50000, f"{size} bytes in {took:.1f} s: no limit")
    with peers.tls_connect(ctx, site.port("trunk"), "b") as sock:
        start = time.monotonic()
        sock.sendall(bytes(1 << 20))
        check_equal(len(peers.receive(sock, 1 << 20)), 1 << 20, "bytes back")
        check(time.monotonic() - start < 20 * ctx.slow, "the others are limited as well")


def test_discovered_is_off(ctx):
    site, _ = make_site(ctx, TOPOLOGY)
    site.start()
    refused(ctx, site, ctx.leaf(ctx.authority("other-ca"), "sip.anybody.example"),
            "unknown-ca", "UNKNOWN_CA")


# ---- what is told --------------------------------------------------------------------------------


def test_provider(ctx):
    """One edge, many SIP domains: look-up by the SIP server's side tells them."""
    ca, path = make_ca(ctx, "carrier")
    text = (f'partner "carrier" {{\n\tanchors = {{"{path}.pem"}}\n\tprovider "sipfed.carrier.example" {{\n'
            '\t\tdomains = {"a.customer.example", "b.customer.example"}\n\t}\n}\n')
    site, backend = make_site(ctx, text)
    site.start()
    with peers.tls_connect(ctx, site.port("trunk"), ctx.leaf(ca, "sipfed.carrier.example")) as sock:
        echo(sock)
        behind = "%s:%d" % backend.connections[0].sock.getpeername()
        found = site.ctl("lookup", behind)
        domains = found.get("session", found)["domains"]
        check_equal(sorted(domains), ["a.customer.example", "b.customer.example"], "domains")
        site.topology = site.topology.replace(', "b.customer.example"', "")
        site.reload()
        found = site.ctl("lookup", behind)
        check_equal(found.get("session", found)["domains"], ["a.customer.example"], "after a reload")
    # The certificate of a customer's own domain is not the provider's.
    refused(ctx, site, ctx.leaf(ca, "a.customer.example"), "not-in-topology", "ACCESS_DENIED")


def entries(site):
    return {entry["name"]: entry for entry in site.ctl("topology")["entries"]}


def test_topology_view(ctx):
    """The effective policy of every entry, and which of them is this server."""
    text = TOPOLOGY.replace('partner "partner-a" {', 'partner "partner-a" {\n\trevocation = "require"')
    site = ctx.site("a", topology=text).listen("trunk", BACKEND_NONE).start()
    found = entries(site)
    check_equal({name for name, entry in found.items() if entry["self"]}, {"pool.a.example"}, "self")
    a, strict = found["edge.partner-a.example"], found["gw.strict.example"]
    check_equal((a["owner"], a["kind"], a["revocation"], a["profile"], a["internal"]),
                ("partner-a", "server", "require", "rfc5922", False), "partner-a")
    check_equal((strict["owner"], strict["kind"], strict["revocation"], strict["profile"]),
                ("hq", "application", "check", "rfc5922"), "gw.strict")
    check_equal([m["name"] for m in found["pool.b.example"]["members"]],
                ["fe1.b.example", "fe2.b.example"], "members of pool.b")
    check_equal(found["gw.out.example"]["direction"], "out", "direction of gw.out")
    # The same file on another server: there it is another entry.
    other = ctx.site("b", identity="b", topology=text).listen("trunk", BACKEND_NONE).start()
    check_equal({name for name, entry in entries(other).items() if entry["self"]},
                {"pool.b.example"}, "self on the other server")
    told = site.ctl_run("topology").stdout
    for word in ("pool.b.example", "edge.partner-a.example", "require", "rfc5922"):
        check(word in told, f"{word} is not in: {told}")


def test_refusals_are_remembered(ctx):
    """Newest first, bounded, and each of them can be explained later."""
    site, _ = make_site(ctx, TOPOLOGY)
    site.start()
    for cert in ("expired", "unlisted", "unknown-ca"):
        peers.refused(ctx, site.port("trunk"), cert)
    ctx.wait(lambda: sum(site.ended().values()) == 3, "three refusals")
    found = site.refusals()
    check_equal([r["reason"] for r in found], ["unknown-ca", "not-in-topology", "expired"], "reasons")
    check(all(abs(r["time"] - time.time()) < 600 for r in found), f"times: {found}")
    check("pool.c.example" in found[1]["subject"], f"subject: {found[1]}")
    explained = site.ctl("explain", str(found[2]["id"]))
    check_equal(explained["explanation"]["then"], "expired", "then")
    check_equal(explained["explanation"]["now"], "expired", "now")
    failed = [r for r in explained["rules"] if r["outcome"] == "fails"]
    check(any(r["reason"] == "expired" for r in failed), f"rules that fail: {failed}")
    # Under a topology that lists it the same chain would be admitted now.
    site.topology += ('site "more" {\n\tanchors = {"@PKI@/enterprise-ca.pem"}\n'
                      '\tapplication "pool.c.example" { }\n}\n')
    site.reload()
    explained = site.ctl("explain", str(found[1]["id"]))["explanation"]
    check_equal((explained["then"], explained["now"]), ("not-in-topology", "ok"), "then and now")


def test_explain_session(ctx):
    """Link by link to the anchor, rule by rule, with what the verdict rests on."""
    site, _ = make_site(ctx, TOPOLOGY)
    site.start()
    with peers.tls_connect(ctx, site.port("trunk"), "b-chain") as sock:
        echo(sock)
        session = site.relaying()[0]
        found = site.ctl("explain", str(session["id"]))
        check_equal((found["explanation"]["live"], found["explanation"]["now"]), (True, "ok"), "verdict")
        check_equal(found["explanation"]["entry"], "pool.b.example", "entry")
        check_equal([link["anchor"] for link in found["links"]], [False, False, True], "links")
        check("Issuing CA" in found["links"][1]["subject"], f"second link: {found['links'][1]}")
        check("Enterprise CA" in found["links"][2]["subject"], f"anchor: {found['links'][2]}")
        check_equal(found["links"][0]["status"], "unknown", "revocation of the leaf")
        check(all(r["outcome"] == "holds" for r in found["rules"]
                  if r.get("entry") in (None, "pool.b.example")), f"rules: {found['rules']}")
        text = site.ctl_run("explain", str(session["id"])).stdout
        for word in ("pool.b.example", "Enterprise CA", "chain", "name"):
            check(word in text, f"{word} is not in: {text}")
    check(site.ctl_run("explain", "999999").returncode == 1, "explanation of nothing")


def test_probe(ctx):
    """Dial now and tell: chain, verdict, suite; nothing is left behind."""
    good, bad = peers.TlsServer(ctx, "b"), peers.TlsServer(ctx, "unlisted")
    text = TOPOLOGY.replace('member "fe1.b.example" { }',
                            f'member "fe1.b.example" {{ address = "{good.address}" }}').replace(
        'application "gw.strict.example" {',
        f'application "gw.strict.example" {{ address = "{bad.address}"')
    site = ctx.site("a", topology=text).listen("trunk", BACKEND_NONE).start()
    found = site.ctl("probe", "pool.b.example")
    check_equal((found["admitted"], found["reason"]), (True, "ok"), "probe of a good peer")
    check(found["session"].get("cipher") and found["session"]["version"] == "TLS 1.3", f"{found}")
    check("pool.b.example" in found["links"][0]["subject"], f"chain: {found['links']}")
    done = site.ctl_run("--json", "probe", "gw.strict.example")
    check(done.returncode == 1 and "name-mismatch" in done.stdout, f"probe of a bad peer: {done}")
    check(site.ctl_run("probe", "no.such.example").returncode == 1, "probe of nobody")
    ctx.wait(site.settled, "nothing to be left")
    check_equal(bytes(good.data), b"", "what the good peer has read")


# ---- the last good configuration -----------------------------------------------------------------


def test_last_good_at_start(ctx):
    """Broken files at start: the copy that was in force is used, and everybody is told."""
    site, _ = make_site(ctx, TOPOLOGY)
    site.start()
    admitted(ctx, site, "b")
    check_equal(site.summary()["last_good"], False, "last_good of a healthy start")
    site.stop()
    os.unlink(f"{site.dir}/notify")
    good = site.topology
    site.topology = good.replace('site "hq" {', 'site "hq" { nonsense = 1')
    site.told.clear()
    site.start()
    check_equal(site.summary()["last_good"], True, "last_good")
    check("topology.conf" in site.log() and "last" in site.log().lower(),
          f"the log is not loud: {site.log()[-600:]}")
    told = site.ctl_run("summary").stdout
    check("last good" in told.lower() or "last-good" in told.lower(), f"the summary is silent: {told}")
    admitted(ctx, site, "b")
    refused(ctx, site, "unlisted", "not-in-topology", "ACCESS_DENIED")
    check(site.ctl_run("reload").returncode == 1, "reload of the broken file")
    site.topology = good
    site.reload()
    check_equal(site.summary()["last_good"], False, "last_good after the file is good again")


def test_no_last_good_no_start(ctx):
    """Without a copy a broken file is a reason not to start at all."""
    site, _ = make_site(ctx, 'site "hq" { nonsense = 1 }\n')
    site.leave_dirty = True
    try:
        site.start()
    except Exception as error:  # pylint: disable=broad-exception-caught
        check("topology.conf" in str(error), f"the file is not named: {error}")
        site.process.wait(5)
        site.process = None
        return
    check(False, "it runs")


def test_dry_run_changes_nothing(ctx):
    site, _ = make_site(ctx, TOPOLOGY)
    site.start()
    generation = site.summary()["generation"]
    site.topology = site.topology.replace('partner "partner-b"', 'partner "renamed"').replace(
        'application "gw.old.example" { tls12 = true }', 'application "gw.new.example" { }')
    site.write()
    found = site.ctl("reload", "--dry-run")
    text = "\n".join(found["lines"])
    for word in ("gw.old.example", "gw.new.example"):
        check(word in text, f"{word} is not in the difference: {text}")
    check_equal(found["sessions"], [], "sessions")
    summary = site.summary()
    check_equal((summary["generation"], summary["staged"]), (generation, False), "after the dry run")
    found = peers.refused(ctx, site.port("trunk"), ctx.leaf(ctx.authority("enterprise-ca"),
                                                           "gw.new.example"))
    check(found.endswith("ACCESS_DENIED"), f"the new entry is in force: {found!r}")
    site.write_file("topology.conf", "serial = 0\n")
    done = site.ctl_run("reload", "--dry-run")
    check(done.returncode == 1 and "topology.conf:1" in done.stderr, f"dry run of a broken file: {done}")
