# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who is revoked does not get in, nor who cannot be shown not to be where that is required."""
import os
import ssl
import time

import issue
import peers
import programs
from harness import Failed, check, check_equal, limits

HOUR, DAY = 3600, 86400
UNKNOWN_EXTENSION = issue.extension("1.3.6.1.4.1.99999.1", b"\x05\0", critical=True)
DELTA = issue.extension("2.5.29.27", issue.integer(1), critical=True)
INDIRECT = issue.extension("2.5.29.28", issue.sequence(issue.tlv(0x84, b"\xff")), critical=True)
SOME_REASONS = issue.extension("2.5.29.28", issue.sequence(issue.tlv(0x83, b"\1\x60")),
                               critical=True)

ALERTS = {"revoked": "CERTIFICATE_REVOKED", "revocation-unknown": "CERTIFICATE_UNKNOWN",
          "revocation-stale": "CERTIFICATE_UNKNOWN", "revocation-unsupported": "CERTIFICATE_UNKNOWN"}

UNKNOWN, STALE, UNSUPPORTED = "revocation-unknown", "revocation-stale", "revocation-unsupported"

# What the issuing CA publishes: arguments of its CRL ("leaf": its number is on it), None for no list;
# the verdict with check, and with require. Off admits all of them.
SHAPES = {
    "good": ({}, None, None),
    "revoked": ({"revoked": ["leaf"]}, "revoked", "revoked"),
    "another": ({"revoked": [12345]}, None, None),
    "none": (None, None, UNKNOWN),
    "expired": ({"valid": (-2 * DAY, -HOUR)}, None, STALE),
    "expired_revoked": ({"valid": (-2 * DAY, -HOUR), "revoked": ["leaf"]}, "revoked", "revoked"),
    "spoilt": ({"spoilt": True}, None, UNKNOWN),
    "spoilt_revoked": ({"spoilt": True, "revoked": ["leaf"]}, None, UNKNOWN),
    "critical": ({"extra": [UNKNOWN_EXTENSION]}, None, UNSUPPORTED),
    "critical_entry": ({"revoked": ["leaf"], "entry_extra": [UNKNOWN_EXTENSION]},
                       {None, "revoked"}, {UNSUPPORTED, "revoked"}),
    "delta": ({"extra": [DELTA]}, None, UNSUPPORTED),
    "indirect": ({"extra": [INDIRECT]}, None, UNSUPPORTED),
    "some_reasons": ({"extra": [SOME_REASONS]}, None, UNSUPPORTED),
    "only_user": ({"only": "user"}, None, None),
    "only_ca": ({"only": "ca"}, None, UNKNOWN),
    "other_point": ({"point": "http://elsewhere.example/x.crl"}, None, UNKNOWN),
}


class Partner:
    """A CA, its issuing CA, and a leaf of that; their CRLs lie in a folder."""

    def __init__(self, ctx, name, **options):
        self.ctx, self.name = ctx, name
        self.host = f"{name.replace('_', '-')}.example"
        self.root = issue.Authority(f"/O={name}/CN=Root of {name}")
        self.sub = issue.Authority(f"/O={name}/CN=Issuing CA of {name}", self.root)
        self.root.save(ctx.path(f"root-{name}"))
        self.folder = ctx.path(f"crl-{name}")
        os.mkdir(self.folder)
        self.leaf = self.sub.issue(self.host, **options)
        self.cert = self.leaf.save(ctx.path(f"cert-{name}"))

    def publish(self, authority, name="list", **options):
        """As who publishes should: a new file that takes the place of the old."""
        options["revoked"] = [self.leaf if r == "leaf" else r for r in options.get("revoked", ())]
        issue.write(f"{self.folder}/{name}.crl", authority.crl(**options))

    def section(self, **options):
        words = {"anchors": [self.ctx.path(f"root-{self.name}.pem")], "crl": [self.folder], **options}
        text = "\n".join(f"\t{key} = {as_text(value)}" for key, value in words.items())
        return f'partner "{self.name}" {{\n{text}\n\tserver "{self.host}" {{ }}\n}}\n'


