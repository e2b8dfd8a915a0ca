# SPDX-License-Identifier: LGPL-2.1-or-later
"""Certificates, CRLs and OCSP responses made in this process: quick, and as odd as a test likes.

Keys are ECDSA P-256, signatures SHA-256. The arithmetic is plain Python, for tests alone: about a
thousand signatures a second, where a program called for each would make fifty.
"""
import base64
import hashlib
import os
import secrets
import time

DAY = 86400
BOTH = ("serverAuth", "clientAuth")

# ---- DER -----------------------------------------------------------------------------------------


def tlv(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 128 | len(length))) + length + body


def sequence(*parts):
    return tlv(0x30, *parts)


def integer(n):
    return tlv(0x02, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def enumerated(n):
    return tlv(0x0a, bytes((n,)))


def boolean(value):
    return tlv(0x01, b"\xff" if value else b"\0")


def octets(data):
    return tlv(0x04, data)


def bits(data, unused=0):
    return tlv(0x03, bytes((unused,)), data)


def explicit(n, *parts):
    return tlv(0xa0 | n, *parts)


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = b""
    for n in (40 * first + second, *rest):
        group = bytes((n & 127,))
        while n := n >> 7:
            group = bytes((n & 127 | 128,)) + group
        out += group
    return tlv(0x06, out)


def moment(when):
    """UTCTime until 2049, GeneralizedTime after it (RFC 5280 4.1.2.5)."""
    broken = time.gmtime(when)
    if broken.tm_year < 2050:
        return tlv(0x17, time.strftime("%y%m%d%H%M%SZ", broken).encode())
    return tlv(0x18, time.strftime("%Y%m%d%H%M%SZ", broken).encode())


def general_time(when):
    return tlv(0x18, time.strftime("%Y%m%d%H%M%SZ", time.gmtime(when)).encode())


ATTRIBUTES = {"CN": "2.5.4.3", "O": "2.5.4.10", "OU": "2.5.4.11"}


def dn(text):
    """/O=Example/CN=name"""
    parts = [part.split("=", 1) for part in text.strip("/").split("/")]
    return sequence(*(tlv(0x31, sequence(oid(ATTRIBUTES[key]), tlv(0x0c, value.encode())))
                      for key, value in parts))


def pem(label, der):
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n"


def from_pem(text, label):
    """The first block of that label."""
    body = text.split(f"-----BEGIN {label}-----")[1].split(f"-----END {label}-----")[0]
    return base64.b64decode(body)


def elements(data):
    """The elements side by side in data: (tag, body) each."""
    while data:
        size, head = data[1], 2
        if size & 128:
            head += size & 127
            size = int.from_bytes(data[2:head], "big")
        yield data[0], data[head:head + size]
        data = data[head + size:]


# ---- ECDSA P-256 ---------------------------------------------------------------------------------

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)


def add(left, right):
    if not left:
        return right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2:
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P)  # nothing here adds a point to its negative
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def table():
    """For every nibble of a scalar the multiples of the base point that it may stand for."""
    rows, base = [], G
    for _ in range(64):
        row = [None]
        for _ in range(15):
            row.append(add(row[-1], base))
        rows.append(row)
        base = add(row[15], base)
    return rows


TABLE = []


def multiply(scalar):
    if not TABLE:
        TABLE.extend(table())
    point = None
    for row in TABLE:
        if scalar & 15:
            point = add(point, row[scalar & 15])
        scalar >>= 4
    return point


