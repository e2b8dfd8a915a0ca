# SPDX-License-Identifier: LGPL-2.1-or-later
"""The other ends in this process: plain TCP servers, TLS by Python's ssl and by hand."""
import collections
import http.server
import selectors
import socket
import ssl
import struct
import threading

from harness import Failed, check
from system import split_address

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


# ---- plain TCP -----------------------------------------------------------------------------------


class Connection:
    """One connection of a Backend: all it has received, and what it should do."""

    def __init__(self, backend, sock):
        self.backend, self.sock = backend, sock
        self.data, self.out = bytearray(), bytearray()
        self.stalled = backend.stalled
        self.finish = self.eof = self.reset = self.closed = False

    def send(self, data):
        self.backend.call(self, lambda conn: conn.out.extend(data))

    def shutdown(self):
        """End our direction when everything is sent."""
        self.backend.call(self, lambda conn: setattr(conn, "finish", True))

    def resume(self):
        self.backend.call(self, lambda conn: setattr(conn, "stalled", False))

    def close(self):
        self.backend.call(self, self.backend.drop)

    def abort(self):
        def act(conn):
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.backend.drop(conn)
        self.backend.call(self, act)


class Backend:
    """A plain TCP server that records what comes and ends its side when the other has.

    It may echo, not read (stalled), or keep its side open (lingers).
    """

    def __init__(self, ctx, echo=False, stalled=False, lingers=False, host="127.0.0.1"):
        self.echo, self.stalled, self.lingers = echo, stalled, lingers
        self.listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.listener.bind((host, 0))
        self.listener.listen(4096)
        self.listener.setblocking(False)
        port = self.listener.getsockname()[1]
        self.port, self.address = port, f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.connections, self.todo, self.ends = [], collections.deque(), False
        self.wake_in, self.wake_out = socket.socketpair()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.wake_in, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        self.ctx = ctx
        ctx.keep(self)

    def call(self, conn, action):
        self.todo.append((conn, action))
        self.wake_out.send(b"x")

    def stop(self):
        self.call(None, lambda _: setattr(self, "ends", True))
        self.thread.join()

    def drop(self, conn):
        if not conn.closed:
            conn.closed = True
            self.want(conn, 0)
            conn.sock.close()

    def want(self, conn, mask):
        registered = self.selector.get_map().get(conn.sock)
        if registered and mask:
            self.selector.modify(conn.sock, mask, conn)
        elif registered:
            self.selector.unregister(conn.sock)
        elif mask:
            self.selector.register(conn.sock, mask, conn)

    def serve(self):
        while not self.ends:
            for key, events in self.selector.select():
                if key.fileobj is self.listener:
                    self.accept()
                elif key.fileobj is self.wake_in:
                    self.wake_in.recv(4096)
                    while self.todo:
                        conn, action = self.todo.popleft()
                        action(conn)
                        if conn:
                            self.serve_connection(conn, 0)
                elif not key.data.closed:
                    self.serve_connection(key.data, events)
        for conn in self.connections:
            self.drop(conn)
        for sock in (self.listener, self.wake_in, self.wake_out):
            sock.close()
        self.selector.close()

    def accept(self):
        try:
            sock, _ = self.listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        conn = Connection(self, sock)
        self.connections.append(conn)
        self.serve_connection(conn, 0)

    def serve_connection(self, conn, events):
        if conn.closed:
            return
        try:
            if events & selectors.EVENT_READ and not conn.eof:
                data = conn.sock.recv(1 << 18)
                conn.eof = not data
                conn.data += data
                if self.echo:
                    conn.out += data
                conn.finish = conn.finish or (conn.eof and not self.lingers)
            if conn.out:
                del conn.out[:conn.sock.send(conn.out)]
            if conn.finish and not conn.out:
                conn.sock.shutdown(socket.SHUT_WR)
                conn.finish = False
        except BlockingIOError:
            pass
        except OSError:
            conn.reset = True
            self.drop(conn)
            return
        self.want(conn, (0 if conn.stalled or conn.eof else selectors.EVENT_READ) |
                  (selectors.EVENT_WRITE if conn.out else 0))

    def connection(self, n=0, seconds=10):
        self.ctx.wait(lambda: len(self.connections) > n, f"connection {n} at the backend", seconds)
        return self.connections[n]

    def received(self, data, n=0, seconds=10):
        """Wait until connection n has got this, exactly."""
        conn = self.connection(n, seconds)
        self.ctx.wait(lambda: len(conn.data) >= len(data) or conn.closed,
                      f"{len(data)} bytes at the backend", seconds)
        check(conn.data == data, f"backend received {len(conn.data)} bytes "
              f"{bytes(conn.data[:200])!r}, expected {len(data)} bytes {bytes(data[:200])!r}")
        return conn