def as_text(value):
    if isinstance(value, list):
        return "{" + ", ".join(f'"{v}"' for v in value) + "}"
    return "true" if value is True else f'"{value}"'


def make_site(ctx, *sections, name="a"):
    backend = peers.Backend(ctx, echo=True)
    text = "serial = 1\n" + "".join(sections)
    return ctx.site(name, topology=text).listen("trunk", backend.address), backend


def admitted(ctx, site, cert):
    with peers.tls_connect(ctx, site.port("trunk"), cert) as sock:
        sock.sendall(b"ping")
        check_equal(peers.receive(sock, 4), b"ping", "echo")
        sock.unwrap()


CLOSED = {"closed-by-peer", "peer-truncated", "peer-reset"}  # how those end who were admitted


def refusal(ctx, site, cert):
    """None if the peer is admitted, else the reason why not; the alert fits it."""
    before, told = site.ended(), ""
    try:
        admitted(ctx, site, cert)
        return None
    except Failed:
        pass  # a list came between the verdict and the echo
    except (OSError, ssl.SSLError) as error:
        told = getattr(error, "reason", None) or ""

    def reasons():
        return [code for code, n in site.ended().items()
                if n != before.get(code, 0) and code not in CLOSED]
    reason, = ctx.wait(reasons, "the refusal to be counted")
    check(not told or told.endswith(f"_ALERT_{ALERTS.get(reason)}"), f"{reason}: alert {told}")
    return reason


def known(site, n):
    """Wait until so many lists are on the board."""
    site.ctx.wait(lambda: site.summary().get("crls", 0) >= n, f"{n} CRLs on the board")


def listed(site, number):
    """Wait until the list with this number has taken its place on the board."""
    site.ctx.wait(lambda: number in (int(c.get("number", "0"), 16) for c in site.ctl("revocation")["crls"]),
                  f"list {number} on the board")


def shapes(mode):
    def test(ctx):
        partners, lists = {}, 0
        for name, (options, _, _) in SHAPES.items():
            partner = partners[name] = Partner(ctx, name)
            partner.publish(partner.root, "root")
            lists += 1
            if options is not None:
                partner.publish(partner.sub, **options)
                lists += 1
        site, backend = make_site(ctx, *(p.section(revocation=mode) for p in partners.values()))
        site.start()
        if mode != "off":  # then nobody reads them
            known(site, lists)
        wrong, refused = [], 0
        for name, (_, check_reason, require_reason) in SHAPES.items():
            expected = {"off": None, "check": check_reason, "require": require_reason}[mode]
            expected = expected if isinstance(expected, set) else {expected}
            found = refusal(ctx, site, partners[name].cert)
            refused += found is not None
            if found not in expected:
                wrong.append(f"{name}: expected {expected}, found {found}")
        check(not wrong, "\n".join(wrong))
        check_equal(len(backend.connections), len(SHAPES) - refused, "connections at the SIP server")
    return test


test_require = limits(seconds=120)(shapes("require"))
test_check = limits(seconds=120)(shapes("check"))
test_off = limits(seconds=120)(shapes("off"))


def test_intermediate(ctx):
    """The issuing CA is on the root's list; the leaf is on none."""
    partner = Partner(ctx, "p")
    partner.publish(partner.root, "root", revoked=[partner.sub.serial])
    partner.publish(partner.sub)
    for mode, expected in (("require", "revoked"), ("check", "revoked"), ("off", None)):
        site, _ = make_site(ctx, partner.section(revocation=mode), name=mode)
        site.start()
        if mode != "off":  # then nobody reads them
            known(site, 2)
        check_equal(refusal(ctx, site, partner.cert), expected, f"with {mode}")


def test_no_list_of_the_root(ctx):
    """A fresh list of the issuing CA alone does not say that the issuing CA is not revoked."""
    partner = Partner(ctx, "p")
    partner.publish(partner.sub)
    site, _ = make_site(ctx, partner.section(revocation="require"))
    site.start()
    known(site, 1)
    check_equal(refusal(ctx, site, partner.cert), UNKNOWN, "without the root's list")
    partner.publish(partner.root, "root")
    known(site, 2)
    check_equal(refusal(ctx, site, partner.cert), None, "with it")


