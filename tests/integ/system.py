# SPDX-License-Identifier: LGPL-2.1-or-later
"""What /proc and the socket layer tell about this machine and its processes."""
import os
import re
import socket


def split_address(address):
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listening(port):
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path, encoding="ascii") as f:
            for line in f.readlines()[1:]:
                word = line.split()
                if word[3] == "0A" and int(word[1].rpartition(":")[2], 16) == port:
                    return True
    return False


def children(pid):
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(name))
    return sorted(found)


def name(pid):
    """Of the program; "" if the process is no more."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as f:
            return f.read().strip()
    except OSError:
        return ""


def open_files(pid):
    """How many; the one timer of sd-event, which is there from its first use on, is not counted.

    None if the process is no more: a worker of an old generation may go at any moment.
    """
    found = []
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except (FileNotFoundError, ProcessLookupError):
        return None
    for name in names:
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            pass
    return len(found) - min(found.count("anon_inode:[timerfd]"), 1)


def memory(pid):
    """Bytes, shared pages by share; without files, whose share depends on what else runs."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            found = re.findall(r"^Pss_(?:Anon|Shmem):\s+(\d+) kB", f.read(), re.M)
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, found)) * 1024
