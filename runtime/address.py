"""The grammar of sources, sinks and effects: ``NAME``, ``NAME:REST``, URLs, paths.

::

    camera:0                    a plugin's name, and what it is given
    masks:ids/                  the same; this plugin's rest is a folder
    web:0.0.0.0:8080?token=x    with options
    rtsps://host/stream         a URL: the scheme is the name, or one that it declares
    photos/*.jpg                a bare path: the plugin that claims such paths

Each plugin file declares in ``ADDRESS`` what its rest is. `run` opens by it, a
configuration file makes relative paths absolute by it, `service` allows devices and
folders by it, and `remote` copies files by it; none of them knows a plugin's name.
"""

from __future__ import annotations

import difflib
import functools
import glob
import importlib
import importlib.util
import os
import re
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from edgeseg.devices import InputError
from edgeseg.runtime.pictures.files import SUFFIXES
from edgeseg.runtime.pictures.formats import FURTHER_SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices import PluginFolder

PICTURES = tuple(sorted(SUFFIXES))  # what names of picture files end in

# and those of pictures that are read where the machine can do it
ALL_PICTURES = tuple(sorted(SUFFIXES | FURTHER_SUFFIXES))

# What a bare path may be, beside a file with a suffix such as ".mp4"
FOLDER, PATTERN, STDOUT, ANY_FILE = "/", "*", "-", ".*"

# Cameras as systemd's ``DeviceAllow=`` takes them: those of the kernel, and the image
# processors beside them
CAMERAS = ("char-video4linux", "char-media")


class Rest(Enum):
    """What follows a plugin's name."""

    NOTHING = "nothing"
    TEXT = "text that is neither a path nor an address"
    FILE = "a file"
    FOLDER = "a folder"
    FILE_OR_FOLDER = "a file or a folder"
    PATTERN = "a folder or a glob pattern"
    NETWORK = "a network address"
    DEVICE_NODE = "a device file, or its number"


# rests that are paths, and how messages write them
_PATHS = {
    Rest.FILE: ("FILE",),
    Rest.FOLDER: ("FOLDER",),
    Rest.FILE_OR_FOLDER: ("FILE", "FOLDER"),
    Rest.PATTERN: ("FOLDER", "PATTERN"),
}
_OPTION = re.compile(r"[A-Za-z_]\w*=[^/]*")


@dataclass(frozen=True)
class AddressKind:
    """What a plugin file declares of its addresses, as ``ADDRESS`` beside ``PLUGIN``.

    It is read without importing the file where it is written with the names in this
    module alone: one bare path asks all plugins.

    Parameters
    ----------
    rest : Rest
        What follows the name and a colon.
    bare : tuple of str
        Bare paths that this plugin opens: suffixes such as ``".mp4"``, `FOLDER`,
        `PATTERN`, `STDOUT`, `ANY_FILE`.
    inside : tuple of str
        What names of files in its folder end in: these are copied to and from boards.
    schemes : tuple of str
        Schemes of its URLs beside its name, such as the encrypted one.
    options : str
        The character between the path, if the rest is one, and the options. Options
        stand at the end: what follows the last separators and reads ``key=value``,
        without a ``/``, or is one of `flags`. All before is the path, whatever it
        holds: in ``a,b/photos,frames=2`` it is ``a,b/photos``. A rest that names a
        file or folder which exists is a path to its end.
    flags : tuple of str
        Options that are a word alone, such as ``"live"``.
    name_is_path : bool
        The name without a colon is a path of that name.
    nodes, groups : tuple of str
        Devices that it opens, as systemd's ``DeviceAllow=`` takes them; Unix groups
        that own their files.
    extra : str
        Extra of the package that it needs.
    system_packages : bool
        It needs packages of the board's own Python.
    dated : bool
        Codes of strftime stand for the time in the path of a file, ``%%`` for ``%``.
    """

    rest: Rest
    bare: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    options: str = ""
    flags: tuple[str, ...] = ()
    name_is_path: bool = False
    nodes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    extra: str = ""
    system_packages: bool = False
    dated: bool = False

    @property
    def is_path(self) -> bool:
        """Whether the rest is a path."""
        return self.rest in _PATHS

    def split(self, rest: str, folder: str | PurePath = "") -> tuple[str, list[str]]:
        """Return the path and the options of a rest, as `options` has the rule.

        Parameters
        ----------
        rest : str
            What follows the plugin's name and a colon.
        folder : str or PurePath
            Where a relative path begins.

        Examples
        --------
        >>> AddressKind(Rest.FILE, options=",").split("a,b/clip.npy,frames=2,rate=5")
        ('a,b/clip.npy', ['frames=2', 'rate=5'])
        """
        options: list[str] = []
        if not self.options or os.path.exists(os.path.join(folder, rest)):
            return rest, options
        while self.options in rest:
            place, _, last = rest.rpartition(self.options)
            if not _OPTION.fullmatch(last) and last not in self.flags:
                break
            rest = place
            options.insert(0, last)
        return rest, options