EC_KEY = sequence(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7"))
ECDSA = sequence(oid("1.2.840.10045.4.3.2"))


class Key:
    """A private key, and its public one as certificates hold it."""

    def __init__(self, scalar=None):
        self.scalar = scalar or secrets.randbelow(N - 1) + 1
        x, y = multiply(self.scalar)
        self.point = b"\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
        self.spki = sequence(EC_KEY, bits(self.point))
        self.id = hashlib.sha1(self.point).digest()

    @classmethod
    def load(cls, path):
        """PKCS #8, as `openssl req -newkey ec` writes it."""
        with open(path, encoding="ascii") as f:
            info = from_pem(f.read(), "PRIVATE KEY")
        (_, body), = elements(info)
        inner = [part for tag, part in elements(body) if tag == 0x04][0]
        (_, body), = elements(inner)
        return cls(int.from_bytes([part for tag, part in elements(body) if tag == 0x04][0], "big"))

    def sign(self, data):
        digest = int.from_bytes(hashlib.sha256(data).digest(), "big")
        k = secrets.randbelow(N - 1) + 1
        r = multiply(k)[0] % N
        return sequence(integer(r), integer(pow(k, -1, N) * (digest + r * self.scalar) % N))

    def pem(self):
        private = sequence(integer(1), octets(self.scalar.to_bytes(32, "big")),
                           explicit(1, bits(self.point)))
        return pem("PRIVATE KEY", sequence(integer(0), EC_KEY, octets(private)))


def signed(key, body, spoilt=False):
    """Body, algorithm, signature: the frame of certificates, CRLs and OCSP responses alike."""
    signature = bytearray(key.sign(body))
    if spoilt:
        signature[-1] ^= 1
    return body, ECDSA, bits(bytes(signature))


# ---- extensions ----------------------------------------------------------------------------------

USAGES = {"serverAuth": "1.3.6.1.5.5.7.3.1", "clientAuth": "1.3.6.1.5.5.7.3.2",
          "OCSPSigning": "1.3.6.1.5.5.7.3.9", "sipDomain": "1.3.6.1.5.5.7.3.20"}
NAME_TAGS = {"DNS": 0x82, "URI": 0x86, "email": 0x81}


def extension(number, value, critical=False):
    return sequence(oid(number), boolean(True) if critical else b"", octets(value))


def alternative_name(text):
    """DNS:host, URI:sip:host, email:a@b, IP:1.2.3.4; a pair (tag, bytes) is taken as it is."""
    if isinstance(text, tuple):
        return tlv(*text)
    kind, _, value = text.partition(":")
    if kind == "IP":
        return tlv(0x87, bytes(map(int, value.split("."))))
    return tlv(NAME_TAGS[kind], value.encode())


def url_point(url):
    """DistributionPointName with one full name."""
    return explicit(0, tlv(0x86, url.encode()))


def key_usage(ca, crl):
    return bits(bytes(((0x04 if ca else 0x80) | (0x02 if crl else 0),)), 1 if ca or crl else 7)


# ---- certificates --------------------------------------------------------------------------------


class Certificate:
    """A certificate with its key, its number, and the certificates that go with it."""

    def __init__(self, der, key, serial, subject, chain=()):
        self.der, self.key, self.serial, self.subject, self.chain = der, key, serial, subject, chain
        self.fingerprint = hashlib.sha256(der).hexdigest()

    def pem(self):
        return pem("CERTIFICATE", self.der)

    def save(self, path, chain=None):
        """path.pem with the chain behind it, and path.key; returns path."""
        text = self.pem() + "".join(c.pem() for c in (self.chain if chain is None else chain))
        write(path + ".pem", text)
        write(path + ".key", self.key.pem())
        return path


def write(path, data):
    """As a whole: who reads it sees the old file or the new one."""
    with open(path + ".new", "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    os.rename(path + ".new", path)


def certificate(issuer_dn, issuer_key, subject, key, extensions, serial, valid, spoilt=False):
    start, end = (time.time() + offset for offset in valid)
    body = sequence(explicit(0, integer(2)), integer(serial), ECDSA, issuer_dn,
                    sequence(moment(start), moment(end)), subject, key.spki,
                    explicit(3, sequence(*extensions)))
    return sequence(*signed(issuer_key, body, spoilt))


class Authority(Certificate):
    """A CA: self-signed, or certified by another one."""

    def __init__(self, subject, parent=None, key=None, path_len=None, valid=(-DAY, 3650 * DAY),
                 crl_sign=True, serial=None, urls=()):
        key, serial = key or Key(), serial or secrets.randbits(120)
        self.dn = dn(subject) if isinstance(subject, str) else subject
        signer = parent or self
        extensions = [
            extension("2.5.29.19", sequence(boolean(True), integer(path_len)
                                            if path_len is not None else b""), True),
            extension("2.5.29.15", key_usage(True, crl_sign), True),
            extension("2.5.29.14", octets(key.id)),
            extension("2.5.29.35", sequence(tlv(0x80, (parent.key if parent else key).id)))]
        extensions += distribution(urls)
        der = certificate(signer.dn, parent.key if parent else key, self.dn, key, extensions, serial,
                          valid)
        super().__init__(der, key, serial, self.dn)
        self.chain = (self, *parent.chain) if parent else ()  # what its leaves send along

    @classmethod
    def load(cls, path):
        """A CA that make-pki has made by other means."""
        self = cls.__new__(cls)
        with open(path + ".pem", encoding="ascii") as f:
            der = from_pem(f.read(), "CERTIFICATE")
        (_, whole), = elements(der)
        (_, body), _, _ = elements(whole)
        fields = list(elements(body))  # version, serial, algorithm, issuer, validity, subject, key
        self.dn = tlv(*fields[5])
        Certificate.__init__(self, der, Key.load(path + ".key"),
                             int.from_bytes(fields[1][1], "big"), self.dn)
        if fields[3] != fields[5]:
            self.chain = (self,)
        return self

    def save(self, path, chain=()):
        return super().save(path, chain)

    def cross(self, other, **options):
        """The other CA, its name and key, certified by this one."""
        return Authority(other.dn, self, other.key, **options)

    def issue(self, common_name, names=None, key=None, serial=None, valid=(-DAY, 365 * DAY),
              usage=BOTH, urls=(), must_staple=False, crl_sign=False, extra=(), spoilt=False):
        """A leaf; names as alternative_name() takes them, DNS:common_name if none are given."""
        key, serial = key or Key(), serial or secrets.randbits(120)
        names = [f"DNS:{common_name}"] if names is None else names
        extensions = [
            extension("2.5.29.19", sequence(), True),
            extension("2.5.29.15", key_usage(False, crl_sign), True),
            extension("2.5.29.14", octets(key.id)),
            extension("2.5.29.35", sequence(tlv(0x80, self.key.id)))]
        if usage:
            extensions.append(extension("2.5.29.37", sequence(*(oid(USAGES[u]) for u in usage))))
        if names:
            extensions.append(extension("2.5.29.17", sequence(*map(alternative_name, names))))
        if must_staple:
            extensions.append(extension("1.3.6.1.5.5.7.1.24", sequence(integer(5))))
        extensions += [*distribution(urls), *extra]
        subject = common_name if isinstance(common_name, bytes) else dn(f"/CN={common_name}")
        der = certificate(self.dn, self.key, subject, key, extensions, serial, valid, spoilt)
        return Certificate(der, key, serial, subject, self.chain)

    # ---- what it publishes

    def crl(self, revoked=(), number=1, valid=(-60, DAY), point=None, only=None, extra=(),
            entry_extra=(), signer=None, spoilt=False, reason=1):
        """A complete CRL in DER; point: URL of its distribution point, only: "user" or "ca"."""
        start, end = (time.time() + offset for offset in valid)
        key = signer.key if signer else self.key
        entries = [sequence(integer(getattr(serial, "serial", serial)), moment(start),
                            sequence(extension("2.5.29.21", enumerated(reason)), *entry_extra))
                   for serial in revoked]
        extensions = [extension("2.5.29.35", sequence(tlv(0x80, key.id))),
                      extension("2.5.29.20", integer(number)), *extra]
        if point or only:
            scope = explicit(0, url_point(point)) if point else b""
            flag = tlv({"user": 0x81, "ca": 0x82}[only], b"\xff") if only else b""
            extensions.append(extension("2.5.29.28", sequence(scope, flag), True))
        body = sequence(integer(1), ECDSA, self.dn, moment(start), moment(end),
                        sequence(*entries) if entries else b"",
                        explicit(0, sequence(*extensions)))
        return sequence(*signed(key, body, spoilt))

    def ocsp(self, leaf, status="good", valid=(-60, DAY), responder=None, spoilt=False):
        """A response for one certificate of this CA; responder: a leaf with OCSPSigning."""
        start, end = (time.time() + offset for offset in valid)
        sha1 = sequence(oid("1.3.14.3.2.26"), tlv(0x05))
        number = sequence(sha1, octets(hashlib.sha1(self.dn).digest()), octets(self.key.id),
                          integer(leaf.serial))
        state = {"good": tlv(0x80), "unknown": tlv(0x82),
                 "revoked": explicit(1, general_time(start), explicit(0, enumerated(1)))}[status]
        key = responder.key if responder else self.key
        data = sequence(explicit(2, octets(key.id)), general_time(start),
                        sequence(sequence(number, state, general_time(start),
                                          explicit(0, general_time(end)))))
        frame = sequence(*signed(key, data, spoilt),
                         explicit(0, sequence(responder.der)) if responder else b"")
        kind = oid("1.3.6.1.5.5.7.48.1.1")
        return sequence(enumerated(0), explicit(0, sequence(kind, octets(frame))))


def distribution(urls):
    if not urls:
        return []
    return [extension("2.5.29.31", sequence(*(sequence(explicit(0, url_point(url)))
                                              for url in urls)))]
