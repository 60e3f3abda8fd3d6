"""Known public files by name: fetched where there is a network, checked by SHA-256.

A release is listed in ``releases.json`` only when its digest is known, so that what
appears under its name is what was tested. The public Keras DeepLabv3+ release has
three more files (MobileNetV2, and both networks on Cityscapes) whose digests are not
known here. `edgeseg convert` takes them all the same when they are fetched by hand.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import itertools
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import one_line
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.pictures.atomic import check_writable, replacing
from edgeseg.runtime.shipped.catalogue import PublicFile, releases

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable


_CHUNK = 1 << 16  # bytes
_PATIENCE_S = 30.0  # without a byte


def find_release(name: str) -> PublicFile:
    """Return a release by its name.

    Raises
    ------
    InputError
        There is none of that name; the message lists the known ones.
    """
    known = releases()
    if name not in known:
        raise InputError(f"unknown release {name!r}; known: {', '.join(known)}")
    return known[name]


def fetch(
    release: PublicFile,
    *,
    output: Path | None = None,
    url: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Fetch a release, unless it is there; nothing unchecked is ever under its name.

    Parameters
    ----------
    release : PublicFile
        From `find_release`.
    output : Path or None
        The file to write; by default the release's own name in the current folder.
    url : str or None
        Another place to fetch it from.
    progress : callable or None
        Called with the bytes fetched so far.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        It could not be fetched, or something else came.
    OutputError
        It cannot be written.
    """
    target = output or Path(release.file)
    if target.is_file() and sha256(target) == release.sha256:
        return target
    check_writable(target)
    source = url or release.url
    with contextlib.closing(_download(release, source)) as chunks:
        first = next(chunks, b"")  # without a network not even a folder is made
        with replacing(target) as temporary:
            content = itertools.chain([first], chunks)
            done, digest = _store(temporary, content, progress or (lambda done: None))
            _check(release, source, done, digest)
    return target


def _store(
    path: Path, chunks: Iterable[bytes], progress: Callable[[int], None]
) -> tuple[int, str]:
    """Write a file and return its length and SHA-256."""
    digest, done = hashlib.sha256(), 0
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            progress(done)
    return done, digest.hexdigest()


def _download(release: PublicFile, url: str) -> Generator[bytes, None, None]:
    """Give the bytes at a URL, a few more than the release's at most."""
    left = release.bytes + 1
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer:
            while left > 0 and (chunk := answer.read(min(_CHUNK, left))):
                left -= len(chunk)
                yield chunk
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is the server's answer as well
        reason = one_line(getattr(error, "reason", None) or error)
        raise InputError(
            f"cannot fetch {url}: {reason or type(error).__name__}; {_by_hand(release)}"
        ) from error


def _check(release: PublicFile, url: str, done: int, digest: str) -> None:
    if done != release.bytes:
        got = f"{done:,}" if done < release.bytes else f"more than {release.bytes:,}"
        raise InputError(
            f"{url} gave {got} bytes instead of {release.bytes:,}, nothing was kept: "
            f"try again, or {_by_hand(release)}"
        )
    if digest != release.sha256:
        raise InputError(
            f"{url} gave a file of sha256 {digest}, not the one that is known, nothing "
            f"was kept: {_by_hand(release)}"
        )


def _by_hand(release: PublicFile) -> str:
    command = " ".join(release.next.split()[:2])
    return (
        f"download {release.url} by hand, expect sha256 {release.sha256}, and give the "
        f"file to `{command}`"
    )
