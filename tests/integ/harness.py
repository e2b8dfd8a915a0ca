# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every test stands on: a context with limits that scale, and siptlsd itself as a Site.

A test is a function test_NAME(ctx). Everything it starts belongs to its context and ends with it;
a Site that ends is checked for a clean exit, for descriptors and for sanitizer reports.
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import system
import varlink

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../pki"))
import issue  # noqa: E402 pylint: disable=wrong-import-position

BACKEND_NONE = "127.0.0.1:9"  # the discard port: nobody listens there

# How much of something a test does: (as a rule, with a sanitizer, on a slow machine, both).
AMOUNTS = {
    "calls": (200, 100, 200, 40),
    "calls_rate": (100, 50, 40, 10),
    "connections": (100, 50, 30, 10),
    "connections_rate": (50, 25, 5, 2),
    "churn": (10000, 1500, 600, 200),
    "idle_kernel": (2000, 300, 300, 100),
    "idle_user": (300, 100, 50, 50),
    "push_bytes": (50 << 20, 50 << 20, 50 << 20, 50 << 20),
    "message_bytewise": (64 << 10, 64 << 10, 8 << 10, 4 << 10),
    "reloads": (20, 20, 20, 10),
    "stall_step": (7, 31, 97, 211),
    "resting": (1000, 200, 100, 25),
    "peers": (2000, 300, 150, 40),
    "trust_reloads": (300, 60, 30, 10),
    "crl_changes": (300, 60, 30, 10),
}
LONG = {"trust_reloads": 10000, "crl_changes": 1000}  # with --long
LONG_TIME = 60  # so much longer may a test take then

# Every name of the tests has its place here; tests/pki/make-pki makes the certificates.
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "topology.conf"),
          encoding="ascii") as _file:
    TOPOLOGY = _file.read()

SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")


class Failed(Exception):
    """The product did not do what the test asks of it."""


class Skipped(Exception):
    """This machine cannot run the test; the text says what it lacks."""


def limits(seconds=60, heavy=False):
    """Time a test may take on an ordinary machine; heavy ones are left out by --quick."""
    def mark(function):
        function.seconds, function.heavy = seconds, heavy
        return function
    return mark


def check(condition, text):
    if not condition:
        raise Failed(text)


def check_equal(found, expected, what):
    if found != expected:
        raise Failed(f"{what}: expected {expected!r:.300}, found {found!r:.300}")


def need_root():
    if os.geteuid() != 0:
        raise Skipped("only root can")


