# SPDX-License-Identifier: LGPL-2.1-or-later
"""Partners with CAs of their own, and a site that lists them."""
import issue
import peers
from harness import check, check_equal


def make_ca(ctx, name):
    """A root CA and where it was saved, without its suffix."""
    ca = issue.Authority(f"/O={name}/CN=CA {name}")
    return ca, ca.save(ctx.path(f"ca-{name}"))


def partner(name, anchors, *words, host=None):
    """A section of the topology; anchors as make_ca() gives them, words are options."""
    files = ", ".join(f'"{path}.pem"' for path in anchors)
    lines = "".join(f"\t{word}\n" for word in words)
    host = host or f"edge.{name}.example"
    return f'partner "{name}" {{\n\tanchors = {{{files}}}\n{lines}\tserver "{host}" {{ }}\n}}\n'


def make_site(ctx, text, name="a"):
    """Not started yet: a site with this topology and a listener, and the echoing SIP server behind."""
    backend = peers.Backend(ctx, echo=True)
    site = ctx.site(name, topology="serial = 1\n" + text.replace("serial = 1", ""))
    return site.listen("trunk", backend.address), backend


def echo(sock, data=b"ping"):
    sock.sendall(data)
    check_equal(peers.receive(sock, len(data)), data, "echo")


def admitted(ctx, site, cert):
    """Connect, be heard, and go: the session as the site saw it."""
    with peers.tls_connect(ctx, site.port("trunk"), cert) as sock:
        echo(sock)
        remote = "%s:%d" % sock.getsockname()
        session, = (s for s in site.sessions() if s["remote"] == remote)
        sock.unwrap()
    ctx.wait(lambda: all(s["remote"] != remote for s in site.sessions()), "the session to end")
    return session


def refused(ctx, site, cert, reason, alert):
    """Connect and be refused for this reason, with this alert: what the site remembers of it."""
    before = site.ended().get(reason, 0)
    found = peers.refused(ctx, site.port("trunk"), cert)
    check(found.endswith(f"_ALERT_{alert}"), f"expected the alert {alert}, found {found!r}")
    ctx.wait(lambda: site.ended().get(reason, 0) == before + 1,
             f"a refusal with {reason}, counted so far: {site.ended()}")
    return site.refusals()[0]
