# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of certificates, configurations and sessions: changes that nobody on the phone notices."""
import os
import ssl
import time

import issue
import peers
import programs
import system
from crowd import Crowd
from federation import admitted, echo, make_ca, make_site, partner
from harness import BACKEND_NONE, Failed, check, check_equal, limits

DAY = 86400


def shown(ctx, address):
    """The certificate that the site shows to whoever dials it."""
    with peers.tls_connect(ctx, address) as sock:
        echo(sock)
        return sock.getpeercert(binary_form=True)


def der(ctx, name):
    with open(ctx.cert(name), encoding="ascii") as f:
        return ssl.PEM_cert_to_DER_cert(f.read())


class Far(peers.TlsServer):
    """A far server that remembers which certificates it was shown."""

    def __init__(self, ctx, cert):
        self.seen = []
        super().__init__(ctx, cert)

    def serve_one(self, sock):
        sock.settimeout(60 * self.ctx.slow)
        try:
            with self.context.wrap_socket(sock, server_side=True) as tls:
                self.seen.append(tls.getpeercert(binary_form=True))
                while data := tls.recv(65536):
                    tls.sendall(data)
        except OSError as error:
            self.errors.append(str(error))
        finally:
            sock.close()


def both_ways(ctx):
    """A site with a listener and a dial-out, and a live session of each."""
    far, backend = Far(ctx, "b"), peers.Backend(ctx, echo=True)
    site = ctx.site("a").listen("trunk", backend.address).dial("out", far.address)
    return site, far


def test_certificate_replaced(ctx):
    """Newcomers of both directions see the new certificate at once; nobody is dropped."""
    site, far = both_ways(ctx)
    site.start()
    with peers.tls_connect(ctx, site.port("trunk")) as inbound, \
            peers.tcp_connect(ctx, site.port("out")) as outbound:
        echo(inbound)
        echo(outbound)
        check_equal(shown(ctx, site.port("trunk")), der(ctx, "a"), "certificate before")
        site.identities["main"] = (ctx.cert("a-renewed"), ctx.key("a-renewed"))
        site.reload()
        check_equal(shown(ctx, site.port("trunk")), der(ctx, "a-renewed"), "inbound, after")
        with peers.tcp_connect(ctx, site.port("out")) as sock:
            echo(sock)
        check_equal(far.seen, [der(ctx, "a"), der(ctx, "a-renewed")], "what the far server was shown")
        echo(inbound, b"the same session")
        echo(outbound, b"the same session")
    check("identity-changed" not in site.ended(), f"ended: {site.ended()}")


def test_certificate_replaced_in_place(ctx):
    """The same file names, as certificate managers do it: written anew, then a reload."""
    ca = ctx.authority("enterprise-ca")
    site, _ = both_ways(ctx)
    first, second = (ca.issue("pool.a.example") for _ in range(2))
    first.save(ctx.path("own"))
    site.identities["main"] = (ctx.path("own.pem"), ctx.path("own.key"))
    site.start()
    with peers.tls_connect(ctx, site.port("trunk")) as sock:
        echo(sock)
        second.save(ctx.path("own"))
        check_equal(shown(ctx, site.port("trunk")), first.der, "before the reload")
        site.reload()
        check_equal(shown(ctx, site.port("trunk")), second.der, "after the reload")
        echo(sock)


def test_stage_commit_abort(ctx):
    """Prepare, look, then do it or not."""
    site, _ = both_ways(ctx)
    site.start()
    check_equal(site.ctl_run("commit").returncode, 1, "commit of nothing")
    check_equal(site.ctl_run("abort").returncode, 1, "abort of nothing")
    generation = site.summary()["generation"]
    site.identities["main"] = (ctx.cert("a-renewed"), ctx.key("a-renewed"))
    site.write()
    for verb, expected in (("abort", "a"), ("commit", "a-renewed")):
        done = site.ctl_run("stage")
        check_equal(done.returncode, 0, f"stage: {done.stderr}")
        check_equal(site.summary()["staged"], True, "staged")
        check_equal(shown(ctx, site.port("trunk")), der(ctx, "a"), "while it is staged")
        preview = site.ctl("preview", "--staged")
        check(preview["lines"], "the preview tells no difference")
        done = site.ctl_run(verb)
        check_equal(done.returncode, 0, f"{verb}: {done.stderr}")
        ctx.wait(lambda: not site.summary()["staged"], f"{verb} to be done")
        check_equal(shown(ctx, site.port("trunk")), der(ctx, expected), f"after {verb}")
    check_equal(site.summary()["generation"], generation + 1, "generation")
    site.write_file("siptlsd.conf", "nonsense\n")
    done = site.ctl_run("stage")
    check(done.returncode == 1 and "siptlsd.conf:" in done.stderr, f"stage of a broken file: {done}")
    check_equal(site.summary()["staged"], False, "staged after that")


