# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reload: as a whole or not at all, with the line that is wrong, and without a call lost."""
import os
import signal
import socket
import ssl
import subprocess

import peers
import programs
from harness import check, check_equal
from system import split_address

# What is broken: file, text, what it becomes. The error must name the file and the last line.
BROKEN = {
    "unknown_option": ("siptlsd.conf", "workers = 2", "workerz = 2"),
    "unknown_section": ("siptlsd.conf", "control {", "kontrol {"),
    "wrong_type": ("siptlsd.conf", "workers = 2", 'workers = "two"'),
    "out_of_range": ("siptlsd.conf", "workers = 2", "workers = 65"),
    "bad_kernel": ("siptlsd.conf", "workers = 2", 'workers = 2 kernel = "maybe"'),
    "bad_duration": ("siptlsd.conf", 'handshake_timeout = "9s"',
                     'handshake_timeout = "9 moons"'),
    "bad_address": ("siptlsd.conf", 'address = {"127.0.0.1:0"}', 'address = {"localhost:0"}'),
    "bad_backend": ("siptlsd.conf", 'backend = "@BACKEND@"', 'backend = "127.0.0.1"'),
    "bad_proxy": ("siptlsd.conf", 'proxy_protocol = "none"', 'proxy_protocol = "v3"'),
    "bad_kind": ("siptlsd.conf", 'proxy_protocol = "none"', 'kind = "both"'),
    "tls12_on_mutual": ("siptlsd.conf", 'proxy_protocol = "none"', "tls12 = true"),
    "unknown_identity": ("siptlsd.conf", 'proxy_protocol = "none"', 'identity = {"nobody"}'),
    "duplicate_title": ("siptlsd.conf", 'listen "second"', 'listen "trunk"'),
    "unknown_peer": ("siptlsd.conf", 'peer = "pool.b.example"', 'peer = "pool.x.example"'),
    "public_dial": ("siptlsd.conf", 'address = {"127.0.0.1:0"}\n\tpeer',
                    'address = {"0.0.0.0:0"} peer'),
    "no_certificate_file": ("siptlsd.conf", "a.pem", "missing.pem"),
    "no_key_file": ("siptlsd.conf", "a.key", "missing.key"),
    "key_of_another": ("siptlsd.conf", "a.key", "b.key"),
    "key_as_certificate": ("siptlsd.conf", "a.pem", "a.key"),
    "syntax": ("siptlsd.conf", "workers = 2", "workers = = 2"),
    "unclosed": ("topology.conf", 'site "hq" {', 'site "hq" { site "hr" {'),
    "serial_zero": ("topology.conf", "serial = 1", "serial = 0"),
    "depth": ("topology.conf", "serial = 1", "serial = 1 depth = 17"),
    "anchors_missing": ("topology.conf", "partner-b-ca.pem", "missing-ca.pem"),
    "anchor_is_no_ca": ("topology.conf", "partner-b-ca.pem", "partner-b.pem"),
    "anchor_is_a_key": ("topology.conf", "partner-b-ca.pem", "partner-b-ca.key"),
    "wildcard_with_pool": ("topology.conf", '{ profile = "rfc5922" }',
                           '{ profile = "rfc5922" wildcard = true }'),
    "bad_profile": ("topology.conf", '{ profile = "rfc5922" }', '{ profile = "strict" }'),
    "bad_usage": ("topology.conf", '{ profile = "rfc5922" }', '{ key_usage = "any" }'),
    "bad_direction": ("topology.conf", 'direction = "outbound"', 'direction = "out"'),
    "wildcard_name": ("topology.conf", 'server "edge.partner-b.example"',
                      'server "*.partner-b.example"'),
    "trailing_dot": ("topology.conf", 'server "edge.partner-b.example"',
                     'server "edge.partner-b.example."'),
    "duplicate_name": ("topology.conf", 'server "edge.partner-b.example"',
                       'server "POOL.b.example"'),
    "duplicate_member": ("topology.conf", 'member "fe2.b.example"', 'member "fe1.b.example"'),
}