def test_grace(ctx):
    partner = Partner(ctx, "p")
    partner.publish(partner.root, "root", valid=(-2 * DAY, -HOUR))
    partner.publish(partner.sub, valid=(-2 * DAY, -HOUR))
    site, _ = make_site(ctx, partner.section(revocation="require", crl_grace="2h"))
    site.start()
    known(site, 2)
    check_equal(refusal(ctx, site, partner.cert), None, "within the grace")
    site.topology = site.topology.replace('"2h"', '"30m"')
    site.reload()
    check_equal(refusal(ctx, site, partner.cert), STALE, "after the grace")


def test_crl_signer(ctx):
    """A key of the CA's name, certified for lists by whoever certified the CA, signs them: its
    certificate stands in the file of the list, and no peer presents it."""
    for name, crl_sign, expected in (("with", True, None), ("without", False, UNKNOWN)):
        partner = Partner(ctx, name)
        signer = partner.root.issue(partner.sub.dn, names=[], usage=(), crl_sign=crl_sign)
        partner.publish(partner.root, "root")
        issue.write(f"{partner.folder}/list.pem", issue.pem("CERTIFICATE", signer.der) +
                    issue.pem("X509 CRL", partner.sub.crl(signer=signer)))
        site, _ = make_site(ctx, partner.section(revocation="require"), name=name)
        site.start()
        known(site, 2)
        found = refusal(ctx, site, partner.cert)
        if expected is None and found is not None:  # the CA was first met in this handshake
            ctx.wait(lambda: refusal(ctx, site, partner.cert) is None, "the CA to be known")
        else:
            check_equal(found, expected, f"{name} cRLSign")


def test_partitioned(ctx):
    """A list for one distribution point counts for the certificates that name it, and no others."""
    point = "http://crl.example/one.crl"
    partner = Partner(ctx, "p", urls=[point])
    partner.publish(partner.root, "root")
    partner.publish(partner.sub, "one", point=point)
    elsewhere = ctx.leaf(partner.sub, partner.host, urls=["http://crl.example/two.crl"])
    site, _ = make_site(ctx, partner.section(revocation="require"))
    site.start()
    known(site, 2)
    check_equal(refusal(ctx, site, partner.cert), None, "the point's own certificate")
    check_equal(refusal(ctx, site, elsewhere), UNKNOWN, "a certificate of another point")
    partner.publish(partner.sub, "one", point=point, number=2, revoked=["leaf"])
    ctx.wait(lambda: refusal(ctx, site, partner.cert) == "revoked", "the new list")


# ---- where lists come from -----------------------------------------------------------------------


def test_folder_is_watched(ctx):
    """A list renamed into the folder counts at once; broken and older ones change nothing."""
    partner = Partner(ctx, "p")
    partner.publish(partner.root, "root")
    partner.publish(partner.sub, number=5)
    site, _ = make_site(ctx, partner.section(revocation="require"))
    site.start()
    known(site, 2)
    check_equal(refusal(ctx, site, partner.cert), None, "before")
    partner.publish(partner.sub, number=6, revoked=["leaf"], valid=(-30, DAY))
    listed(site, 6)
    check_equal(refusal(ctx, site, partner.cert), "revoked", "after the new list")
    # Whoever can serve old lists must not bring back revoked certificates.
    partner.publish(partner.sub, number=5, valid=(-60, DAY))
    time.sleep(0.5 * ctx.slow)
    check_equal(refusal(ctx, site, partner.cert), "revoked", "after an older list")
    issue.write(f"{partner.folder}/list.crl", b"\x30\x82\xff\xff not a list")
    time.sleep(0.5 * ctx.slow)
    check_equal(refusal(ctx, site, partner.cert), "revoked", "after garbage")
    told = site.ctl_run("revocation").stdout
    check("list.crl" in told, f"the broken file is not named: {told}")