def test_staged_is_read_at_once(ctx):
    """What was staged is put in force, not what the files hold by then; a reload drops it."""
    site, _ = both_ways(ctx)
    site.start()
    site.topology = site.topology.replace("serial = 1", "serial = 2")
    site.write()
    check_equal(site.ctl_run("stage").returncode, 0, "stage")
    site.topology = site.topology.replace("serial = 2", "serial = 3")
    site.write()
    check_equal(site.ctl_run("commit").returncode, 0, "commit")
    ctx.wait(lambda: site.summary()["serial"] == 2, "the staged serial")
    check_equal(site.ctl_run("stage").returncode, 0, "stage")
    site.topology = site.topology.replace("serial = 3", "serial = 4")
    site.reload()
    check_equal(site.summary()["serial"], 4, "serial after the reload")
    check_equal(site.summary()["staged"], False, "staged after the reload")
    check_equal(site.ctl_run("commit").returncode, 1, "commit of what the reload has dropped")


def test_commit_at(ctx):
    site, _ = both_ways(ctx)
    site.start()
    site.topology = site.topology.replace("serial = 1", "serial = 2")
    site.write()
    check_equal(site.ctl_run("stage").returncode, 0, "stage")
    at = int(time.time() + 3 + ctx.slow)
    done = site.ctl_run("commit", "--at", f"@{at}")
    check_equal(done.returncode, 0, f"commit --at: {done.stderr}")
    check_equal(site.summary()["commit_at"], at, "commit_at")
    check_equal(site.summary()["serial"], 1, "serial before that time")
    ctx.wait(lambda: site.summary()["serial"] == 2, "the commit", 10 + 2 * ctx.slow)
    check(time.time() >= at, "it came too early")
    check(time.time() < at + 2 * ctx.slow, "it came too late")


def test_session_age(ctx):
    site, _ = both_ways(ctx)
    age = int(3 * ctx.slow)
    site.limits["session_age"] = f"{age}s"
    site.start()
    start = time.monotonic()
    with peers.tls_connect(ctx, site.port("trunk")) as inbound, \
            peers.tcp_connect(ctx, site.port("out")) as outbound:
        echo(inbound)
        echo(outbound)
        planned = site.sessions()
        check_equal({s["ends_reason"] for s in planned}, {"session-age"}, "reason of the planned end")
        check(all(abs(s["ends"] - time.time() - age) < 2 + ctx.slow for s in planned), f"{planned}")
        check_equal(inbound.recv(10), b"", "what the peer reads at the end")
        check(time.monotonic() - start > age - 1.5, "too early")
        check_equal(outbound.recv(10), b"", "what the SIP server reads at the end")
    site.expect_ends({"session-age": 2})


def test_identity_drain(ctx):
    """Sessions on the old certificate end after the time that was given; those on another do not."""
    site, _ = both_ways(ctx)
    site.identities["other"] = (ctx.cert("a-alt"), ctx.key("a-alt"))
    site.listen("second", site.blocks['listen "trunk"']["backend"], identity=["other"])
    drain = int(3 * ctx.slow)
    site.limits["identity_drain"] = f"{drain}s"
    site.start()
    with peers.tls_connect(ctx, site.port("trunk")) as inbound, \
            peers.tcp_connect(ctx, site.port("out")) as outbound, \
            peers.tls_connect(ctx, site.port("second")) as bystander:
        for sock in (inbound, outbound, bystander):
            echo(sock)
        site.reload()  # nothing has changed
        check(not any(s.get("ends") for s in site.sessions()), "an end is planned for nothing")
        site.identities["main"] = (ctx.cert("a-renewed"), ctx.key("a-renewed"))
        start = time.monotonic()
        site.reload()
        echo(inbound, b"for a while")
        check_equal(inbound.recv(10), b"", "what the peer reads at the end")
        check_equal(outbound.recv(10), b"", "what the SIP server reads at the end")
        check(time.monotonic() - start > drain - 1.5, "too early")
        echo(bystander, b"still here")
    ctx.wait(lambda: site.ended().get("identity-changed") == 2, "the two ends for the change")


