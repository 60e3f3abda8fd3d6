"""Three nodes of Ray on one machine, which can be killed one by one.

With root rights each is in namespaces of its own: network with an address, processes,
host name, ``/tmp/ray`` and shared memory. To kill its first process takes all others
with it at once, as a power cut does. Without, they are raylets of Ray's own test
cluster, which share all of these.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.base import Closing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.devices.types import Untyped

COUNT = 3
_NET = "10.214.0"
_PORT = 6379
_STORE_BYTES = 80 << 20
_PATIENCE_S = 600.0  # for all to start
_INSIDE = (
    "mount -t tmpfs none /dev/shm && mkdir -p /tmp/ray && "
    'mount -t tmpfs none /tmp/ray && hostname "$0" && exec "$@"'
)
_IS_THERE = (
    "import ray, sys; ray.init(sys.argv[1], log_to_driver=False); "
    "sys.exit(sum(n['Alive'] for n in ray.nodes()) < int(sys.argv[2]))"
)
_FLAGS = ("--num-cpus=1", f"--object-store-memory={_STORE_BYTES}", "--block")


class Nodes(Closing):
    """A cluster of three nodes with a core each, in namespaces where that can be.

    Attributes
    ----------
    address : str
        Of the cluster.
    kind : str
        ``namespaces`` or ``raylets``.
    """

    def __init__(self) -> None:
        self._environment = {
            **os.environ,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
        }
        self._cluster: _Namespaces | _Raylets
        why_not = why_no_namespaces()
        if why_not:
            self._environment = dict(os.environ)  # Ray here has read its own
            self._cluster = _Raylets()
        else:
            self._cluster = _Namespaces(self._environment)
        self.kind = "raylets" if why_not else "namespaces"
        self.address = self._cluster.address

    def start(self, command: Sequence[str], *, node: int = 0) -> subprocess.Popen[str]:
        """Start a program on a node; its output is piped."""
        return subprocess.Popen(
            [*self._cluster.entering(node), *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=self._environment,
        )

    def kill_node(self, node: int) -> None:
        """Kill one with all that runs on it, without a word of warning."""
        self._cluster.kill(node)

    def close(self) -> None:
        """End all of them."""
        self._cluster.close()


def kill_program(program: subprocess.Popen[str]) -> None:
    """Kill what `Nodes.start` has started, not only what stands in front of it."""
    children = Path(f"/proc/{program.pid}/task/{program.pid}/children")
    title = Path(f"/proc/{program.pid}/cmdline").read_bytes()
    if title.startswith(b"nsenter"):
        os.kill(int(children.read_text("utf-8").split()[0]), signal.SIGKILL)
    else:
        program.kill()


def why_no_namespaces() -> str | None:
    """Return why nodes cannot have namespaces here; None where they can."""
    if os.geteuid() != 0:
        return "needs root rights"
    missing = [p for p in ("ip", "unshare", "nsenter") if shutil.which(p) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    probe = f"edgeseg-try-{os.getpid()}"
    try:
        _ip("netns", "add", probe)
        _ip("netns", "del", probe)
    except InputError as error:
        return str(error)
    return None


class _Namespaces:
    """Nodes in namespaces; the first has the bridge that joins them."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._end_s = time.monotonic() + _PATIENCE_S
        self.address = f"{_NET}.1:{_PORT}"
        self._names = [f"edgeseg-ray-{os.getpid()}-{n}" for n in range(COUNT)]
        self._nodes: list[subprocess.Popen[bytes]] = []
        self._stack = ExitStack()
        try:
            self._join()
            for number in range(COUNT):
                self._nodes.append(self._started(number))
                while not self._has_come(number):  # Ray gives up where all is busy
                    self._nodes[number] = self._started(number)
        except BaseException:
            self.close()
            raise

    def _join(self) -> None:
        for name in self._names:
            _ip("netns", "add", name)
            self._stack.callback(_ip, "netns", "del", name)
            _ip("-n", name, "link", "set", "lo", "up")
        head = self._names[0]
        _ip("-n", head, "link", "add", "br0", "type", "bridge")
        _ip("-n", head, "addr", "add", f"{_NET}.1/24", "dev", "br0")
        _ip("-n", head, "link", "set", "br0", "up")
        for number, name in enumerate(self._names[1:], 2):
            port = f"node{number}"
            _ip(
                *("-n", head, "link", "add", port, "type", "veth"),
                *("peer", "name", "eth0", "netns", name),
            )
            _ip("-n", head, "link", "set", port, "master", "br0", "up")
            _ip("-n", name, "addr", "add", f"{_NET}.{number}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")

    def _started(self, number: int) -> subprocess.Popen[bytes]:
        here = f"{_NET}.{number + 1}"
        words = [sys.executable, "-m", "ray.scripts.scripts", "start", *_FLAGS]
        words.append(f"--node-ip-address={here}")
        words += (
            ["--head", f"--port={_PORT}", "--include-dashboard=false"]
            if number == 0
            else [f"--address={self.address}"]
        )
        spaces = ["--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
        return subprocess.Popen(
            [
                *("ip", "netns", "exec", self._names[number]),
                *("unshare", *spaces, "--mount-proc"),
                *("sh", "-c", _INSIDE, f"node{number + 1}", *words),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment,
        )

    def _has_come(self, number: int) -> bool:
        """Wait until a node is one of the cluster's; return whether it has not ended.

        Raises
        ------
        InputError
            It is not, after all patience.
        """
        while self._nodes[number].poll() is None:
            with suppress(OSError, IndexError):
                command = [*self.entering(0), sys.executable, "-c", _IS_THERE]
                done = subprocess.run(
                    [*command, self.address, str(number + 1)],
                    capture_output=True,
                    env=self._environment,
                )
                if done.returncode == 0:
                    return True
            if time.monotonic() > self._end_s:
                raise InputError(f"node {number + 1} of Ray does not start")
            time.sleep(0.5)
        return False

    def entering(self, number: int) -> list[str]:
        """Return the words that make a command run on a node."""
        inside = _children(self._nodes[number].pid)[0]
        return ["nsenter", "-t", str(inside), "-m", "-n", "-p", "-u", "-i", "--"]

    def kill(self, number: int) -> None:
        for pid in _children(self._nodes[number].pid):
            os.kill(pid, signal.SIGKILL)
        self._nodes[number].wait()

    def close(self) -> None:
        for node in self._nodes:
            node.kill()
            node.wait()
        self._stack.close()


class _Raylets:
    """Nodes of Ray's test cluster."""

    def __init__(self) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        from ray.cluster_utils import Cluster

        settings = {"num_cpus": 1, "object_store_memory": _STORE_BYTES}
        self._cluster: Untyped = Cluster(
            initialize_head=True,
            head_node_args={**settings, "include_dashboard": False},
        )
        for _ in range(COUNT - 1):
            self._cluster.add_node(**settings)
        self._cluster.wait_for_nodes()
        self.address: str = self._cluster.address

    def entering(self, number: int) -> list[str]:
        return []

    def kill(self, number: int) -> None:
        workers = sorted(self._cluster.worker_nodes, key=str)
        node = workers[number - 1] if number else self._cluster.head_node
        self._cluster.remove_node(node, allow_graceful=False)

    def close(self) -> None:
        self._cluster.shutdown()


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
    return [int(word) for word in text.split()]


def _ip(*words: str) -> None:
    done = subprocess.run(
        ["ip", *words], capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode:
        raise InputError(f"ip {' '.join(words)}: {done.stderr.strip()}")
