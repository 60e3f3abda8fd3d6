"""The wheel of the edgeseg that runs here."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

from edgeseg.devices import EdgesegError, InputError
from edgeseg.devices.linux_files import cache_folder as users_cache
from edgeseg.runtime.pictures.atomic import replacing

_NAME = "edgeseg"
_LAYERS = ("devices", "runtime", "converter", "benchmarks")
_BESIDE = ("pyproject.toml", "README.md", "LICENSE")
_LEFT_OUT = {"__pycache__", "results"}  # records do not go into the wheel
# Conversion stays on the workstation: its Keras model and ranges are 8 of 11 MB
_NOT_FOR_BOARDS = (f"{_NAME}/converter/", f"{_NAME}/benchmarks/studies/")
# what an installer adds to a wheel's own files
_INSTALLED = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a ZIP file knows


def cache_folder() -> Path:
    """Return where wheels are kept here."""
    return users_cache() / "remote"


def wheel_file(given: Path | None) -> Path:
    """Return a wheel of edgeseg: the one that is named, else of what runs here.

    An installed edgeseg is packed again; one that runs from its source is built, once
    for each state of the source. What only converts is left out of it.

    Raises
    ------
    InputError
        The file that is named is no wheel of edgeseg.
    EdgesegError
        The source cannot be built.
    """
    if given is not None:
        _check(given)
        return given
    source = Path(__file__).parents[2]  # or the folder `edgeseg` of site-packages
    return _built(source) if (source / "pyproject.toml").is_file() else _repacked()


def _check(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"no such wheel: {path}")
    if not (path.name.startswith(f"{_NAME}-") and path.suffix == ".whl"):
        raise InputError(f"expected a wheel such as edgeseg-1.0-py3-none-any.whl, "
                         f"got {path.name}")  # fmt: skip
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is no wheel: it is no ZIP file")


def _built(source: Path) -> Path:
    """Build a wheel of the source, in a copy: without what other builds left there."""
    files = _source_files(source)
    folder = cache_folder() / "built" / _digest(source, files)
    there = sorted(folder.glob("*.whl"))
    if there:
        return there[0]
    with tempfile.TemporaryDirectory(prefix="edgeseg-wheel-") as temporary:
        place = Path(temporary)
        for path in files:
            target = place / "source" / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        _pip_wheel(place / "source", place / "made")
        (made,) = (place / "made").glob("*.whl")
        content = {}
        with zipfile.ZipFile(made) as archive:
            for name in filter(_is_for_boards, archive.namelist()):
                content[name] = archive.read(name)
        write_wheel(folder / made.name, content)
    return folder / made.name


def _source_files(source: Path) -> list[Path]:
    found = [source / name for name in _BESIDE if (source / name).is_file()]
    for layer in _LAYERS:
        spec = importlib.util.find_spec(f"{_NAME}.{layer}")
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            found += [
                path
                for path in Path(folder).rglob("*")
                if path.is_file() and not _LEFT_OUT & set(path.parts)
            ]
    return sorted(path for path in found if path.is_relative_to(source))


def _digest(source: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(os.fsencode(path.relative_to(source)) + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def _pip_wheel(source: Path, folder: Path) -> None:
    call = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*call, "-w", str(folder), str(source)], capture_output=True, text=True
    )
    if done.returncode != 0:
        reason = [line for line in done.stderr.splitlines() if line.strip()][-1:]
        raise EdgesegError(
            f"the wheel cannot be built ({' '.join(reason) or 'no reason told'}): "
            "build it elsewhere and name it with --wheel"
        )


def _repacked() -> Path:
    """Pack the files of an install into the wheel that they came from."""
    # a source tree in the current folder may be found too: it has no RECORD
    found = metadata.distributions(name=_NAME)
    distribution = next((d for d in found if d.read_text("RECORD")), None)
    if distribution is None:
        raise EdgesegError(
            "how edgeseg was installed here is not known (no RECORD): name a wheel "
            "with --wheel"
        )
    content = {}
    for entry in distribution.files or ():
        if ".." in entry.parts or "__pycache__" in entry.parts:
            continue  # scripts and bytecode are made by each installer
        if entry.parent.name.endswith(".dist-info") and entry.name in _INSTALLED:
            continue
        if not _is_for_boards(entry.as_posix()):
            continue
        content[entry.as_posix()] = Path(str(entry.locate())).read_bytes()
    name = f"{_NAME}-{distribution.version}-py3-none-any.whl"
    digest = hashlib.sha256(repr(sorted(content.items())).encode()).hexdigest()[:32]
    path = cache_folder() / "packed" / digest / name
    if not path.exists():
        write_wheel(path, content)
    return path


def _is_for_boards(name: str) -> bool:
    return not name.startswith(_NOT_FOR_BOARDS)


def write_wheel(path: Path, content: dict[str, bytes]) -> None:
    """Write a wheel whose bytes depend on nothing but its files.

    References
    ----------
    Binary distribution format: RECORD lists name, hash and size of each file, its own
    without the last two.
    """
    record = next(n.rpartition("/")[0] for n in content if n.endswith("/METADATA"))
    record += "/RECORD"
    files = {name: data for name, data in sorted(content.items()) if name != record}
    lines = [f"{name},sha256={_hash(d)},{len(d)}" for name, d in files.items()]
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
