# SPDX-License-Identifier: LGPL-2.1-or-later
"""The other ends that are programs: SIPp, Kamailio, openssl; and SIP requests by hand."""
import os
import shutil
from subprocess import PIPE

from harness import Process, Skipped, check
from system import free_port


def need(program):
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if not found:
        raise Skipped(f"{program} is not installed")
    return found


def sipp_uas(ctx, name="uas"):
    """A SIPp that answers calls over TCP: its port."""
    port = free_port()
    ctx.spawn(name, [need("sipp"), "-sn", "uas", "-t", "t1", "-i", "127.0.0.1", "-p", str(port),
                     "-nostdin"], env={**os.environ, "TERM": "dumb"}).listening(port)
    return port


class Calls(Process):
    """A SIPp that makes calls."""

    def succeed(self):
        status = self.wait(90)  # 0: no call has failed
        told = [line for line in self.output().splitlines() if line[:1] not in ("", " ", "-")]
        check(status == 0, f"SIPp status {status}: {told[-10:]} {self.output()[-1500:]}")


def sipp_start(ctx, target, calls, rate, name="uac", connection_per_call=False):
    return ctx.keep(Calls(ctx, name, [
        need("sipp"), "-sn", "uac", "-t", "tn" if connection_per_call else "t1", "-i", "127.0.0.1",
        "-p", str(free_port()), target, "-m", str(calls), "-r", str(rate), "-nostdin",
        "-max_socket", "1000", "-timeout", f"{60 * ctx.slow:.0f}s", "-timeout_error"],
        env={**os.environ, "TERM": "dumb"}))


def sipp_calls(ctx, *args, **options):
    sipp_start(ctx, *args, **options).succeed()


KAMAILIO = """
debug=2
log_stderror=yes
children=1
tcp_children=2
disable_core_dump=yes
auto_aliases=no
tcp_accept_haproxy=@HAPROXY@
enable_tls=@TLS@
@LISTEN@
mpath="/usr/lib/@ARCH@/kamailio/modules/"
@MODULES@
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
request_route {
	if (is_method("OPTIONS") && @ANSWER@) {
		append_to_reply("X-Source: $si:$sp\r\n");
		sl_send_reply("200", "OK");
		exit;
	}
	$du = "@FORWARD@";
	t_relay();
}
"""


def kamailio(ctx, name="kamailio", forward="", haproxy=False, tls=None, answer=True, client="b"):
    """Kamailio on a plain port and, with certificate `tls`, a TLS port: gives both ports."""
    program = need("kamailio")
    plain, secure = free_port(), free_port()
    arch = os.path.basename(os.path.dirname(os.path.dirname(next(
        path for path in map("/usr/lib/{}/kamailio/modules".format, os.listdir("/usr/lib"))
        if os.path.isdir(path)))))
    listen, modules = [f"listen=tcp:127.0.0.1:{plain}"], []
    if tls:
        listen.append(f"listen=tls:127.0.0.1:{secure}")
        modules = ['loadmodule "tls.so"', f'modparam("tls", "config", "{ctx.path(name)}.tls")']
        common = ("method = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\n"
                  f"ca_list = {ctx.cert('enterprise-ca')}\n")
        with open(ctx.path(f"{name}.tls"), "w", encoding="ascii") as f:
            for side, cert in (("server", tls), ("client", client)):
                f.write(f"[{side}:default]\n{common}certificate = {ctx.cert(cert)}\n"
                        f"private_key = {ctx.key(cert)}\n")
    config = KAMAILIO
    for key, value in (("HAPROXY", "yes" if haproxy else "no"), ("TLS", "yes" if tls else "no"),
                       ("LISTEN", "\n".join(listen)), ("MODULES", "\n".join(modules)),
                       ("ARCH", arch), ("FORWARD", forward), ("ANSWER", "1" if answer else "0")):
        config = config.replace(f"@{key}@", value)
    with open(ctx.path(f"{name}.cfg"), "w", encoding="ascii") as f:
        f.write(config)
    os.mkdir(ctx.path(f"{name}.run"))
    args = [program, "-f", ctx.path(f"{name}.cfg"), "-DD", "-E", "-m", "64", "-M", "8", "-Y",
            ctx.path(f"{name}.run")] + (["--atexit=no"] if tls else [])
    process = ctx.spawn(name, args)
    for port in [plain] + ([secure] if tls else []):
        process.listening(port)
    return plain, secure


def options_request(n=1, transport="TCP"):
    return (f"OPTIONS sip:peer@pool.b.example SIP/2.0\r\n"
            f"Via: SIP/2.0/{transport} 127.0.0.1:5060;branch=z9hG4bK-options-{n}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:test@pool.a.example>;tag={n}\r\n"
            f"To: <sip:peer@pool.b.example>\r\nCall-ID: options-{n}@127.0.0.1\r\n"
            f"CSeq: {n} OPTIONS\r\nContent-Length: 0\r\n\r\n").encode()


def response(sock):
    """One SIP response without body."""
    data = bytearray()
    while not data.endswith(b"\r\n\r\n"):
        more = sock.recv(1 if len(data) else 4096)
        check(more, f"closed after {bytes(data)!r}")
        data += more
    return data.decode()


def openssl(ctx, name, command, *args):
    """openssl s_client or s_server, with its standard input kept open for commands."""
    return ctx.spawn(name, [need("openssl"), command, *args], stdin=PIPE)
