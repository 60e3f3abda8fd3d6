"""A file from elsewhere, by its path or by HTTP, written as it comes."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, OutputError
from edgeseg.devices.plain_files import kind_of
from edgeseg.devices.plain_text import hide_credentials, one_line, printable, reason_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from urllib.request import Request

    from edgeseg.devices.types import Untyped

LARGEST = 1 << 30  # bytes; DeepLab on Xception has 0.17 of them as floats
_CHUNK = 1 << 16
_PATIENCE_S = 30.0  # without a byte
_LONGEST_S = 3600.0
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_url(source: str) -> bool:
    """Return whether a source is to be fetched by HTTP."""
    return source.lower().startswith(("http://", "https://"))


def shown(source: str) -> str:
    """Return a source as it may be shown and kept: without a user and a query."""
    return hide_credentials(source) if "://" in source else source


def check_sha256(text: str) -> str:
    """Return a SHA-256 in lower case.

    Raises
    ------
    InputError
        It is none.
    """
    found = text.strip().lower()
    if not _SHA256.fullmatch(found):
        raise InputError(
            f"expected a SHA-256 of 64 hexadecimal digits, got {printable(text, 80)!r}"
        )
    return found


def fetch(source: str, target: Path, *, largest: int = LARGEST) -> tuple[int, str]:
    """Write what is at a source to a new file, and on the disk.

    Parameters
    ----------
    source : str
        Path of a file, or an address of HTTP.
    target : Path
        A file that is not there.
    largest : int
        Bytes that are taken at most.

    Returns
    -------
    int, str
        Its length and SHA-256.

    Raises
    ------
    InputError
        Nothing can be read there, it ends too early, or is too large.
    OutputError
        It cannot be written.
    """
    digest, done = hashlib.sha256(), 0
    with contextlib.closing(_chunks(source, largest, target)) as chunks:
        try:
            with target.open("xb") as file:
                for chunk in chunks:
                    file.write(chunk)
                    digest.update(chunk)
                    done += len(chunk)
                file.flush()
                os.fsync(file.fileno())
        except (InputError, OutputError):
            raise
        except OSError as error:
            raise OutputError(
                f"cannot write to {target.parent.parent}: {reason_of(error)}"
            ) from error
    return done, digest.hexdigest()


def _chunks(source: str, largest: int, target: Path) -> Generator[bytes, None, None]:
    """Give the bytes of a source, as many as are taken at most."""
    with _opened(source) as (file, length):
        if length is not None:
            _check_room(source, length, largest, target.parent)
        end, done = time.monotonic() + _LONGEST_S, 0
        while chunk := _read(file, source):
            done += len(chunk)
            if done > largest:
                raise _too_large(source, largest)
            if time.monotonic() > end:
                raise InputError(f"cannot fetch {shown(source)}: it takes over an hour")
            yield chunk
    if length is not None and done != length:
        raise InputError(
            f"{shown(source)} ended after {done:,} of {length:,} bytes, nothing was "
            "kept: try again"
        )


def _check_room(source: str, length: int, largest: int, folder: Path) -> None:
    if length > largest:
        raise _too_large(source, largest)
    place = os.statvfs(folder)
    free = place.f_bavail * place.f_frsize
    if length > free:
        raise OutputError(
            f"no room for {shown(source)} in {folder.parent}: it has {length:,} "
            f"bytes, {free:,} are free"
        )


def _too_large(source: str, largest: int) -> InputError:
    return InputError(
        f"{shown(source)} has more than the {largest:,} bytes that a model may have, "
        "nothing was kept"
    )


@contextlib.contextmanager
def _opened(source: str) -> Iterator[tuple[Untyped, int | None]]:
    """Open a source; gives its length where that is known."""
    if is_url(source):
        answer = _answer(source)
        with contextlib.closing(answer):
            length = answer.headers.get("Content-Length", "")
            yield answer, int(length) if length.isdecimal() else None
        return
    if "://" in source:
        raise InputError(f"expected a file, https:// or http://, got {shown(source)!r}")
    kind = kind_of(source)
    if kind != "file":
        what = "there is none" if kind is None else f"it is a {kind}"
        raise InputError(f"expected a model file at {source}: {what}")
    try:
        with Path(source).open("rb") as file:
            yield file, os.fstat(file.fileno()).st_size
    except InputError:
        raise
    except PermissionError as error:
        raise InputError(f"cannot read {source}: {reason_of(error)}") from error


class _OnlyHttp(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to HTTP and HTTPS, and never from the second to the first."""

    def redirect_request(
        self, req: Request, fp: Untyped, code: int, msg: str, hdrs: Untyped, url: str
    ) -> Request | None:
        given = "https" if req.full_url.lower().startswith("https:") else "http"
        if not url.lower().startswith(("https://", f"{given}://")):
            raise InputError(
                f"cannot fetch {shown(req.full_url)}: it leads to {shown(url)!r}, "
                f"expected {given}://"
            )
        return super().redirect_request(req, fp, code, msg, hdrs, url)


def _answer(url: str) -> Untyped:
    opener = urllib.request.build_opener(_OnlyHttp)
    request = urllib.request.Request(url, headers={"user-agent": "edgeseg"})
    try:
        return opener.open(request, timeout=_PATIENCE_S)
    except InputError:
        raise
    except urllib.error.HTTPError as error:
        error.close()  # it is the server's answer as well
        # of a redirect that is not followed the reason has several lines
        reason = f"the server answers {error.code}: {printable(str(error.reason), 160)}"
        raise InputError(f"cannot fetch {shown(url)}: {reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = one_line(getattr(error, "reason", None) or error)
        raise InputError(f"cannot fetch {shown(url)}: {reason}") from error


def _read(file: Untyped, source: str) -> bytes:
    try:
        return bytes(file.read(_CHUNK))
    except (OSError, http.client.HTTPException) as error:
        raise InputError(
            f"cannot fetch {shown(source)}: {one_line(error)}; nothing was kept"
        ) from error
