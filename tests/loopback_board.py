"""A board made of this machine: a real sshd on the loopback, with a home of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edgeseg.runtime.remote.address import BoardAddress
from edgeseg.runtime.remote.session import Session

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
SHORT = (0.05, 0.05, 0.05)  # seconds between attempts: nobody restarts a router here


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def keygen(path):
    call = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(call, check=True)


@dataclass
class Board:
    """What a test needs to know of it."""

    folder: Path
    home: Path
    port: int
    told: list = field(default_factory=list)

    @property
    def root(self):
        return self.home / ".local/share/edgeseg/remote"

    @property
    def user(self):
        return pwd.getpwuid(os.getuid()).pw_name

    def config(self, *, port=None, key="key", known="known_hosts", more=""):
        """Write what a user would have in ~/.ssh/config, without touching that."""
        path = self.folder / f"config-{port}-{key}-{known}-{len(more)}"
        path.write_text(
            f"{more}\nHost board\n  HostName 127.0.0.1\n  Port {port or self.port}\n"
            f"  User {self.user}\n  IdentityFile {self.folder / key}\n"
            f"  IdentitiesOnly yes\n  IdentityAgent none\n"
            f"  UserKnownHostsFile {self.folder / known}\n"
            "  GlobalKnownHostsFile /dev/null\n  HostKeyAlias board\n"
        )
        return path

    def session(self, *, port=None, python=None, delays_s=SHORT, **config):
        address = BoardAddress("board", config=self.config(port=port, **config))
        return Session(
            address, python=python, report=self.told.append, delays_s=delays_s
        )

    def call(self, *arguments, **config):
        code = "from edgeseg.runtime.cli import main; main()"
        remote = ["remote", "-F", str(self.config(**config)), "board"]
        return [sys.executable, "-c", code, *remote, *map(str, arguments)]

    def edgeseg(self, *arguments, cwd=None, **config):
        """Run `edgeseg remote board ...` as a user does."""
        return subprocess.run(
            self.call(*arguments, **config), capture_output=True, text=True, cwd=cwd
        )


def write_server_config(folder, port):
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host_key'}\n"
        f"AuthorizedKeysFile {folder / 'authorized_keys'}\n"
        f"PidFile {folder / 'pid'}\nPermitRootLogin prohibit-password\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "PermitUserEnvironment yes\nStrictModes no\nUsePAM no\nMaxStartups 100\n"
    )


def start_sshd(folder, port):
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants an empty folder there
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log
    )
    log.close()
    until = time.monotonic() + 10
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.02)
    process.kill()
    process.wait()
    return pytest.skip(f"sshd does not start: {(folder / 'log').read_text()[-300:]}")


def make_board(folder, path=None):
    """Start sshd for a fresh home; `path` replaces PATH there."""
    missing = [name for name in (SSHD, "ssh", "ssh-keygen") if not shutil.which(name)]
    if missing:
        pytest.skip(f"needs a real sshd; not installed: {', '.join(missing)}")
    port, home = free_port(), folder / "home"
    home.mkdir()
    for name in ("host_key", "other_host_key", "key", "other_key"):
        keygen(folder / name)
    python = Path(sys.base_prefix) / "bin"  # this one, not what the system has
    path = path or f"{python}:/usr/bin:/bin"
    options = f'environment="HOME={home}",environment="PATH={path}"'
    public = (folder / "key.pub").read_text()
    (folder / "authorized_keys").write_text(f"{options} {public}")
    for name, key in (("known_hosts", "host_key"), ("changed", "other_host_key")):
        (folder / name).write_text(f"board {(folder / f'{key}.pub').read_text()}")
    (folder / "unknown").write_text("")
    write_server_config(folder, port)
    return Board(folder, home, port), start_sshd(folder, port)


def write_wheel(folder, version="9.9", requires=()):
    """Write a wheel that is called edgeseg and holds next to nothing."""
    from edgeseg.runtime.remote.packing import write_wheel as write

    info = f"edgeseg-{version}.dist-info"
    lines = [f"Requires-Dist: {each}\n" for each in requires]
    head = f"Metadata-Version: 2.1\nName: edgeseg\nVersion: {version}\n"
    kind = (
        "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    path = folder / f"edgeseg-{version}-py3-none-any.whl"
    write(
        path,
        {
            "edgeseg_marker.py": b"VERSION = " + repr(version).encode() + b"\n",
            f"{info}/METADATA": (head + "".join(lines)).encode(),
            f"{info}/WHEEL": kind.encode(),
        },
    )
    return path


def wait_for(condition, seconds=20):
    """Wait until something holds; the limit is for when it never will."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def processes_of(home):
    """Return the command lines of processes that work in a home."""
    found = []
    # by way of itself: where a board is emulated, /proc alone is the board's own folder
    for entry in Path("/proc/self/..").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            where = os.readlink(entry / "cwd")
        except OSError:
            continue
        if str(home / ".local") in f"{line} {where}":
            found.append(line)
    return found