# ---- TLS -----------------------------------------------------------------------------------------


def tls_context(ctx, cert=None, server=False, ca="enterprise-ca", low=None, high=None,
                ciphers=None):
    """As permissive as OpenSSL can be: what must be refused, siptlsd has to refuse."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers((ciphers or "ALL") + ":@SECLEVEL=0")
    context.minimum_version = low or ssl.TLSVersion.TLSv1_2
    if high:
        context.maximum_version = high
    context.load_verify_locations(ctx.cert(ca))
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    if cert:
        context.load_cert_chain(ctx.cert(cert), ctx.key(cert))
    return context


def tcp_connect(ctx, address, source=None):
    sock = socket.create_connection(split_address(address), 20 * ctx.slow,
                                    source_address=source and (source, 0))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def tls_connect(ctx, address, cert="b", name=None, **options):
    """A TLS client's session; the server may still refuse our certificate (TLS 1.3)."""
    sock = tcp_connect(ctx, address)
    try:
        return tls_context(ctx, cert, **options).wrap_socket(sock, server_hostname=name,
                                                             suppress_ragged_eofs=False)
    except (OSError, ssl.SSLError):
        sock.close()
        raise


def receive(sock, size):
    """Exactly so many bytes, or less if the stream ends."""
    data = bytearray()
    while len(data) < size:
        more = sock.recv(min(size - len(data), 1 << 18))
        if not more:
            break
        data += more
    return bytes(data)


def refused(ctx, address, cert=None, **options):
    """Be refused: the name of the TLS alert, or "" if the connection was just closed."""
    try:
        with tls_connect(ctx, address, cert, **options) as sock:
            data = sock.recv(1)
    except ssl.SSLError as error:
        return error.reason or ""
    except OSError:
        return ""
    raise Failed(f"not refused: read {data!r}")


class Handmade:
    """A TLS client whose flights the test sends itself."""

    def __init__(self, ctx, cert="b", **options):
        self.from_peer, self.to_peer = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = tls_context(ctx, cert, **options).wrap_bio(self.from_peer, self.to_peer)

    def step(self):
        """True when our side of the handshake is done; what to send is in flight()."""
        try:
            self.tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False

    def flight(self):
        return self.to_peer.read()

    def hello(self):
        self.step()
        return self.flight()

    def answer(self, sock):
        """Read the server's flight; give ours, which ends the handshake of TLS 1.3."""
        while not self.step():
            data = sock.recv(65536)
            check(data, "closed during the handshake")
            self.from_peer.write(data)
        return self.flight()

    def read(self, sock):
        """The next piece of data, b"" at the end."""
        while True:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                data = sock.recv(65536)
                if data:
                    self.from_peer.write(data)
                else:
                    self.from_peer.write_eof()


class TlsServer:
    """A far TLS server that asks for a certificate; it echoes, and records what it has received."""

    def __init__(self, ctx, cert, at="127.0.0.1:0", **options):
        self.ctx, self.context = ctx, tls_context(ctx, cert, server=True, **options)
        self.listener = socket.create_server(split_address(at))
        self.address = "%s:%d" % self.listener.getsockname()
        self.data, self.errors = bytearray(), []
        threading.Thread(target=self.serve, daemon=True).start()
        ctx.keep(self)

    def stop(self):
        if self.listener.fileno() >= 0:
            self.listener.shutdown(socket.SHUT_RDWR)  # the thread that accepts holds it open
            self.listener.close()

    def serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_one, args=(sock,), daemon=True).start()

    def serve_one(self, sock):
        sock.settimeout(20 * self.ctx.slow)
        try:
            with self.context.wrap_socket(sock, server_side=True) as tls:
                while data := tls.recv(65536):
                    self.data += data
                    tls.sendall(data)
                tls.unwrap()
        except OSError as error:  # ssl.SSLError is one
            self.errors.append(str(error))
        finally:
            sock.close()


# ---- HTTP ----------------------------------------------------------------------------------------


class WebServer:
    """Serves what its pages say: PATH: bytes, a status, or a function of the request's handler."""

    def __init__(self, ctx, port=0):
        self.pages, self.asked = {}, []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One request."""

            def do_GET(self):  # pylint: disable=invalid-name
                web.asked.append(self.path)
                page = web.pages.get(self.path, 404)
                if callable(page):
                    page(self)
                    return
                body = page if isinstance(page, bytes) else b""
                self.send_response(200 if isinstance(page, bytes) else page)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        ctx.keep(self)

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