def test_pem_lists(ctx):
    """Several lists in one PEM file, as administrators have them."""
    partner = Partner(ctx, "p")
    issue.write(f"{partner.folder}/all.pem", issue.pem("X509 CRL", partner.root.crl()) +
                issue.pem("X509 CRL", partner.sub.crl([partner.leaf])))
    site, _ = make_site(ctx, partner.section(revocation="require"))
    site.start()
    known(site, 2)
    check_equal(refusal(ctx, site, partner.cert), "revoked", "with two lists in a file")


def test_fetched(ctx):
    """crl_url: fetched in the background, kept over a restart, refreshed when told to."""
    partner, web = Partner(ctx, "p"), peers.WebServer(ctx)
    web.pages = {"/root.crl": partner.root.crl(), "/sub.crl": partner.sub.crl()}
    section = partner.section(revocation="require",
                              crl_url=[f"{web.url}/root.crl", f"{web.url}/sub.crl"])
    site, _ = make_site(ctx, section)
    site.start()
    known(site, 2)
    check_equal(refusal(ctx, site, partner.cert), None, "with fetched lists")
    web.pages["/sub.crl"] = partner.sub.crl([partner.leaf], number=2, valid=(-30, DAY))
    asked = len(web.asked)
    check_equal(site.ctl_run("revocation", "--refresh").returncode, 0, "refresh")
    listed(site, 2)
    check(len(web.asked) > asked, "nothing was fetched anew")
    check_equal(refusal(ctx, site, partner.cert), "revoked", "after the refresh")
    site.stop()
    web.stop()
    again = ctx.site("again", topology=site.topology, state=f"{site.dir}/state")
    again.listen("trunk", "127.0.0.1:9").start()
    known(again, 2)
    check_equal(refusal(ctx, again, partner.cert), "revoked", "from the kept copy, after a restart")


def test_fetch_failures(ctx):
    """What a bad server does: each failure is told, nobody is admitted by it, nothing else suffers."""
    partner, web = Partner(ctx, "p"), peers.WebServer(ctx)
    partner.publish(partner.root, "root")

    def redirect(handler):
        handler.send_response(302)
        handler.send_header("Location", f"file://{partner.folder}/root.crl")
        handler.end_headers()

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(40):
                handler.wfile.write(bytes(1 << 20))
        except OSError:
            pass  # it has had enough

    def moved(handler):
        handler.send_response(302)
        handler.send_header("Location", f"{web.url}/good")
        handler.end_headers()

    web.pages = {"/500": 500, "/garbage": b"<html>please log in</html>", "/file": redirect,
                 "/endless": endless, "/empty": b"", "/moved": moved, "/good": partner.sub.crl()}
    bad = ["/500", "/garbage", "/file", "/endless", "/empty", "/missing"]
    urls = [web.url + page for page in bad + ["/moved"]] + ["http://127.0.0.1:9/refused"]
    site, _ = make_site(ctx, partner.section(revocation="require", crl_url=urls))
    site.start()
    known(site, 2)  # the root's from the folder, and the one that had moved

    def sources():
        return {s["location"]: s for s in site.ctl("revocation")["sources"]}
    ctx.wait(lambda: all(url in sources() for url in urls), "all attempts", 30)
    found = sources()
    for url in [web.url + page for page in bad] + urls[-1:]:
        check(not found[url]["ok"] and found[url]["detail"], f"{url} is no failure: {found[url]}")
        check(found[url]["next"] > time.time() + 10, f"{url}: no backing off: {found[url]}")
    check(found[web.url + "/moved"]["ok"], f"a redirect to http: {found[web.url + '/moved']}")
    check_equal(refusal(ctx, site, partner.cert), None, "with what could be fetched")


def test_distribution_points(ctx):
    """crl_fetch: from where the certificates say. Without it nobody is asked."""
    web = peers.WebServer(ctx)
    partner = Partner(ctx, "p", urls=[f"{web.url}/sub.crl"])
    partner.publish(partner.root, "root")
    web.pages = {"/sub.crl": partner.sub.crl()}
    site, _ = make_site(ctx, partner.section(revocation="require"))
    site.start()
    known(site, 1)
    for _ in range(3):
        check_equal(refusal(ctx, site, partner.cert), UNKNOWN, "without crl_fetch")
    check_equal(web.asked, [], "what was fetched without crl_fetch")
    site.topology = site.topology.replace("revocation =", "crl_fetch = true\n\trevocation =")
    site.reload()
    ctx.wait(lambda: refusal(ctx, site, partner.cert) is None, "the list to be fetched", 20)
    check_equal(set(web.asked), {"/sub.crl"}, "what was fetched")


