"""Boards on this machine: each a container with its own systemd, sshd and network.

Each has a network namespace, a control group, and a folder as its root; see
`board_roots`. Whoever looks after them is in a network namespace too, from which
nothing but the boards can be reached.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from board_roots import this_machine
from control_groups import ControlGroup
from loopback_board import keygen

PROGRAMS = ("systemd-nspawn", "ip", "sshd", "ssh", "ssh-keygen", "/usr/bin/python3")
_NET = "10.213"
_FIRST_ID, _IDS = 0x70000000, 0x10000  # of users in emulated boards


def why_not():
    """Return why there can be no boards here, None where there can."""
    if os.getuid() != 0:
        return "needs root for containers and network namespaces"
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    probe = f"edgeseg-try-{os.getpid()}"
    done = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True)
    if done.returncode != 0:
        return f"no network namespaces here: {done.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", probe], check=True)
    return None


@dataclass
class ContainerBoard:
    """One of them."""

    name: str
    address: str
    root: Path
    process: subprocess.Popen
    is_emulated: bool = False

    def path(self, inside):
        """Return where a file of the board is here."""
        if self.is_emulated:
            return self.root / inside.lstrip("/")
        top = "usr-local" if inside.startswith("/usr/local/") else "root"
        inside = inside.removeprefix("/usr/local" if top == "usr-local" else "")
        return self.root.with_name(top) / inside.lstrip("/")


class ContainerBoards:
    """Several boards, and a desk that they are looked after from.

    Parameters
    ----------
    folder : Path
        For their files.
    names : sequence of str
        Of the boards.
    tmpfs : dict of str to str
        For a board a file system of its own, as ``--tmpfs=`` of nspawn takes it.
    emulated : dict of str to Aarch64Root
        More boards, with another processor.
    """

    def __init__(self, folder, names, tmpfs=None, emulated=None):
        reason = why_not()
        if reason:
            pytest.skip(reason)
        self.folder, self._stack = folder, ExitStack()
        self.desk = f"edgeseg-desk-{os.getpid()}"
        folder.mkdir(parents=True, exist_ok=True)
        keygen(folder / "key")
        keygen(folder / "host_key")
        try:
            self._namespace(self.desk)
            self.boards = {
                name: self._board(number, name, (tmpfs or {}).get(name))
                for number, name in enumerate(names)
            }
            for number, (name, root) in enumerate((emulated or {}).items(), len(names)):
                self.boards[name] = self._emulated(number, name, root)
            self._wait()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._stack.close()

    def call(self, *words, **more):
        """Run something at the desk."""
        return subprocess.run(
            ["ip", "netns", "exec", self.desk, *map(str, words)],
            capture_output=True,
            text=True,
            **more,
        )

    def ssh(self, name, command):
        """Run a command on a board, as a user would; return what it says."""
        options = (self.folder / "ssh_options").read_text().split()
        address = f"root@{self.boards[name].address}"
        done = self.call("ssh", *options, address, command)
        return done.returncode, done.stdout + done.stderr

    def _namespace(self, name):
        _run("ip", "netns", "add", name)
        self._stack.callback(subprocess.run, ["ip", "netns", "del", name])
        _run("ip", "-n", name, "link", "set", "lo", "up")

    def _board(self, number, name, tmpfs):
        space = f"edgeseg-b{number}-{os.getpid()}"
        self._namespace(space)
        wire = f"veth{number}"
        _run(
            *("ip", "-n", self.desk, "link", "add", wire, "type", "veth"),
            *("peer", "name", "eth0", "netns", space),
        )
        for place, link, last in ((self.desk, wire, 1), (space, "eth0", 2)):
            address = f"{_NET}.{number}.{last}/24"
            _run("ip", "-n", place, "addr", "add", address, "dev", link)
            _run("ip", "-n", place, "link", "set", link, "up")
        home = self.folder / name
        root = home / "root"
        this_machine(root, name, self.folder)
        (home / "usr-local" / "bin").mkdir(parents=True)
        more = [f"--tmpfs={tmpfs}"] if tmpfs else []
        process = self._start(
            name,
            "--boot",
            f"--directory={root}",
            f"--network-namespace-path=/run/netns/{space}",
            "--bind-ro=/usr",
            f"--bind={home / 'usr-local'}:/usr/local",
            *more,
        )
        return ContainerBoard(name, f"{_NET}.{number}.2", root, process)

    def _emulated(self, number, name, made):
        """Start one that is root in a namespace of its own, with its own emulator."""
        wire, address = f"veth{number}", f"{_NET}.{number}.2"
        root = self.folder / name / "root"
        made.lay(root, name, self.folder, f"{address}/24")
        # that namespace's own are the interfaces, too, which nspawn makes
        process = self._start(
            name,
            f"--directory={root}",
            f"--private-users={_FIRST_ID + number * _IDS}:{_IDS}",
            "--private-users-ownership=map",
            f"--network-veth-extra={wire}:eth0",
            *made.options,
            *made.start,
            at=self.desk,
        )
        until = time.monotonic() + 20
        while _fails("ip", "-n", self.desk, "link", "set", wire, "up"):
            if time.monotonic() > until or process.poll() is not None:
                pytest.skip(f"no emulated container here: {self._log(name)}")
            time.sleep(0.2)
        _run("ip", "-n", self.desk, "addr", "add", f"{_NET}.{number}.1/24", "dev", wire)
        return ContainerBoard(name, address, root, process, is_emulated=True)

    def _start(self, name, *options, at=None):
        """Start a container, in another namespace of networks where one is named."""
        words = ["nsenter", f"--net=/run/netns/{at}"] if at else []
        words += ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit"]
        words += ["--console=pipe", f"--machine={name}", *map(str, options)]
        group = ControlGroup(f"edgeseg-{name}-{os.getpid()}")
        self._stack.callback(group.end)
        with (self.folder / name / "boot.log").open("wb") as log:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=group.enter,
            )
        self._stack.callback(_end, process)
        return process

    def _log(self, name):
        return (self.folder / name / "boot.log").read_text(errors="replace")[-300:]

    def _wait(self):
        key = (self.folder / "host_key.pub").read_text()
        lines = [f"{board.address} {key}" for board in self.boards.values()]
        (self.folder / "known_hosts").write_text("".join(lines))
        options = (
            f"-i {self.folder / 'key'} -o IdentitiesOnly=yes -o IdentityAgent=none "
            f"-o UserKnownHostsFile={self.folder / 'known_hosts'} "
            "-o GlobalKnownHostsFile=/dev/null -F /dev/null -o ConnectTimeout=5"
        )
        (self.folder / "ssh_options").write_text(options)
        until = time.monotonic() + 180
        for name, board in self.boards.items():
            while self.ssh(name, "true")[0] != 0:
                if time.monotonic() > until or board.process.poll() is not None:
                    pytest.skip(f"no container boots here: {self._log(name)}")
                time.sleep(0.5)


def _run(*words):
    subprocess.run(words, check=True, capture_output=True)


def _fails(*words):
    return subprocess.run(words, capture_output=True).returncode != 0


def _end(process):
    """Pull a container's plug: the second signal ends it at once."""
    for _ in range(2):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