def make(ctx):
    backend = peers.Backend(ctx, echo=True)
    site = ctx.site("a").listen("trunk", backend.address).listen("second", backend.address)
    site.dial("out", "127.0.0.1:9")
    site.limits["handshake_timeout"] = "9s"
    return site, backend


def break_it(site, backend, name):
    """Give file name and line of the mistake."""
    file, old, new = BROKEN[name]
    old = old.replace("@BACKEND@", backend.address)
    site.write()
    with open(f"{site.dir}/{file}", encoding="utf-8") as f:
        text = f.read()
    at = text.index(old)
    site.write_file(file, text[:at] + new + text[at + len(old):])
    return file, text[:at].count("\n") + 1 + new.count("\n")


def state(site):
    """All that a failed reload may not change."""
    summary = site.summary()
    return (summary["generation"], summary["serial"], site.ports(), site.processes(),
            site.descriptors(), [s["id"] for s in site.sessions()])


def echo(sock, text=b"ping"):
    sock.sendall(text)
    check_equal(peers.receive(sock, len(text)), text, "echo")


def named(text, file, line):
    return f"/{file}:{line}:" in text or f"/{file} line={line}\n" in text  # terminal, log


def test_broken_by_siptlsctl(ctx):
    site, backend = make(ctx)
    site.start()
    wrong = []
    with peers.tls_connect(ctx, site.port("trunk")) as sock:
        echo(sock)
        before = state(site)
        for name in BROKEN:
            file, line = break_it(site, backend, name)
            done = site.ctl_run("reload")
            if done.returncode == 0 or not named(done.stderr, file, line):
                wrong.append(f"{name}: expected {file}:{line}, status {done.returncode}, "
                             f"{done.stdout}{done.stderr}")
            ctx.wait(lambda: state(site) == before, f"nothing to have changed by {name}")
            echo(sock)
    check(not wrong, "\n".join(wrong))


def test_broken_by_sighup(ctx):
    site, backend = make(ctx)
    site.start()
    wrong = []
    with peers.tls_connect(ctx, site.port("trunk")) as sock:
        echo(sock)
        before = state(site)
        for name in BROKEN:
            file, line = break_it(site, backend, name)
            told = len(site.log())
            os.kill(site.process.pid, signal.SIGHUP)
            ctx.wait(lambda told=told: " line=" in site.log()[told:], f"the log to tell of {name}")
            if not named(site.log()[told:], file, line):
                wrong.append(f"{name}: expected {file}:{line}, logged {site.log()[told:]}")
            ctx.wait(lambda: state(site) == before, f"nothing to have changed by {name}")
            echo(sock)
    check(not wrong, "\n".join(wrong))


def daemon_check(ctx, site):
    return subprocess.run([ctx.program("siptlsd"), "--check", "--config", site.conf, "--worker",
                           ctx.program("siptls-handshake")], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False, timeout=20 * ctx.slow)


def test_check_option(ctx):
    site, backend = make(ctx)
    wrong = []
    site.write()
    done = daemon_check(ctx, site)
    check_equal(done.returncode, 0, f"status of --check: {done.stderr}")
    for name in BROKEN:
        file, line = break_it(site, backend, name)
        done = daemon_check(ctx, site)
        if done.returncode != 1 or not named(done.stdout + done.stderr, file, line):
            wrong.append(f"{name}: expected {file}:{line}, status {done.returncode}, "
                         f"{done.stdout}{done.stderr}")
    check(not wrong, "\n".join(wrong))