def test_check_learns_later(ctx):
    """Admitted while nothing was known; ended when the fetched list says revoked."""
    web = peers.WebServer(ctx)
    partner = Partner(ctx, "p", urls=[f"{web.url}/sub.crl"])
    web.pages = {"/sub.crl": partner.sub.crl([partner.leaf])}
    site, _ = make_site(ctx, partner.section(revocation="check", crl_fetch=True))
    site.start()
    with peers.tls_connect(ctx, site.port("trunk"), partner.cert) as sock:
        sock.sendall(b"ping")
        check_equal(peers.receive(sock, 4), b"ping", "echo")
        try:
            check_equal(sock.recv(10), b"", "what the peer reads at last")
        except ssl.SSLError as error:
            check(error.reason.endswith("_ALERT_CERTIFICATE_REVOKED"), f"alert: {error}")
    site.expect_ends({"revoked": 1})


def test_fetcher_dies(ctx):
    """It is started again; what was known stays known meanwhile."""
    partner = Partner(ctx, "p")
    partner.publish(partner.root, "root")
    partner.publish(partner.sub)
    site, _ = make_site(ctx, partner.section(revocation="require"))
    site.start()
    known(site, 2)
    old = ctx.wait(site.fetcher, "siptls-fetch")
    os.kill(old, 9)
    check_equal(refusal(ctx, site, partner.cert), None, "while it is dead")
    ctx.wait(lambda: site.fetcher() not in (None, old), "another siptls-fetch")
    partner.publish(partner.sub, number=2, revoked=["leaf"], valid=(-30, DAY))
    ctx.wait(lambda: refusal(ctx, site, partner.cert) == "revoked", "the new one to read lists")


def test_freshness(ctx):
    """siptlsctl revocation: which lists, from where, how old; a warning before nextUpdate."""
    partner = Partner(ctx, "p")
    partner.publish(partner.root, "root", number=17, valid=(-HOUR, 40 * DAY))
    partner.publish(partner.sub, number=18, valid=(-2 * HOUR, 2 * HOUR), revoked=[1, 2, 3])
    site, _ = make_site(ctx, partner.section(revocation="require"))
    site.limits["expiry_warning"] = "3d"
    site.start()
    known(site, 2)
    crls = {c["number"].lstrip("0"): c for c in site.ctl("revocation")["crls"]}
    check_equal(set(crls), {"11", "12"}, "numbers of the lists, hexadecimal")
    check("Issuing CA of p" in crls["12"]["issuer"], f"issuer {crls['12']['issuer']}")
    check_equal(crls["12"]["entries"], 3, "entries")
    check_equal(crls["11"]["state"], "verified", "state of the root's list")
    check(abs(crls["12"]["next_update"] - time.time() - 2 * HOUR) < 120, "next_update")
    check(crls["12"]["source"].startswith(partner.folder), f"source {crls['12']['source']}")
    refusal(ctx, site, partner.cert)  # the issuing CA is known from now on
    told = site.ctl_run("summary").stdout + site.ctl_run("revocation").stdout + site.log()
    check("Issuing CA of p" in told, f"no warning of a list that ends soon: {told}")


def test_session_tells(ctx):
    """What is known of the revocation of a live session's chain."""
    good, none = Partner(ctx, "good"), Partner(ctx, "none")
    good.publish(good.root, "root")
    good.publish(good.sub)
    site, _ = make_site(ctx, good.section(), none.section(revocation="check"))
    site.start()
    known(site, 2)
    for partner, standing in ((good, "good"), (none, "unknown")):
        with peers.tls_connect(ctx, site.port("trunk"), partner.cert) as sock:
            sock.sendall(b"ping")
            check_equal(peers.receive(sock, 4), b"ping", "echo")
            check_equal(site.relaying()[0]["revocation"], standing, f"revocation of {partner.name}")
        site.relaying(0)


