"""The manifest inside a model file: a ZIP behind a flatbuffer, or a text of ONNX.

TensorFlow Lite reads a flatbuffer from its front, ``zipfile`` reads an archive from
its end, so that one file holds both (the convention of TFLite Metadata for label
files). Ours holds ``edgeseg.json`` and ``labels.txt``. ONNX has a place of its own for
texts, ``metadata_props``: there the manifest's key is ``edgeseg``.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from edgeseg.devices import ManifestError
from edgeseg.devices.archives import open_archive, read_entry
from edgeseg.devices.plain_text import encodable, one_line
from edgeseg.runtime.model.labels import parse_labels
from edgeseg.runtime.model.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ONNX_SUFFIX = ".onnx"
LABEL_FILE = "labels.txt"
_MANIFEST = "edgeseg.json"
_ONNX_KEY = "edgeseg"
_FOREIGN_LABELS = ("labelmap.txt", "labels.txt")
_LIMIT = 1 << 20  # bytes; a longer entry is no manifest
_EPOCH = (1980, 1, 1, 0, 0, 0)  # ZIP's earliest date: equal input, equal bytes


def append_manifest(
    model: bytes, manifest: Manifest, others: Mapping[str, str] | None = None
) -> bytes:
    """Return a TFLite model followed by an archive with its manifest.

    Parameters
    ----------
    model : bytes
        A flatbuffer; an archive already behind it is replaced.
    manifest : Manifest
        What to store.
    others : mapping of str to str or None
        Other texts to store, by the names of their entries.
    """
    buffer = io.BytesIO(without_manifest(model))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(_entry(_MANIFEST), manifest.to_json())
        if manifest.labels:
            archive.writestr(_entry(LABEL_FILE), label_lines(manifest.labels))
        for name, text in (others or {}).items():
            archive.writestr(_entry(name), text)
    return buffer.getvalue()


def label_lines(labels: tuple[str, ...]) -> str:
    r"""Return a list with one label a line, as readers of label files expect it.

    Line breaks within a label become spaces, and an empty one gets the name of its
    class, so that no label moves to another line.

    Examples
    --------
    >>> label_lines(("sky", "a\nb", ""))
    'sky\na b\nclass 2\n'
    """
    lines = (" ".join(encodable(label).splitlines()) for label in labels)
    return "".join(f"{line or f'class {i}'}\n" for i, line in enumerate(lines))


def onnx_with_manifest(model: bytes, manifest: Manifest) -> bytes:
    """Return an ONNX model that carries a manifest; one already in it is replaced."""
    from edgeseg.runtime.model.onnx_file import with_text

    return with_text(model, _ONNX_KEY, manifest.to_json())


def stored_manifest(path: Path) -> Manifest | None:
    """Return the manifest inside a model file or in its sidecar, else None.

    The sidecar of ``deeplab.tflite`` is ``deeplab.tflite.json``; what is inside the
    model counts first.

    Raises
    ------
    ManifestError
        There is one, but it is malformed.
    """
    if path.suffix == ONNX_SUFFIX:
        # a run of a TFLite file does without the modules that read the other format
        from edgeseg.runtime.model.onnx_file import read_texts

        text = read_texts(path).get(_ONNX_KEY)
    else:
        text = _read_entry(path, _MANIFEST)
    if text is not None:
        return Manifest.from_json(text)
    sidecar = sidecar_path(path)
    if not sidecar.is_file():
        return None
    try:
        return Manifest.from_json(sidecar.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"cannot read {sidecar}: {error}") from error


def stored_labels(path: Path) -> tuple[str, ...]:
    """Return the label list that a foreign model file carries, empty without one."""
    for name in _FOREIGN_LABELS:
        text = _read_entry(path, name)
        if text is not None:
            return parse_labels(text, f"{path}:{name}")
    return ()


def sidecar_path(path: Path) -> Path:
    """Return where the manifest of a model that may not be touched is looked for."""
    return path.with_name(path.name + ".json")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    import hashlib  # and OpenSSL's library, megabytes that a run does without

    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    # a kilobyte more than deflated, and the same bytes with every build of zlib
    info.compress_type = zipfile.ZIP_STORED
    return info


def _read_entry(path: Path, name: str) -> str | None:
    try:
        archive = open_archive(path)
    except (zipfile.BadZipFile, OSError):
        return None  # no archive behind the model
    with archive:
        if name not in archive.namelist():
            return None
        if archive.getinfo(name).file_size > _LIMIT:
            raise ManifestError(
                f"{path}: its entry {name} is over {_LIMIT} bytes: no manifest"
            )
        try:
            return read_entry(archive, name, _LIMIT).decode("utf-8")
        except (zipfile.BadZipFile, UnicodeDecodeError) as error:
            raise ManifestError(
                f"{path}: its entry {name} is damaged: {one_line(error)}"
            ) from error


def without_manifest(model: bytes) -> bytes:
    """Return a TFLite model without the archive behind it."""
    try:
        with open_archive(io.BytesIO(model)) as archive:
            entries = archive.infolist()
            start = min((e.header_offset for e in entries), default=archive.start_dir)
            return model[:start]
    except zipfile.BadZipFile:
        return model