class Context:
    """One run of one test: its directory, its processes, and how patient it is."""

    def __init__(self, build, pki, directory, mode, slow, column, sanitized, long=False):
        self.build, self.pki, self.dir = build, pki, directory
        self.mode, self.slow, self.column, self.sanitized = mode, slow, column, sanitized
        self.long, self.things = long, []

    def amount(self, what):
        return LONG[what] if self.long and what in LONG else AMOUNTS[what][self.column]

    def check_memory(self, grown, limit, what):
        """A sanitizer keeps what is freed for a while: its memory tells nothing."""
        check(self.sanitized or grown < limit, f"memory grew by {grown} bytes {what}")

    def program(self, name):
        return os.path.join(self.build, name)

    def cert(self, name):
        return os.path.join(self.pki, f"{name}.pem")

    def key(self, name):
        return os.path.join(self.pki, f"{name}.key")

    def path(self, name):
        return os.path.join(self.dir, name)

    def authority(self, name):
        """A CA of make-pki, to issue with; for one of its own a test calls issue.Authority()."""
        return issue.Authority.load(self.cert(name)[:-len(".pem")])

    def leaf(self, authority, *args, chain=None, **options):
        """Issue and save a certificate: what is taken for a name of make-pki's, too."""
        made = authority.issue(*args, **options)
        return made.save(self.path(f"leaf-{made.serial:x}"), chain)

    def keep(self, thing):
        """Have thing.stop() called at the end, last kept first."""
        self.things.append(thing)
        return thing

    def wait(self, condition, what, seconds=10):
        deadline = time.monotonic() + seconds * self.slow
        pause = 0.002
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                raise Failed(f"waited {seconds * self.slow:.0f} s for {what}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    def spawn(self, name, args, **options):
        return self.keep(Process(self, name, args, **options))

    def site(self, name, **options):
        return self.keep(Site(self, name, **options))

    def finish(self):
        """Stop everything; the first complaint counts, all are stopped."""
        complaint = None
        while self.things:
            try:
                self.things.pop().stop()
            except Failed as error:
                complaint = complaint or error
        if complaint:
            raise complaint


class Process:
    """A program of somebody else, with its output in NAME.out of the test's directory."""

    def __init__(self, ctx, name, args, stdin=subprocess.DEVNULL, **options):
        self.ctx, self.name, self.out = ctx, name, ctx.path(f"{name}.out")
        with open(self.out, "wb") as f:
            self.process = subprocess.Popen(args, stdin=stdin, stdout=f, stderr=f, cwd=ctx.dir,
                                            **options)
        self.pid = self.process.pid

    def output(self):
        with open(self.out, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait(self, seconds=30):
        try:
            return self.process.wait(seconds * self.ctx.slow)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} has not ended") from None

    def listening(self, port):
        def state():
            if self.process.poll() is not None:
                raise Failed(f"{self.name} ended: {self.output()[-600:]}")
            return system.listening(port)
        self.ctx.wait(state, f"{self.name} to listen on port {port}")
        return self

    def stop(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(10 * self.ctx.slow)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


def value_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "{" + ", ".join(value_text(v) for v in value) + "}"
    return f'"{value}"'


def block(head, options):
    """A section of the configuration; nothing if it would be empty."""
    if not options:
        return ""
    lines = [f"\t{name} = {value_text(value)}" for name, value in options.items()]
    return "\n".join([f"{head} {{", *lines, "}"]) + "\n"


class Site:
    """One siptlsd with a configuration of its own in DIR/NAME."""

    def __init__(self, ctx, name, identity="a", topology=TOPOLOGY, **options):
        self.ctx, self.name, self.dir = ctx, name, ctx.path(name)
        os.mkdir(self.dir, 0o755)
        self.conf, self.socket = f"{self.dir}/siptlsd.conf", f"{self.dir}/control"
        self.general = {"workers": 2, "state": f"{self.dir}/state", **options}
        os.mkdir(f"{self.dir}/state")
        self.control = {"socket": self.socket}
        self.limits, self.dns, self.blocks = {}, {}, {}
        self.identities = {"main": (ctx.cert(identity), ctx.key(identity))}
        self.topology = topology
        self.process = self.control_socket = self.baseline = None
        self.told = []  # what systemd would have been told
        self.leave_dirty = False  # the test ends the daemon itself

    # ---- configuration

    def listen(self, name, backend, **options):
        self.blocks[f'listen "{name}"'] = {"address": ["127.0.0.1:0"], "backend": backend,
                                           "proxy_protocol": "none", **options}
        return self

    def dial(self, name, connect, peer="pool.b.example", **options):
        """Without an address to connect to it is looked up."""
        where = {"connect": connect} if connect else {}
        self.blocks[f'dial "{name}"'] = {"address": ["127.0.0.1:0"], "peer": peer, **where, **options}
        return self

    def write(self):
        text = "".join(f"{k} = {value_text(v)}\n" for k, v in self.general.items())
        text += block("control", self.control) + block("limits", self.limits)
        text += block("dns", self.dns)
        for name, files in self.identities.items():
            text += block(f'identity "{name}"', dict(zip(("certificate", "key", "ocsp"), files)))
        text += "".join(block(head, options) for head, options in self.blocks.items())
        self.write_file("siptlsd.conf", text)
        self.write_file("topology.conf", self.topology.replace("@PKI@", self.ctx.pki))
        return self

    def write_file(self, name, text):
        with open(f"{self.dir}/{name}", "w", encoding="utf-8") as f:
            f.write(text)

    # ---- life

    def start(self):
        self.write()
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(f"{self.dir}/notify")
        threading.Thread(target=self.listen_to, args=(notify,), daemon=True).start()
        env = {**os.environ, "NOTIFY_SOCKET": f"{self.dir}/notify"}
        env.pop("JOURNAL_STREAM", None)
        self.process = Process(self.ctx, f"{self.name}.log", [
            self.ctx.program("siptlsd"), "--config", self.conf, "--worker",
            self.ctx.program("siptls-handshake"), "--fetch", self.ctx.program("siptls-fetch")],
            env=env)
        self.ctx.wait(self.ready, f"READY=1 of {self.name}")
        self.control_socket = varlink.Control(self.socket, 20 * self.ctx.slow)
        self.ctx.wait(lambda: self.summary()["workers"] == self.general["workers"],
                      f"the workers of {self.name}")
        self.baseline = self.steady_descriptors()
        return self

    def listen_to(self, notify):
        while True:
            self.told.append(notify.recv(4096).decode())

    def ready(self):
        check(self.process.process.poll() is None, f"{self.name} ended: {self.log()[-800:]}")
        return any("READY=1" in text for text in self.told)

    def log(self):
        return self.process.output()

    def processes(self):
        """The daemon and its workers; siptls-fetch, which opens what it finds out there, is apart."""
        return [self.process.pid, *(pid for pid in system.children(self.process.pid)
                                    if system.name(pid) != "siptls-fetch")]

    def fetcher(self):
        """The pid of siptls-fetch; None if there is none just now."""
        return next((pid for pid in system.children(self.process.pid)
                     if system.name(pid) == "siptls-fetch"), None)

    def descriptors(self):
        """Open files of the daemon, listening sockets left out, and of its workers if they agree.

        siptlsd lets nobody but root look (PR_SET_DUMPABLE), nor at the size of its memory.
        """
        if os.geteuid() != 0:
            return None
        daemon, *workers = self.processes()
        each = {system.open_files(pid) for pid in workers} - {None}
        return system.open_files(daemon) - len(self.ports()), *each, len(workers)

    def steady_descriptors(self):
        """READY=1 tells that one worker is ready; the others open what it has, a little later."""
        seen = []

        def steady():
            seen.append(self.descriptors())
            last = seen[-5 - int(self.ctx.slow):]
            return len(seen) > len(last) and len(set(last)) == 1 and len(last[0] or "abc") == 3
        self.ctx.wait(steady, f"the workers of {self.name}")
        return seen[-1]

    def settled(self):
        return self.summary()["sessions"]["handles"] == 0 and self.descriptors() == self.baseline

    def pss(self):
        """Memory of all processes in bytes; without files, whose share depends on other tests."""
        need_root()
        return sum(system.memory(pid) for pid in [*self.processes(), self.fetcher()] if pid)

    def stop(self):
        if self.process is None or self.process.process.returncode is not None:
            return
        complaints = []
        if self.process.process.poll() is None and not self.leave_dirty:
            try:
                self.ctx.wait(self.settled, "no session and no descriptor left")
            except Failed as error:
                complaints.append(f"{error}: had {self.baseline}, has {self.descriptors()}, "
                                  f"sessions {self.control_socket.list('Sessions')!r:.300}")
        self.process.stop()
        self.control_socket.close()
        status = self.process.process.returncode
        if status != 0:
            complaints.append(f"exit status {status}")
        if SANITIZER.search(self.log()):
            complaints.append("sanitizer report in the log")
        check(not complaints, f"{self.name}: " + "; ".join(complaints))

    # ---- looking at it

    def ctl_run(self, *args, **options):
        return subprocess.run([self.ctx.program("siptlsctl"), "--socket", self.socket, *args],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              timeout=20 * self.ctx.slow, **options)

    def ctl(self, *args):
        done = self.ctl_run("--json", *args)
        check(done.returncode == 0, f"siptlsctl {args}: status {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def reload(self):
        """Write the files anew and put them in force; the sessions that it ends are going then."""
        self.write()
        done = self.ctl_run("reload")
        check_equal(done.returncode, 0, f"reload of {self.name}: {done.stderr}")
        return self

    def refusals(self):
        """What was refused, newest first."""
        return self.ctl("refusals")["refusals"]

    def summary(self):
        return self.control_socket.call("GetSummary")["summary"]

    def ended(self):
        return {code: n for code, n in self.summary()["ended"].items() if n}

    def ports(self):
        return self.control_socket.list("Ports")

    def port(self, via):
        for port in self.ports():
            if port["via"] == via:
                return port["address"]
        raise Failed(f"{self.name} has no port of {via!r}")

    def sessions(self):
        """All sessions; whoever relays must do so where this run expects it."""
        found = self.control_socket.list("Sessions")
        for session in found:
            if session["state"] == "relaying":
                check_equal(session["mode"], self.ctx.mode, f"mode of session {session['id']} "
                            f"({session.get('kernel_why')})")
                check(self.ctx.mode == "kernel" or session["kernel_why"], "kernel_why is empty")
        return found

    def relaying(self, n=1, seconds=10):
        """Wait for n relaying sessions, no others, and give them."""
        def state():
            found = self.sessions()
            return len(found) == n and all(s["state"] == "relaying" for s in found) and (found,)
        found, = self.ctx.wait(state, f"{n} relaying sessions of {self.name}", seconds)
        if self.ctx.mode == "kernel" and os.geteuid() == 0:
            done = self.ctl_run("sessions", "--verify")
            check(done.returncode == 0, f"sessions --verify: {done.stdout} {done.stderr}")
        return found

    def expect_ends(self, reasons, seconds=10):
        """Wait until exactly these ends were counted since start, none of them twice."""
        self.ctx.wait(lambda: sum(self.ended().values()) >= sum(reasons.values()),
                      f"{reasons} of {self.name}, counted so far: {self.ended()}", seconds)
        check_equal(self.ended(), reasons, f"ends of {self.name}")
        for code, n in reasons.items():
            check_equal(len(re.findall(rf"\breason={re.escape(code)}\b(?!-)", self.log())), n,
                        f"log lines of {self.name} with reason={code}")