def test_stale_list_ends_nothing(ctx):
    """A list that gets old keeps newcomers out, and nobody in who is in."""
    partner = Partner(ctx, "p")
    partner.publish(partner.root, "root")
    patience = 4 * ctx.slow
    partner.publish(partner.sub, valid=(-60, patience))
    site, _ = make_site(ctx, partner.section(revocation="require"))
    site.start()
    known(site, 2)
    with peers.tls_connect(ctx, site.port("trunk"), partner.cert) as sock:
        sock.sendall(b"ping")
        check_equal(peers.receive(sock, 4), b"ping", "echo")
        ctx.wait(lambda: refusal(ctx, site, partner.cert) == STALE, "the list to be stale",
                 5 + patience)
        time.sleep(1)
        sock.sendall(b"pong")
        check_equal(peers.receive(sock, 4), b"pong", "echo after the list's end")


# ---- OCSP ----------------------------------------------------------------------------------------


def own_identity(ctx, site, authority, **options):
    """Give the site a certificate with its OCSP response; both are returned."""
    leaf = authority.issue("pool.a.example", ["DNS:pool.a.example"], **options)
    path = leaf.save(ctx.path("own"))
    issue.write(ctx.path("own.ocsp"), authority.ocsp(leaf))
    site.identities["main"] = (path + ".pem", path + ".key", ctx.path("own.ocsp"))
    return leaf


def test_staple_served(ctx):
    """Our response goes out with our certificate; a new one after a reload."""
    ca = ctx.authority("enterprise-ca")
    site = ctx.site("a").listen("trunk", peers.Backend(ctx, echo=True).address)
    leaf = own_identity(ctx, site, ca)
    site.start()

    def stapled(n):
        client = programs.openssl(ctx, f"client-{n}", "s_client", "-connect", site.port("trunk"),
                                  "-status", "-cert", ctx.cert("b"), "-key", ctx.key("b"),
                                  "-CAfile", ctx.cert("enterprise-ca"))
        ctx.wait(lambda: "OCSP response" in client.output(), "s_client to tell")
        ctx.wait(lambda: "---" in client.output().split("OCSP response", 1)[1], "all of it")
        client.stop()
        return client.output()
    check("Cert Status: good" in stapled(1), f"no response in: {stapled(2)}")
    issue.write(ctx.path("own.ocsp"), ca.ocsp(leaf, "revoked"))
    site.reload()
    check("Cert Status: revoked" in stapled(3), "the new response is not served")


def test_staple_refused_by_reload(ctx):
    """A response for another certificate is a mistake in the configuration."""
    ca = ctx.authority("enterprise-ca")
    site = ctx.site("a").listen("trunk", peers.Backend(ctx, echo=True).address)
    own_identity(ctx, site, ca)
    site.start()
    issue.write(ctx.path("own.ocsp"), ca.ocsp(ca.issue("other.example")))
    done = site.ctl_run("reload")
    check(done.returncode != 0 and "siptlsd.conf" in done.stderr, f"reload: {done}")


def s_server(ctx, name, cert, response=None):
    """A far TLS server that staples: its address."""
    port = programs.free_port()
    programs.openssl(ctx, name, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", cert + ".pem",
                     "-key", cert + ".key", "-cert_chain", cert + ".pem", "-CAfile",
                     ctx.cert("enterprise-ca"), "-Verify", "3", "-quiet",
                     *(["-status_file", response] if response else [])).listening(port)
    return f"127.0.0.1:{port}"


# Of a server that we dial: must-staple, status in the response (None: it staples nothing), how it is
# made, the verdict with check and with require (there is no list).
STAPLES = {
    "none": (False, None, {}, None, UNKNOWN),
    "good": (False, "good", {}, None, None),
    "revoked": (False, "revoked", {}, "revoked", "revoked"),
    "unknown": (False, "unknown", {}, None, UNKNOWN),
    "old": (False, "good", {"valid": (-DAY, -HOUR)}, None, {STALE, UNKNOWN}),
    "spoilt": (False, "good", {"spoilt": True}, None, UNKNOWN),
    "responder": (False, "good", {"responder": ("OCSPSigning",)}, None, None),
    "no_responder": (False, "good", {"responder": ("clientAuth",)}, None, UNKNOWN),
    "must": (True, "good", {}, None, None),
    "must_none": (True, None, {}, "staple-missing", {"staple-missing", UNKNOWN}),
    "must_spoilt": (True, "good", {"spoilt": True}, "staple-missing", {"staple-missing", UNKNOWN}),
}


