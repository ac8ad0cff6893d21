"""Two hosts on one machine: network namespaces with a cable between them, and names of their own."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import geteuid
from pathlib import Path

__all__ = ["NODES", "TwoHosts", "two_hosts", "why_not"]

NODES = ("nmt-node-a", "nmt-node-b")
ADDRESSES = ("10.77.41.1", "10.77.41.2")
CABLE = ("nmt-veth-a", "nmt-veth-b")
HOSTS = Path("/etc/netns")
LOCK = Path("/tmp/nmt-lstm-two-hosts.lock")


def why_not() -> str:
    """The reason why this machine cannot be two hosts; empty if it can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces exist only on Linux"
    if geteuid():
        return "network namespaces need root"
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        return "ip (iproute2) and unshare (util-linux) are missing"
    tried = subprocess.run(["unshare", "--net", "--uts", "true"], capture_output=True, check=False)
    return "this machine forbids network namespaces" if tried.returncode else ""


@dataclass(frozen=True)
class TwoHosts:
    """Two hosts that can reach each other."""

    def start(self, node: int, command: Sequence[str], folder: Path, log: Path) -> subprocess.Popen[bytes]:
        """Start a command on a host. The process is the command itself, so that a signal reaches it."""
        named = ["unshare", "--uts", "sh", "-c", f'hostname {NODES[node]}; exec "$@"', "sh", *command]
        with log.open("wb") as file:
            return subprocess.Popen(
                ["ip", "netns", "exec", NODES[node], *named], cwd=folder, stdout=file, stderr=file
            )

    def cut(self) -> None:
        """Take the cable's end at the first host down."""
        ip("-n", NODES[0], "link", "set", CABLE[0], "down")

    def repair(self) -> None:
        """Take it up again."""
        ip("-n", NODES[0], "link", "set", CABLE[0], "up")


@contextmanager
def two_hosts() -> Iterator[TwoHosts]:
    """Context manager for two hosts, of which there is one pair at a time; needs root."""
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        remove()
        try:
            make()
            yield TwoHosts()
        finally:
            remove()


def make() -> None:
    """Make the hosts and the cable."""
    for node in NODES:
        ip("netns", "add", node)
        names = [f"{address} {name}\n" for address, name in zip(ADDRESSES, NODES, strict=True)]
        (HOSTS / node).mkdir(parents=True, exist_ok=True)
        (HOSTS / node / "hosts").write_text("127.0.0.1 localhost\n" + "".join(names))
    first, second = CABLE
    ip("link", "add", first, "netns", NODES[0], "type", "veth", "peer", "name", second, "netns", NODES[1])
    for node, end, address in zip(NODES, CABLE, ADDRESSES, strict=True):
        ip("-n", node, "addr", "add", f"{address}/24", "dev", end)
        for device in ("lo", end):
            ip("-n", node, "link", "set", device, "up")


def remove() -> None:
    """Remove what is there of the two hosts."""
    for node in NODES:
        subprocess.run(["ip", "netns", "del", node], capture_output=True, check=False)
        shutil.rmtree(HOSTS / node, ignore_errors=True)


def ip(*arguments: str) -> None:
    """Run a command of iproute2."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
