# SPDX-License-Identifier: LGPL-2.1-or-later
"""The control socket without siptlsctl, over one connection: quick, and it opens nothing anew."""
import json
import socket


class Refused(Exception):
    """The daemon answered with an error."""


class Control:
    def __init__(self, path, timeout):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.rest = b""

    def close(self):
        self.socket.close()

    def message(self):
        while b"\0" not in self.rest:
            more = self.socket.recv(1 << 20)
            if not more:
                raise Refused("the daemon closed the control connection")
            self.rest += more
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **parameters):
        self.socket.sendall(json.dumps({"method": f"org.siptls.{method}",
                                        "parameters": parameters}).encode() + b"\0")
        answer = self.message()
        if "error" in answer:
            raise Refused(f"{method}: {answer}")
        return answer["parameters"]

    def list(self, what):
        """All parts of a list: ListSessions gives "sessions"."""
        self.socket.sendall(json.dumps({"method": f"org.siptls.List{what}", "parameters": {},
                                        "more": True}).encode() + b"\0")
        found = []
        while True:
            answer = self.message()
            if "error" in answer:
                raise Refused(f"List{what}: {answer}")
            found += answer["parameters"][what.lower()]
            if not answer.get("continues"):
                return found