@limits(seconds=120)
def test_staple_of_a_server(ctx):
    ca = issue.Authority("/O=P/CN=Stapling CA")
    ca.save(ctx.path("root"))
    sites, servers = {}, {}
    for mode in ("check", "require"):
        sites[mode] = ctx.site(mode, topology=(
            f'serial = 1\npartner "p" {{\n\tanchors = {{"{ctx.path("root.pem")}"}}\n'
            f'\trevocation = "{mode}"\n\tserver "edge.p.example" {{ }}\n}}\n'))
    for name, (must, status, options, _, _) in STAPLES.items():
        leaf = ca.issue("edge.p.example", must_staple=must)
        cert, response = leaf.save(ctx.path(f"leaf-{name}")), None
        if status:
            if "responder" in options:
                options = {"responder": ca.issue("responder", [], usage=options["responder"])}
            response = ctx.path(f"{name}.ocsp")
            issue.write(response, ca.ocsp(leaf, status, **options))
        servers[name] = s_server(ctx, f"server-{name}", cert, response)
        for site in sites.values():
            site.dial(name, servers[name], peer="edge.p.example")
    wrong = []
    for mode, site in sites.items():
        site.start()
        for name, row in STAPLES.items():
            expected = row[3] if mode == "check" else row[4]
            found = dialled(ctx, site, name)
            if found not in (expected if isinstance(expected, set) else {expected}):
                wrong.append(f"{name} with {mode}: expected {expected}, found {found}")
    check(not wrong, "\n".join(wrong))


def dialled(ctx, site, via):
    """None if the far server was admitted, else the reason that the daemon remembers."""
    ctx.wait(lambda: not site.sessions(), "the last session to end")
    before = sum(site.ended().values())
    with peers.tcp_connect(ctx, site.port(via)) as sock:
        def state():
            if sum(site.ended().values()) > before:
                return "refused"
            return [s for s in site.sessions() if s["via"] == via and s["state"] == "relaying"]
        if ctx.wait(state, f"the session through {via}") != "refused":
            site.control_socket.call("CloseSessions", ids=[site.sessions()[0]["id"]])
            site.relaying(0)
            return None
        try:
            sock.recv(1)
        except OSError:
            pass
    return site.refusals()[0]["reason"]


def test_must_staple_of_a_client(ctx):
    """A peer that dials us staples as well, between two of ours."""
    ca = ctx.authority("enterprise-ca")
    backend = peers.Backend(ctx, echo=True)
    leaf = ca.issue("pool.b.example", must_staple=True)
    path = leaf.save(ctx.path("b"))
    issue.write(ctx.path("b.ocsp"), ca.ocsp(leaf))
    a = ctx.site("a").listen("trunk", backend.address).start()
    b = ctx.site("b").dial("out", a.port("trunk"), peer="pool.a.example")
    b.identities["main"] = (path + ".pem", path + ".key", ctx.path("b.ocsp"))
    b.start()
    with peers.tcp_connect(ctx, b.port("out")) as sock:
        sock.sendall(b"ping")
        check_equal(peers.receive(sock, 4), b"ping", "echo with a stapled response")
    a.relaying(0)
    b.relaying(0)
    b.identities["main"] = (path + ".pem", path + ".key")
    b.reload()
    with peers.tcp_connect(ctx, b.port("out")) as sock:
        try:
            check_equal(sock.recv(10), b"", "without a response")
        except OSError:
            pass
    ctx.wait(lambda: a.ended().get("staple-missing") == 1, f"the refusal; counted: {a.ended()}")
    found = peers.refused(ctx, a.port("trunk"), path)
    check(found.endswith("BAD_CERTIFICATE_STATUS_RESPONSE"), f"alert: {found!r}")
