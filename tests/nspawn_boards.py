"""Boards on this machine: each a container with its own systemd, sshd and network.

Each has a namespace for its network, and a folder as its root, with this machine's
/usr to read and all else of its own. Whoever looks after them is in a namespace too,
from which nothing but the boards can be reached.
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
from loopback_board import keygen

PROGRAMS = ("systemd-nspawn", "ip", "sshd", "ssh", "ssh-keygen", "/usr/bin/python3")
_LINKS = ("bin", "sbin", "lib", "lib64", "lib32", "libx32")
_EMPTY = ("var/lib", "var/log", "var/tmp", "tmp", "run", "root", "proc", "sys", "dev")
_NET = "10.213"
_SSHD = (
    "PermitRootLogin prohibit-password\nPasswordAuthentication no\nUsePAM no\n"
    "KbdInteractiveAuthentication no\nStrictModes no\nMaxStartups 100\n"
    "Subsystem sftp internal-sftp\nHostKey /etc/ssh/board_key\n"
    "AuthorizedKeysFile /etc/ssh/board_authorized\n"
)
# nothing of this machine's services but what a board needs
_KEPT = {"ssh.service"}


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

    def path(self, inside):
        """Return where a file of the board is here."""
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
    """

    def __init__(self, folder, names, tmpfs=None):
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
        self._make_root(root, name)
        (home / "usr-local" / "bin").mkdir(parents=True)
        more = [f"--tmpfs={tmpfs}"] if tmpfs else []
        with (home / "boot.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *("systemd-nspawn", "--quiet", "--boot", "--register=no"),
                    *("--keep-unit", "--console=pipe", f"--directory={root}"),
                    f"--machine={name}",
                    f"--network-namespace-path=/run/netns/{space}",
                    "--bind-ro=/usr",
                    f"--bind={home / 'usr-local'}:/usr/local",
                    *more,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._stack.callback(_end, process)
        return ContainerBoard(name, f"{_NET}.{number}.2", root, process)

    def _make_root(self, root, name):
        root.mkdir(parents=True)
        shutil.copytree("/etc", root / "etc", symlinks=True)
        for link in _LINKS:
            if Path("/", link).is_symlink():
                (root / link).symlink_to(os.readlink(f"/{link}"))
        for place in ("usr", *_EMPTY):
            (root / place).mkdir(parents=True, exist_ok=True)
        (root / "tmp").chmod(0o1777)
        # nspawn looks for it before it mounts /usr
        (root / "usr/lib").mkdir()
        shutil.copy("/etc/os-release", root / "usr/lib/os-release")
        etc = root / "etc"
        (etc / "machine-id").write_text("")
        (etc / "hostname").write_text(f"{name}\n")
        for wants in (etc / "systemd/system").glob("*.wants"):
            for entry in wants.iterdir():
                if entry.name not in _KEPT:
                    entry.unlink()
        shutil.rmtree(etc / "ssh/sshd_config.d", ignore_errors=True)
        (etc / "ssh/sshd_config").write_text(_SSHD)
        shutil.copy(self.folder / "key.pub", etc / "ssh/board_authorized")
        shutil.copy(self.folder / "host_key", etc / "ssh/board_key")
        # what a board that nobody has set up has not
        for own in ("pip.conf", "xdg/pip", "edgeseg"):
            path = etc / own
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

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
        until = time.monotonic() + 120
        for name, board in self.boards.items():
            while self.ssh(name, "true")[0] != 0:
                if time.monotonic() > until or board.process.poll() is not None:
                    log = (self.folder / name / "boot.log").read_text(errors="replace")
                    pytest.skip(f"no container boots here: {log[-300:]}")
                time.sleep(0.5)


def _run(*words):
    subprocess.run(words, check=True, capture_output=True)


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
