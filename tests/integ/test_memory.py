# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an idle session costs in memory of all processes; the kernel's own memory is not in it."""
import resource

import peers
from harness import check, limits


@limits(seconds=120, heavy=True)
def test_idle_sessions(ctx):
    number = ctx.amount(f"idle_{ctx.mode}")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
    backend = peers.Backend(ctx, echo=True)
    site = ctx.site("b", identity="b").listen("trunk", backend.address).start()
    context, address, open_ones = peers.tls_context(ctx, "a"), site.port("trunk"), []

    def add(n):
        for _ in range(n):
            sock = context.wrap_socket(peers.tcp_connect(ctx, address))
            open_ones.append(sock)
            sock.sendall(b"ping")
            check(peers.receive(sock, 4) == b"ping", "echo")

    add(50)
    site.relaying(len(open_ones), 30)
    before = site.pss()
    add(number)
    # Before anybody lists them: a list is as large as the sessions, and is gone with its reader.
    each = (site.pss() - before) / number
    print(f"memory: {ctx.mode} sessions={number} bytes_per_session={each:.0f}")
    ctx.check_memory(each, 4 << 10 if ctx.mode == "kernel" else 256 << 10, "per session")
    site.relaying(len(open_ones), 30)
    for sock in open_ones:
        sock.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
