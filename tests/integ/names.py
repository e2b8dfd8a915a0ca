# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real name server: NSD on a port of 127.0.0.1, with zones that are signed where a test wants it.

    server = names.NameServer(ctx, {"b.example": "pool A 127.0.0.1\n"}).start()
    site.dns = {"server": [server.address], "trust_anchor": server.anchors}
    server.zone("b.example", "pool A 127.0.0.9\n")              # the zone has changed
    server.zone("b.example", "pool A 127.0.0.9\n", sign=False)  # somebody else's words
"""
import os
import random
import re
import signal
import socket
import subprocess

from harness import Process, check
from programs import need

TTL = 1  # of records without their own: what changes is seen soon


def free_port():
    """For UDP and TCP, below those of connections: nobody may be connected to himself while waiting."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class NameServer:
    """Zones are the lines after SOA and NS; all are signed unless they are told not to be."""

    def __init__(self, ctx, zones, name="names", sign=True):
        self.ctx, self.name, self.dir = ctx, name, ctx.path(name)
        self.program = need("nsd")
        for tool in ("ldns-keygen", "ldns-signzone", "drill"):
            need(tool)
        os.mkdir(self.dir)
        self.anchors = f"{self.dir}/anchors"  # the zones' keys, as a file for trust_anchor
        self.zones, self.keys, self.serial, self.process = [], {}, 0, None
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        for zone, lines in zones.items():
            self.zone(zone, lines, sign)

    def run(self, *args):
        done = subprocess.run(args, cwd=self.dir, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=30 * self.ctx.slow)
        check(done.returncode == 0, f"{args}: {done.stdout}{done.stderr}")
        return done.stdout

    # ---- zones

    def zone(self, zone, lines, sign=True, inception=None, expiration=None, broken=None):
        """What the zone holds from now on; when this returns the server gives it.

        inception, expiration: of the signatures, as YYYYMMDD; broken: (owner, type) whose signature
        is changed. The key stays, so a zone that is no longer signed is one that was taken over.
        """
        self.serial += 1
        self.write(zone, f"$ORIGIN {zone}.\n$TTL {TTL}\n"
                   f"@ SOA ns hostmaster {self.serial} 60 60 3600 {TTL}\n@ NS ns\nns A 127.0.0.1\n{lines}")
        if sign:
            period = [*(["-i", inception] if inception else []), *(["-e", expiration] if expiration else [])]
            self.run(need("ldns-signzone"), *period, "-f", f"{zone}.signed", zone, self.key(zone))
            os.rename(f"{self.dir}/{zone}.signed", f"{self.dir}/{zone}")
        if broken:
            self.breakage(zone, *broken)
        if zone not in self.zones:
            check(not self.process, "the server runs: no more zones")
            self.zones.append(zone)
        if self.process:
            self.process.process.send_signal(signal.SIGHUP)
            self.ctx.wait(lambda: self.served(zone) == self.serial, f"zone {zone} to be replaced")

    def write(self, name, text):
        """As a whole: the server reads it when it likes."""
        with open(f"{self.dir}/{name}.new", "w", encoding="ascii") as f:
            f.write(text)
        os.rename(f"{self.dir}/{name}.new", f"{self.dir}/{name}")

    def key(self, zone):
        if zone not in self.keys:
            self.keys[zone] = self.run(need("ldns-keygen"), "-r", "/dev/urandom", "-k", "-a",
                                       "ECDSAP256SHA256", zone).strip()
            with open(f"{self.dir}/{self.keys[zone]}.key", encoding="ascii") as key:
                with open(self.anchors, "a", encoding="ascii") as f:
                    f.write(key.read())
        return self.keys[zone]

    def breakage(self, zone, owner, kind):
        with open(f"{self.dir}/{zone}", encoding="ascii") as f:
            text = f.read()
        owner = zone if owner == "@" else f"{owner}.{zone}"
        signature = re.compile(rf"^({re.escape(owner)}\.\t.*\tRRSIG\t{kind} .*)(.)(.{{40}})$", re.M)
        text, n = signature.subn(lambda m: m[1] + ("B" if m[2] == "A" else "A") + m[3], text)
        check(n > 0, f"{zone} has no signature over {owner} {kind}")
        self.write(zone, text)

    # ---- life

    def start(self):
        self.write("nsd.conf", "".join([
            f'server:\n ip-address: 127.0.0.1@{self.port}\n username: ""\n chroot: ""\n server-count: 1\n',
            f' zonesdir: "{self.dir}"\n database: ""\n pidfile: ""\n zonelistfile: "{self.dir}/zone.list"\n',
            f' xfrdfile: "{self.dir}/xfrd"\n xfrdir: "{self.dir}"\n logfile: "{self.dir}/log"\n',
            "remote-control:\n control-enable: no\n",
            *(f"zone:\n name: {zone}\n zonefile: {zone}\n" for zone in self.zones)]))
        self.process = self.ctx.keep(Process(self.ctx, f"{self.name}.nsd", [
            self.program, "-d", "-c", f"{self.dir}/nsd.conf"]))
        self.process.listening(self.port)
        return self

    def stop(self):
        """No answer from now on; start() brings it back."""
        self.process.stop()
        self.process = None

    def served(self, zone):
        """The serial number that the server gives for a zone; None: it does not answer."""
        done = subprocess.run([need("drill"), "-p", str(self.port), "@127.0.0.1", zone, "SOA"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              timeout=20 * self.ctx.slow)
        found = re.search(r"\tSOA\t\S+ \S+ (\d+) ", done.stdout)
        return int(found[1]) if found else None
