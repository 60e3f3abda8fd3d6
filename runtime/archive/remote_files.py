"""Files behind a URL, such as ``s3://bucket/photos``: found, and brought here.

pyarrow reads ``s3``, ``gs``, ``hdfs`` and ``file`` itself; for others fsspec is asked,
which needs the package of the scheme.
"""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgeseg.devices import EdgesegError, InputError, MissingDriverError
from edgeseg.devices.plain_text import hide_credentials, reason_of, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.devices.types import Untyped

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_WITHOUT_HOST = frozenset({"file", "local", "memory"})  # schemes whose URLs have none
# Google's client goes on trying for a quarter of an hour where it has no credentials
_OPTIONS = {"gs": "?retry_limit_seconds=20", "gcs": "?retry_limit_seconds=20"}
_LONGEST = 300  # characters of a reason: a missing library is looked for everywhere


def is_url(text: str) -> bool:
    """Return whether a text is a URL rather than a path.

    Examples
    --------
    >>> is_url("s3://bucket/photos"), is_url("photos/a.jpg")
    (True, False)
    """
    return _URL.match(text) is not None


def files_below(url: str) -> list[tuple[str, str, int]]:
    """Return path below the URL, URL and bytes of each file, in order of the path.

    Of a URL that is a file the path is its name.

    Raises
    ------
    InputError
        There is nothing, or it cannot be reached.
    MissingDriverError
        The package for this scheme is not installed.
    """
    from pyarrow.fs import FileSelector, FileType

    files, root = _opened(url)
    root = root.rstrip("/") or root
    scheme = url[: url.index("://") + 3]
    with _named(url):
        info = files.get_file_info(root)
        if info.type == FileType.NotFound:
            raise InputError(f"no such file or folder: {hide_credentials(url)}")
        listed = [info]
        if info.type == FileType.Directory:
            listed = files.get_file_info(FileSelector(root, recursive=True))
    found = []
    for each in listed:
        if each.type == FileType.File:
            below = PurePosixPath(each.path)
            inside = below.name if each.path == root else below.relative_to(root)
            found.append((str(inside), f"{scheme}{each.path}", int(each.size or 0)))
    return sorted(found)


@contextmanager
def local_copy(place: str) -> Iterator[Path]:
    """Yield a path where a file can be read: its own, or that of a copy.

    Parameters
    ----------
    place : str
        A path, or a URL.

    Raises
    ------
    InputError
        The URL cannot be read.
    """
    if not is_url(place):
        yield Path(place)
        return
    with tempfile.TemporaryDirectory(prefix="edgeseg-") as folder:
        name = PurePosixPath(place).name
        path = Path(folder) / (name if len(name) < 100 else name[-100:])
        files, inside = _opened(place)
        with (
            _named(place),
            files.open_input_stream(inside) as stream,
            path.open("wb") as file,
        ):
            while block := stream.read(1 << 20):
                file.write(block)
        yield path


def _opened(url: str) -> tuple[Untyped, str]:
    """Return a file system and the path in it."""
    scheme, rest = url.split("://", 1)
    # a path may hold what has a meaning in a URL, such as a space
    authority, _, path = rest.partition("/")
    if not authority and scheme.lower() not in _WITHOUT_HOST:
        raise InputError(
            f"{hide_credentials(url)} names nothing to read: expected "
            f"{scheme}://BUCKET/PATH"
        )
    files, base = _file_system(scheme, authority)
    return files, f"{base}/{path}"


@lru_cache(maxsize=32)
def _file_system(scheme: str, authority: str) -> tuple[Untyped, str]:
    import pyarrow
    from pyarrow import fs

    url = f"{scheme}://{authority}"
    with _named(url):
        try:
            files, base = fs.FileSystem.from_uri(f"{url}/{_OPTIONS.get(scheme, '')}")
            return files, str(base).rstrip("/")
        except pyarrow.ArrowInvalid:
            pass  # a scheme that pyarrow does not know
        try:
            import fsspec

            system, base = fsspec.core.url_to_fs(f"{url}/")
        except (ImportError, ValueError) as error:
            raise MissingDriverError(
                f"cannot read {hide_credentials(url)}: {reason_of(error)}; pip install "
                "fsspec and its package for this scheme, or name a folder"
            ) from error
        return fs.PyFileSystem(fs.FSSpecHandler(system)), str(base).rstrip("/")


@contextmanager
def _named(url: str) -> Iterator[None]:
    """Say of which URL an error is; packages of file systems raise all kinds of them.

    Raises
    ------
    InputError
        In place of what is not an error of edgeseg.
    """
    try:
        yield
    except EdgesegError:
        raise
    except Exception as error:
        reason = shortened(reason_of(error), _LONGEST)
        if "ACCESS" in reason or "credential" in reason.lower():
            reason += (
                "; credentials come from the store's own variables and files, such as "
                "AWS_ACCESS_KEY_ID or ~/.aws/credentials"
            )
        raise InputError(f"cannot read {hide_credentials(url)}: {reason}") from error
