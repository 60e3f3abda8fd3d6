"""The text of a systemd unit that keeps a run on.

References
----------
systemd.service(5), systemd.exec(5), systemd.resource-control(5), systemd.syntax(7)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import utf8_name
from edgeseg.runtime.address import CAMERAS

MARK = (
    "# Written by `edgeseg service install`; changes here are lost with the next one."
)
# Devices that any run may need: cameras and what decodes and encodes beside them, GPUs,
# memory shared between them.
_DEVICES = (*CAMERAS, "char-drm", "char-dma_heap")
# Needs no privilege and no namespace, so it works in any user's manager
_LIGHT = """\
NoNewPrivileges=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
# Netlink: how libusb and GStreamer learn of devices and interfaces
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0027"""
# MemoryDenyWriteExecute is left out: GStreamer's Orc and libffi write code at run time.
_FULL = """\
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes"""
# Before 254 systemd did not add this by itself to a user's service: it started none
# without the right to drop capabilities, and left its file system as it was.
_USERS = "PrivateUsers=yes"


@dataclass(frozen=True)
class ServiceUnit:
    """One service.

    Parameters
    ----------
    program : tuple of str
        What starts ``edgeseg``, without its arguments.
    config : Path
        The configuration file, absolute.
    writable : tuple of Path
        Folders that outputs go to, absolute.
    system : bool
        For the machine's manager instead of a user's.
    user : str or None
        Whom a system service runs as.
    groups : tuple of str
        Further groups of a system service, for the devices' files.
    nodes : tuple of str
        Further devices that it opens, as ``DeviceAllow=`` takes them.
    namespaces : bool
        Whether the manager can give the service a file system view of its own.
    memory_max : str
        Limit of memory, such as ``1G``.
    watchdog_s : int
        Seconds without a finished frame after which the service is started anew.
    """

    program: tuple[str, ...]
    config: Path
    writable: tuple[Path, ...] = ()
    system: bool = False
    user: str | None = None
    groups: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    namespaces: bool = True
    memory_max: str = "1G"
    watchdog_s: int = 30

    def text(self) -> str:
        """Return the unit file.

        Raises
        ------
        InputError
            A file name cannot be written in a unit file.
        """
        parts = [MARK, self._unit(), self._service(), self._install()]
        return "\n\n".join(parts) + "\n"

    def _unit(self) -> str:
        return "\n".join(
            [
                "[Unit]",
                f"Description=edgeseg with {_plain(self.config.name)}",
                "After=network.target",
                "# ten starts within ten minutes, then it stays down until looked at",
                "StartLimitIntervalSec=600",
                "StartLimitBurst=10",
            ]
        )

    def _service(self) -> str:
        words = [*self.program, "run", "--config", str(self.config)]
        command = " ".join(quoted(word, program=word is words[0]) for word in words)
        environment = self.config.with_suffix(".env")
        lines = [
            "[Service]",
            "Type=notify",
            "NotifyAccess=main",
            f"ExecStart={command}",
            "# secrets such as EDGESEG_TOKEN=...; the file may be missing",
            f"EnvironmentFile=-{_plain(environment)}",
            *self._identity(),
            "# ready means: the first frame is done",
            "TimeoutStartSec=180",
            f"WatchdogSec={self.watchdog_s}",
            "TimeoutStopSec=10",
            "# 128 + SIGTERM: a run that was asked to end, and did in order",
            "SuccessExitStatus=143",
            "Restart=on-failure",
            "RestartSec=5",
            f"MemoryMax={self.memory_max}",
            _LIGHT,
            *(self._full() if self.namespaces else ()),
        ]
        return "\n".join(lines)

    def _identity(self) -> list[str]:
        if not self.system or self.user is None:
            return []
        lines = [f"User={self.user}"]
        if self.groups:
            lines.append(f"SupplementaryGroups={' '.join(self.groups)}")
        return lines

    def _full(self) -> list[str]:
        devices = dict.fromkeys((*_DEVICES, *self.nodes))
        lines = [_FULL, *self._private_tmp(), "DevicePolicy=closed"]
        if not self.system:
            lines.append(_USERS)
        lines += [f"DeviceAllow={device} rw" for device in devices]
        if self.writable:
            places = " ".join(quoted(str(path)) for path in self.writable)
            lines.append(f"ReadWritePaths={places}")
        return lines

    def _private_tmp(self) -> list[str]:
        """Hide the shared /tmp, unless what is needed is in it."""
        shared = (Path("/tmp"), Path("/var/tmp"))
        needed = (self.config, *self.writable)
        inside = any(path.is_relative_to(tmp) for path in needed for tmp in shared)
        return [] if inside else ["PrivateTmp=yes"]

    def _install(self) -> str:
        target = "multi-user.target" if self.system else "default.target"
        return f"[Install]\nWantedBy={target}"


def quoted(text: str, *, program: bool = False) -> str:
    """Return a word of a command line or list, as systemd reads it back.

    Parameters
    ----------
    text : str
        The word.
    program : bool
        It is the first word: there ``$`` has no meaning.

    Raises
    ------
    InputError
        There are characters in it that a unit file cannot hold.

    Examples
    --------
    >>> quoted("/srv/my camera/50%.toml")
    '"/srv/my camera/50%%.toml"'
    """
    if program and re.search(r"""["'\\]""", text):
        raise InputError(
            f"systemd starts no program with quotes or backslashes in its name: {text}"
        )
    escaped = _plain(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if program else f'"{escaped.replace("$", "$$")}"'


def _plain(text: str | Path) -> str:
    """Return text for a value that is not split into words."""
    if any(ord(character) < 32 or ord(character) == 127 for character in str(text)):
        raise InputError(f"expected a name without control characters, got {text!r}")
    name = utf8_name(text)
    if name is None:
        raise InputError(f"systemd takes names in UTF-8 alone, got {text!r}: rename it")
    return name.replace("%", "%%")
