"""Roots of container boards: this machine's own system, or Debian's for aarch64.

The second kind is a whole Debian 12 for another processor, emulated by qemu's user
mode: systemd as process 1, sshd, Python and all that they start. The kernel asks qemu
to run them (binfmt_misc), in the board's user namespace only, which Linux can since
6.7: nothing of this machine is changed.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from virtual_pi.boards import BOARDS
from virtual_pi.pi import default_cache
from virtual_pi.userland import EMULATOR

_LINKS = ("bin", "sbin", "lib", "lib64", "lib32", "libx32")
_EMPTY = ("var/lib", "var/log", "var/tmp", "tmp", "run", "root", "proc", "sys", "dev")
_SSHD = (
    "PermitRootLogin prohibit-password\nPasswordAuthentication no\nUsePAM no\n"
    "KbdInteractiveAuthentication no\nStrictModes no\nMaxStartups 100\n"
    "Subsystem sftp internal-sftp\nHostKey /etc/ssh/board_key\n"
    "AuthorizedKeysFile /etc/ssh/board_authorized\n"
)
# nothing of this machine's services but what a board needs
_KEPT = {"ssh.service"}
_PACKAGES = (
    *("bash", "coreutils", "dash", "findutils", "grep", "login", "openssh-server"),
    *("passwd", "procps", "python3", "python3-venv", "sed", "systemd", "util-linux"),
    *("python3-pip-whl", "python3-setuptools-whl", "libgomp1", "libstdc++6"),
)
_BOARD = BOARDS["pi4"]
_HERE = "/x86"  # this machine's /usr, in the emulated board
_LIBRARIES = f"{_HERE}/lib/x86_64-linux-gnu"
_LOADER = [f"{_LIBRARIES}/ld-linux-x86-64.so.2", "--library-path", _LIBRARIES]
# of an ELF file for aarch64, as qemu's own settings for binfmt_misc have it
_MAGIC = "7f454c460201010000000000000000000200b700"
_MASK = "ffffffffffffff00fffffffffffffffffeffffff"
_START = """\
set -e
here() {{ program=$1; shift; {loader} {here}/bin/$program "$@"; }}
here mkdir -p /run/binfmt
here mount -t binfmt_misc none /run/binfmt
echo '{rule}' > /run/binfmt/register
here mount --bind /cpuinfo /proc/cpuinfo
here ip link set lo up
here ip addr add {address} dev eth0
here ip link set eth0 up
exec /usr/lib/systemd/systemd
"""


def this_machine(root, name, keys):
    """Lay a root that needs this machine's /usr.

    Parameters
    ----------
    root : Path
        Made.
    name : str
        Of the board.
    keys : Path
        Folder with the user's public key and the board's own.
    """
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
    for wants in (etc / "systemd/system").glob("*.wants"):
        for entry in wants.iterdir():
            if entry.name not in _KEPT:
                entry.unlink()
    # what a board that nobody has set up has not
    for own in ("pip.conf", "xdg/pip", "edgeseg"):
        path = etc / own
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    _finish(etc, name, keys)


def _finish(etc, name, keys):
    (etc / "machine-id").write_text("")
    (etc / "hostname").write_text(f"{name}\n")
    shutil.rmtree(etc / "ssh/sshd_config.d", ignore_errors=True)
    (etc / "ssh/sshd_config").write_text(_SSHD)
    shutil.copy(keys / "key.pub", etc / "ssh/board_authorized")
    shutil.copy(keys / "host_key", etc / "ssh/board_key")


@dataclass(frozen=True)
class Aarch64Root:
    """Debian 12 for aarch64, to be copied for each board.

    Parameters
    ----------
    folder : Path
        It; nothing has been changed there.
    """

    folder: Path
    options = (f"--bind-ro=/usr:{_HERE}",)
    start = (*_LOADER, f"{_HERE}/bin/bash", "/start.sh")

    @classmethod
    def make(cls):
        """Return it, out of the cache if it is there; skip where it cannot be."""
        if platform.machine() != "x86_64":
            pytest.skip("boards are emulated on x86-64 only")
        missing = [each for each in (EMULATOR, "mmdebstrap") if not shutil.which(each)]
        if missing:
            pytest.skip(f"not installed: {', '.join(missing)}")
        key = hashlib.sha256(" ".join(_PACKAGES).encode()).hexdigest()[:8]
        folder = default_cache() / f"board-bookworm-arm64-{key}"
        if not folder.is_dir():
            work = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(work, ignore_errors=True)
            work.parent.mkdir(parents=True, exist_ok=True)
            # its packages' scripts do not run: they would need the emulator here
            words = ["mmdebstrap", "--quiet", "--variant=extract", "--mode=root"]
            words += ["--architectures=arm64", f"--include={','.join(_PACKAGES)}"]
            words += ["bookworm", str(work)]
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode != 0:
                pytest.skip(f"no packages for aarch64: {done.stderr[-300:]}")
            _merge_usr(work)
            work.rename(folder)
        return cls(folder)

    def lay(self, root, name, keys, address):
        """Lay the root of a board.

        Parameters
        ----------
        root : Path
            Made.
        name : str
            Of the board.
        keys : Path
            As for `this_machine`.
        address : str
            Of its interface, with the length of the network's part.
        """
        root.parent.mkdir(parents=True)
        subprocess.run(["cp", "-a", self.folder, root], check=True)
        (root / _HERE.lstrip("/")).mkdir()
        etc = root / "etc"
        for file in ("passwd", "group", "shadow"):
            shutil.copy(Path("/etc", file), etc)
        wants = etc / "systemd/system/multi-user.target.wants"
        wants.mkdir(parents=True, exist_ok=True)
        for service in _KEPT:
            link = wants / service
            link.unlink(missing_ok=True)
            link.symlink_to(f"/usr/lib/systemd/system/{service}")
        default = etc / "systemd/system/default.target"
        default.unlink(missing_ok=True)
        default.symlink_to("/usr/lib/systemd/system/multi-user.target")
        magic, mask = (
            "".join(f"\\x{text[i : i + 2]}" for i in range(0, len(text), 2))
            for text in (_MAGIC, _MASK)
        )
        rule = f":aarch64:M::{magic}:{mask}:{_HERE}/bin/{EMULATOR}:F"
        text = _START.format(
            loader=" ".join(_LOADER), here=_HERE, rule=rule, address=address
        )
        (root / "start.sh").write_text(text)
        # XNNPACK asks it what the processor can do, and ends where that is another's
        (root / "cpuinfo").write_text(_BOARD.files()["proc/cpuinfo"])
        _finish(etc, name, keys)
        chosen = f"QEMU_CPU={_BOARD.cpu}"
        with (etc / "ssh/sshd_config").open("a") as file:
            file.write(f"SetEnv {chosen}\n")
        manager = etc / "systemd/system.conf.d"
        manager.mkdir()
        text = f"[Manager]\nDefaultEnvironment={chosen}\n"
        (manager / "emulator.conf").write_text(text)


def _merge_usr(root):
    """Let /bin, /sbin and /lib be those of /usr, as Debian 12 has it."""
    for name in ("bin", "sbin", "lib"):
        path = root / name
        if path.is_dir() and not path.is_symlink():
            subprocess.run(["cp", "-a", f"{path}/.", root / "usr" / name], check=True)
            shutil.rmtree(path)
            path.symlink_to(f"usr/{name}")