@dataclass(frozen=True)
class Address:
    """A text that names a plugin, taken apart.

    Parameters
    ----------
    plugin : str
        Name of the plugin.
    rest : str
        What the plugin is given.
    kind : AddressKind
        What the plugin declares.
    path : str or None
        The file, folder or pattern in the text.
    head, tail : str
        What stands before and behind the path.
    """

    plugin: str
    rest: str
    kind: AddressKind = AddressKind(Rest.TEXT)
    path: str | None = None
    head: str = ""
    tail: str = ""

    def with_path(self, path: str) -> str:
        """Return the text with another path."""
        # a bare path must not read as a plugin's name
        explicit = ":" in path or self.rest.startswith("./")
        is_safe = self.head or not explicit or path.startswith(("/", "./"))
        return f"{self.head}{'' if is_safe else './'}{path}{self.tail}"

    @property
    def is_folder(self) -> bool:
        """Whether its path is a folder's, where that has not to exist yet."""
        if self.kind.rest is Rest.FILE_OR_FOLDER:
            return PurePath(self.path or "").suffix.lower() not in self.kind.bare
        return self.kind.rest in (Rest.FOLDER, Rest.PATTERN)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Devices that it opens, as ``DeviceAllow=`` takes them."""
        device, _ = self.kind.split(self.rest)
        named = self.kind.rest is Rest.DEVICE_NODE and device.startswith("/dev/")
        return self.kind.nodes or ((device,) if named else ())


@dataclass(frozen=True)
class AddressBook:
    """The addresses of one kind of plugin.

    Parameters
    ----------
    plugins : PluginFolder
        Where the plugin files are.

    Examples
    --------
    >>> from edgeseg.runtime.output.open import SINK_ADDRESSES as book
    >>> book.named("masks:ids/").with_path("/there/ids/")
    'masks:/there/ids/'
    >>> book.named("mqtts://broker").plugin, book.named("found.jsonl")
    ('mqtt', None)
    >>> book.bare("found.jsonl", ".jsonl").plugin
    'jsonl'
    """

    plugins: PluginFolder

    def kind(self, name: str) -> AddressKind:
        """Return what a plugin declares."""
        return _declared(self.plugins.package, name)

    def names(self) -> list[str]:
        """Return all names and schemes that may stand before a colon, sorted."""
        found = set(self.plugins.names())
        return sorted(found.union(*(self.kind(name).schemes for name in found)))

    def suffixes(self) -> list[str]:
        """Return the suffixes of bare paths, sorted."""
        return sorted(sign for sign in self._bare_signs() if len(sign) > 2)

    @property
    def has_bare_paths(self) -> bool:
        """Whether a bare path names one of the plugins."""
        return bool(self._bare_signs())

    def named(self, text: str, folder: Path | None = None) -> Address | None:
        """Return the address of a text that begins with a plugin's name or scheme.

        Parameters
        ----------
        text : str
            Such as ``camera:0``.
        folder : Path or None
            Where relative paths begin: a name alone is a path where such a file is
            there. None: a name alone is always a name.

        Returns
        -------
        Address or None
            None: it is a bare path, or the URL of no plugin.
        """
        name, colon, rest = text.partition(":")
        plugin = self._plugin(name)
        if plugin is None:
            return None
        kind = self.kind(plugin)
        is_path = kind.name_is_path or (folder and os.path.exists(folder / text))
        if not colon and folder is not None and is_path:
            return None
        if kind.is_path:
            place, _ = kind.split(rest, folder or "")
            path = place if place not in ("", STDOUT) else None
            tail = rest[len(place) :]
            return Address(plugin, rest, kind, path, colon and f"{name}:", tail)
        if rest.startswith("//"):
            return Address(plugin, text, kind)
        # a scheme that is not the plugin's name, as of encryption, must not get lost
        return Address(plugin, rest if plugin == name else f"{name}://{rest}", kind)

    def is_misspelt(self, text: str, folder: Path) -> bool:
        """Return whether a text reads ``NAME:REST``, but is neither that nor a path.

        A pattern is a path if a file matches it.
        Of a path with a colon that does not exist yet, ``./`` before it says so.

        Parameters
        ----------
        text : str
            Such as ``mask:ids``.
        folder : Path
            Where relative paths begin.
        """
        name, colon, _ = text.partition(":")
        if not colon or not name.isidentifier() or self._plugin(name) is not None:
            return False
        if os.path.exists(folder / text.partition("/")[0]):
            return False
        return not glob.glob(os.path.join(glob.escape(str(folder)), text))

    def suggestion(self, text: str) -> str:
        """Return a clause for messages, with the plugin nearest to an unknown name.

        Examples
        --------
        >>> from edgeseg.runtime.output.open import SINK_ADDRESSES
        >>> SINK_ADDRESSES.suggestion("mask:ids"), SINK_ADDRESSES.suggestion("a:b")
        ("; did you mean 'masks:ids'?", '')
        """
        name, colon, rest = text.partition(":")
        # one letter of three, as in ftp and rtp, is another word
        near = difflib.get_close_matches(name, self.names(), n=1, cutoff=0.7)
        return f"; did you mean {near[0] + colon + rest!r}?" if near and colon else ""

    def bare(
        self, text: str, *signs: str, folder: str | PurePath = ""
    ) -> Address | None:
        """Return the address of a bare path: of the first plugin that claims it.

        Parameters
        ----------
        text : str
            The path.
        *signs : str
            What it is, as in `AddressKind.bare`, the most special first.
        folder : str or PurePath
            Where a relative path begins.
        """
        for sign in signs:
            for name in self.plugins.names():
                if sign in (kind := self.kind(name)).bare:
                    path, _ = kind.split(text, folder)
                    tail = text[len(path) :]
                    place = None if sign == STDOUT else path
                    return Address(name, text, kind, place, tail=tail)
        return None

    def open(self, address: Address, *arguments: object) -> Any:
        """Call the plugin.

        Raises
        ------
        InputError
            Something follows the name of a plugin that takes nothing, or nothing
            the colon of one that takes a path.
        """
        if address.kind.rest is Rest.NOTHING and address.rest:
            raise InputError(
                f"the {self.plugins.kind} {address.plugin} takes nothing after it, got "
                f"{address.rest!r}"
            )
        words = _PATHS.get(address.kind.rest, ())
        if words and address.head and not address.kind.split(address.rest)[0]:
            expected = " or ".join(f"{address.head}{word}" for word in words)
            raise InputError(
                f"{address.plugin}: expected {expected}, got nothing after the colon"
            )
        return self.plugins.load(address.plugin)(address.rest, *arguments)

    def _bare_signs(self) -> set[str]:
        return {sign for name in self.plugins.names() for sign in self.kind(name).bare}

    def _plugin(self, name: str) -> str | None:
        names = self.plugins.names()
        if name in names:
            return name
        return next((each for each in names if name in self.kind(each).schemes), None)


# as ruff formats it: one line, or several of which only the last ends in a bracket
_DECLARATION = re.compile(r"^ADDRESS = (AddressKind\(.*?\))$", re.MULTILINE | re.DOTALL)


@functools.cache
def _declared(package: str, name: str) -> AddressKind:
    """Return a plugin's ``ADDRESS``; without one, its rest is text."""
    full = f"{package}.{name}"
    if full not in sys.modules:
        found = _read(full)
        if found is not None:
            return found
    module = importlib.import_module(full)
    kind: AddressKind = getattr(module, "ADDRESS", AddressKind(Rest.TEXT))
    return kind


def _read(module: str) -> AddressKind | None:
    """Read ``ADDRESS`` in a module's source; None where only an import can tell.

    All sinks and sources together import 190 modules, among them ssl and PyAV; a run
    on one photo needs two of them.
    """
    spec = importlib.util.find_spec(module)
    source = getattr(spec and spec.loader, "get_source", lambda _: None)(module)
    statement = _DECLARATION.search(source or "")
    if statement is None:
        return None
    try:
        # one expression of the package's own, as importing the file would evaluate it
        kind: AddressKind = eval(statement[1], dict(_NAMES))
    except (NameError, SyntaxError):
        return None
    return kind


_NAMES = {
    "AddressKind": AddressKind,
    "Rest": Rest,
    "PICTURES": PICTURES,
    "ALL_PICTURES": ALL_PICTURES,
    "FOLDER": FOLDER,
    "PATTERN": PATTERN,
    "STDOUT": STDOUT,
    "ANY_FILE": ANY_FILE,
    "CAMERAS": CAMERAS,
}