def test_expiry_warnings(ctx):
    """Before anything of ours, or an anchor, ends, everybody is told."""
    ca, path = make_ca(ctx, "p")
    soon = issue.Authority("/O=soon/CN=CA that ends soon", valid=(-DAY, 5 * DAY))
    soon.save(ctx.path("ca-soon"))
    leaf = ctx.authority("enterprise-ca").issue("pool.a.example", valid=(-DAY, 3 * DAY))
    leaf.save(ctx.path("own"))
    site, _ = make_site(ctx, partner("p", [path]) + partner("soon", [ctx.path("ca-soon")]))
    site.identities["main"] = (ctx.path("own.pem"), ctx.path("own.key"))
    site.limits["expiry_warning"] = "7d"
    site.start()

    def warned():
        return {(c["kind"], c["owner"]) for c in site.ctl("certificates")["certificates"] if c["warned"]}
    check_equal(warned(), {("identity", "main"), ("anchor", "soon")}, "what is warned of")
    left, = (c["left_s"] for c in site.ctl("certificates")["certificates"] if c["kind"] == "identity")
    check(abs(left - 3 * DAY) < 600, f"left: {left}")
    ctx.wait(lambda: "pool.a.example" in site.log() and "CA that ends soon" in site.log(),
             "the log to warn")
    told = site.ctl_run("summary").stdout
    check("pool.a.example" in told or "warning" in told.lower(), f"the summary is silent: {told}")
    site.limits["expiry_warning"] = "1d"
    site.reload()
    check_equal(warned(), set(), "warnings with a shorter time")
    admitted(ctx, site, ctx.leaf(ca, "edge.p.example"))


def test_expired_identity_is_refused(ctx):
    """A reload with a certificate of ours that has ended changes nothing."""
    site, _ = both_ways(ctx)
    site.start()
    leaf = ctx.authority("enterprise-ca").issue("pool.a.example", valid=(-3 * DAY, -DAY))
    leaf.save(ctx.path("own"))
    site.identities["main"] = (ctx.path("own.pem"), ctx.path("own.key"))
    site.write()
    done = site.ctl_run("reload")
    told = done.stdout + done.stderr + site.ctl_run("summary").stdout + site.log()
    check("expired" in told or "has ended" in told, f"nothing is said of it: {told[-800:]}")


# ---- many changes --------------------------------------------------------------------------------

WARM_UP = 10  # changes by which everything has been used once


def figures(site):
    """Memory, and files of siptls-fetch; both with no session and no old worker left."""
    site.ctx.wait(lambda: len(site.processes()) == 1 + site.general["workers"], "old workers to go")
    site.ctx.wait(site.settled, f"descriptors as at the start, {site.baseline}")
    fetcher = site.fetcher()
    return site.pss(), system.open_files(fetcher) if fetcher else 0


def no_growth(ctx, site, before, what):
    memory, files = figures(site)
    print(f"memory: {what} before={before[0]} after={memory} grown={memory - before[0]}")
    ctx.check_memory(memory - before[0], 6 << 20, what)
    check(files <= before[1] + 4, f"siptls-fetch has {files} files open, had {before[1]}")


class Traffic:
    """Calls without end: one SIPp after the other, on one connection and with one for each call."""

    def __init__(self, ctx, target, sites):
        self.ctx, self.target, self.sites, self.turns, self.uac = ctx, target, sites, 0, None

    def go_on(self):
        if self.uac and self.uac.process.poll() is None:
            return
        if self.uac:
            self.succeed()
        self.turns += 1
        each = self.turns % 2 == 0  # a handshake for each call
        self.uac = programs.sipp_start(self.ctx, self.target,
                                       self.ctx.amount("connections" if each else "calls"),
                                       self.ctx.amount("connections_rate") if each
                                       else self.ctx.amount("calls_rate") // 2,
                                       name=f"uac-{self.turns}", connection_per_call=each)

    def succeed(self):
        try:
            self.uac.succeed()
        except Failed as error:
            raise Failed(f"ended: {[site.ended() for site in self.sites]}; {error}") from None