def test_port_in_use(ctx):
    site, backend = make(ctx)
    site.start()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        site.listen("third", backend.address, address=["127.0.0.1:%d" % taken.getsockname()[1]])
        site.write()
        before = state(site)
        done = site.ctl_run("reload")
        check(done.returncode != 0, "reload succeeded with a port in use")
        check("siptlsd.conf:" in done.stderr, f"no line named: {done.stderr}")
        ctx.wait(lambda: state(site) == before, "nothing to have changed")


def reload_now(site):
    site.write()
    done = site.ctl_run("reload")
    check_equal(done.returncode, 0, f"reload: {done.stderr}")


def test_listeners_come_and_go(ctx):
    site, backend = make(ctx)
    site.start()
    trunk, second = site.port("trunk"), site.port("second")
    with peers.tls_connect(ctx, second) as old:
        echo(old)
        del site.blocks['listen "second"']
        site.listen("third", backend.address)
        reload_now(site)
        check_equal(site.port("trunk"), trunk, "a listener that was not touched")
        with peers.tls_connect(ctx, site.port("third")) as sock:
            echo(sock)
        try:
            socket.create_connection(split_address(second)).close()
            check(False, "the removed listener still accepts")
        except ConnectionRefusedError:
            pass
        echo(old)  # its session lives on
    check_equal(site.summary()["generation"], 2, "generation")


def shown(ctx, address):
    """Serial number of the certificate that the site shows."""
    with peers.tls_connect(ctx, address) as sock:
        echo(sock)
        return ssl.DER_cert_to_PEM_cert(sock.getpeercert(binary_form=True)).strip()


def pem(ctx, name):
    with open(ctx.cert(name), encoding="ascii") as f:
        return f.read().strip()


def test_new_certificate(ctx):
    site, _ = make(ctx)
    site.start()
    with peers.tls_connect(ctx, site.port("trunk")) as old:
        echo(old)
        check_equal(shown(ctx, site.port("trunk")), pem(ctx, "a"), "certificate before")
        site.identities["main"] = (ctx.cert("a-renewed"), ctx.key("a-renewed"))
        reload_now(site)
        check_equal(shown(ctx, site.port("trunk")), pem(ctx, "a-renewed"), "certificate after")
        echo(old)


def test_topology_grows(ctx):
    """A server that is added is trusted from the reload on."""
    site, _ = make(ctx)
    site.start()
    peers.refused(ctx, site.port("trunk"), "unlisted")
    site.topology = site.topology.replace("serial = 1", "serial = 2").replace(
        'pool "pool.a.example"', 'application "pool.c.example" { }\n\tpool "pool.a.example"')
    reload_now(site)
    with peers.tls_connect(ctx, site.port("trunk"), "unlisted") as sock:
        echo(sock)
        check_equal(site.relaying()[0]["peer"], "pool.c.example", "peer")
    check_equal(site.summary()["serial"], 2, "serial")


def test_reloads_under_traffic(ctx):
    uas = programs.sipp_uas(ctx)
    b = ctx.site("b", identity="b").listen("trunk", f"127.0.0.1:{uas}").start()
    a = ctx.site("a").dial("to-b", b.port("trunk")).start()
    calls, reloads = ctx.amount("calls"), ctx.amount("reloads")
    traffic = programs.sipp_start(ctx, a.port("to-b"), calls, ctx.amount("calls_rate") // 2)
    both = programs.sipp_start(ctx, a.port("to-b"), calls // 4, ctx.amount("calls_rate") // 8,
                               name="uac-tn", connection_per_call=True)
    for n in range(reloads):
        for site, kept in ((a, "a"), (b, "b")):
            if n % 2:
                check_equal(site.ctl_run("reload").returncode, 0, f"reload {n} of {kept}")
            else:
                generation = site.summary()["generation"]
                os.kill(site.process.pid, signal.SIGHUP)
                ctx.wait(lambda site=site, g=generation: site.summary()["generation"] > g, "reload")
    traffic.succeed()
    both.succeed()
    for site in (a, b):
        ctx.wait(lambda site=site: len(site.processes()) == 3, "old workers to go")