@limits(seconds=600, heavy=True)
def test_many_reloads(ctx):
    """Reloads under calls, each with another topology: no call fails, nothing grows."""
    number = ctx.amount("trust_reloads")
    uas = programs.sipp_uas(ctx)
    b = ctx.site("b", identity="b").listen("trunk", f"127.0.0.1:{uas}")
    patience = {f"{what}_timeout": f"{int(10 * ctx.slow)}s" for what in ("handshake", "connect")}
    b.limits.update(patience)
    b.start()
    a = ctx.site("a").dial("to-b", b.port("trunk"))
    a.limits.update(patience)
    a.start()
    plain, traffic = b.topology, Traffic(ctx, a.port("to-b"), (a, b))

    def change(n):
        for site in (a, b):
            site.topology = plain.replace("serial = 1", f"serial = {n + 2}") + \
                (f'site "more" {{\n\tanchors = {{"@PKI@/enterprise-ca.pem"}}\n'
                 f'\tapplication "pool-{n}.c.example" {{ }}\n}}\n' if n % 2 else "")
            site.reload()
    programs.sipp_calls(ctx, a.port("to-b"), ctx.amount("calls"), ctx.amount("calls_rate"))
    for n in range(WARM_UP):
        change(n)
    before = {site: figures(site) for site in (a, b)}
    for n in range(WARM_UP, number + WARM_UP):
        traffic.go_on()
        change(n)
    traffic.succeed()
    for site in (a, b):
        check_equal(site.summary()["generation"], number + WARM_UP + 1, f"generation of {site.name}")
        check_equal(site.summary()["serial"], number + WARM_UP + 1, f"serial of {site.name}")
        site.relaying(0, 60)
        no_growth(ctx, site, before[site], f"reloads={number} {site.name}")


@limits(seconds=600, heavy=True)
def test_many_lists(ctx):
    """A CRL replaced again and again under traffic: each is read, nobody is dropped, nothing grows."""
    number = ctx.amount("crl_changes")
    ca, path = make_ca(ctx, "p")
    folder = ctx.path("crl")
    os.mkdir(folder)
    site, _ = make_site(ctx, partner("p", [path], f'crl = {{"{folder}"}}', 'revocation = "require"'))
    oldest = time.time() - number - 120

    def change(n):
        """Each list a little newer than the last, and none from the future."""
        issue.write(f"{folder}/ca.crl", ca.crl(range(5000, 5400), number=n + 1,
                                               valid=(oldest + n - time.time(), DAY)))
    change(0)
    site.start()
    ctx.wait(lambda: site.summary()["crls"] == 1, "the first list")
    crowd, cert = Crowd(ctx, site.port("trunk")), ctx.leaf(ca, "edge.p.example")

    def changes(first, last):
        for n in range(20):
            crowd.join(n, cert)
        with crowd.talking(range(20)):
            for n in range(first, last):
                board = site.summary()["board"]
                change(n)
                ctx.wait(lambda board=board: site.summary()["board"] > board, f"list {n}", 5)
                if n % 25 == 0:
                    admitted(ctx, site, cert)
        check_equal(len(site.relaying(20)), 20, "sessions")
        crowd.leave()
        site.relaying(0)
    changes(1, WARM_UP)
    before = figures(site)
    changes(WARM_UP, WARM_UP + number)
    no_growth(ctx, site, before, f"lists={number}")


def test_warnings_are_told(ctx):
    """What is allowed and probably not meant: a line each, with file and line."""
    text = ('partner "p" {\n\tanchors = {"@PKI@/partner-a-ca.pem"}\n\trevocation = "require"\n'
            '\tserver "edge.p.example" { }\n}\n')
    site, _ = make_site(ctx, text)
    site.blocks['listen "trunk"']["backend"] = BACKEND_NONE
    site.start()
    told = site.ctl_run("summary").stdout + site.log()
    check("topology.conf" in told and "revocation" in told,
          f"no warning of revocation without a source: {told}")
