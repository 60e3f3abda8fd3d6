"""From what a user names to the pictures and videos that are to be done."""

from __future__ import annotations

import glob
import heapq
import os
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_files import check_file_or_folder, kind_of
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.archive.remote_files import files_below, is_url
from edgeseg.runtime.archive.work import Item, Sample, rank
from edgeseg.runtime.capture.open import find_source
from edgeseg.runtime.pictures.files import readable_suffixes
from edgeseg.runtime.pictures.formats import picture_format
from edgeseg.runtime.sources.folder import glob_root, names_below

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LIST_SUFFIXES = frozenset({".txt", ".lst"})
VIDEO_SUFFIXES = frozenset(
    {".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm"}
)


def items_of(sources: Sequence[str]) -> list[Item]:
    """Return all that sources hold, each with a name of its own.

    Of one source the names are those of ``edgeseg run``; of several each one's begin
    with the source's own name.

    Parameters
    ----------
    sources : sequence of str
        Folders, patterns, pictures, videos, lists of them, and URLs of the first
        three and the last.

    Raises
    ------
    InputError
        A source is not there, cannot be read, or holds nothing.
    """
    if len(sources) == 1:
        return _items(sources[0])
    found: list[Item] = []
    taken: Counter[str] = Counter()
    for source in sources:
        stem = _own_name(source)
        taken[stem] += 1
        inside = stem if taken[stem] == 1 else f"{stem}-{taken[stem]}"
        found += [_renamed(item, f"{inside}/{item.name}") for item in _items(source)]
    return found


def chosen(
    items: Sequence[Item], *, limit: int | None, sample: int | float | None
) -> tuple[list[Item], Sample]:
    """Return the items of a sample, at most so many, and the sample of their frames.

    Parameters
    ----------
    items : sequence of Item
        All.
    limit : int or None
        Take the first so many pictures and frames.
    sample : int, float or None
        Take so many, or such a share, as if drawn by chance, the same each time.

    Raises
    ------
    InputError
        It cannot be said beforehand which frames of a video those are.
    """
    share = Sample()
    taken = list(items)
    has_video = any(item.is_video for item in items)
    if isinstance(sample, float):
        share = Sample(sample)
        taken = [item for item in items if item.is_video or share.has(item.name)]
    elif sample is not None:
        if has_video:
            raise InputError(
                "--sample: a video's frames are not counted beforehand: expected a "
                f"share such as 5%, got {sample}"
            )
        few = heapq.nsmallest(sample, items, key=lambda item: rank(item.name))
        names = {item.name for item in few}
        taken = [item for item in items if item.name in names]
    if limit is None:
        return taken, share
    if has_video and sample is not None:
        raise InputError("--limit: with --sample it takes pictures, no videos")
    return list(_first(taken, limit)), share


def sized(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items with the bytes of those that are local files."""
    for item in items:
        if item.size or is_url(item.place):
            yield item
            continue
        try:
            size = os.stat(item.place).st_size
        except OSError:  # whoever reads it says why
            size = 0
        yield Item(item.name, item.place, item.is_video, size, item.first, item.most)


def _items(source: str) -> list[Item]:
    if is_url(source):
        listed = files_below(source)
        pairs = [(PurePosixPath(inside), url) for inside, url, _ in listed]
        sizes = {url: size for _, url, size in listed}
        found = _named(pairs, sizes)
    elif os.path.isdir(source):
        found = _in_folder(Path(source), Path(source).rglob("*"))
    elif kind_of(source) is None and glob.has_magic(source):
        names = glob.glob(source, recursive=True)
        found = _in_folder(Path(glob_root(source)), map(Path, names))
    else:
        found = _of_file(source)
    if not found:
        raise InputError(
            f"no pictures in {source}: expected files that end in "
            f"{', '.join(sorted(readable_suffixes() | VIDEO_SUFFIXES))}"
        )
    return found


def _of_file(source: str) -> list[Item]:
    check_file_or_folder(source)
    if not os.path.isfile(source):
        raise InputError(f"no such file, folder or list: {source}")
    path = Path(source)
    if picture_format(source) is None and path.suffix.lower() in LIST_SUFFIXES:
        return _of_list(path)
    address = find_source(source)  # a GIF is a clip here, and a picture in a folder
    return [Item(path.stem, source, address is not None and address.plugin == "video")]


def _of_list(path: Path) -> list[Item]:
    """Return what a list names; its relative paths begin where the list is."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"cannot read the list {path}: {reason_of(error)}; expected a path or URL "
            "a line, in UTF-8"
        ) from error
    entries = [line.strip() for line in lines]
    entries = list(dict.fromkeys(e for e in entries if e and not e.startswith("#")))
    if not entries:
        raise InputError(f"the list {path} is empty: expected a path or URL a line")
    places = [e if is_url(e) else str(path.parent / e) for e in entries]
    for number, place in enumerate(places, 1):
        if not is_url(place) and not os.path.isfile(place):
            raise InputError(
                f"{path}: expected the path of a file a line, got {entries[number - 1]}"
                f" (entry {number}), which is not there"
            )
    paths = [PurePosixPath(_without_scheme(place)) for place in places]
    root = os.path.commonpath([each.parent for each in paths])
    pairs = [
        (PurePosixPath(os.path.relpath(each, root)), place)
        for each, place in zip(paths, places, strict=True)
    ]
    return _named(pairs, {})


def _without_scheme(place: str) -> str:
    return f"/{place.split('://', 1)[1]}" if is_url(place) else os.path.abspath(place)


def _in_folder(root: Path, found: Iterable[Path]) -> list[Item]:
    files = sorted(path for path in found if path.is_file())
    pairs = [(PurePosixPath(p.relative_to(root).as_posix()), str(p)) for p in files]
    return _named(pairs, {})


def _named(
    pairs: Iterable[tuple[PurePosixPath, str]], sizes: dict[str, int]
) -> list[Item]:
    """Name pictures as ``edgeseg run`` does, and videos among themselves."""
    shown = [pair for pair in pairs if not _is_hidden(pair[0])]
    pictures = readable_suffixes()  # looked up once: it asks what is installed
    found: list[Item] = []
    for is_video, suffixes in ((False, pictures), (True, VIDEO_SUFFIXES - pictures)):
        kind = [pair for pair in shown if pair[0].suffix.lower() in suffixes]
        names = names_below([inside for inside, _ in kind])
        found += [
            Item(name, place, is_video, sizes.get(place, 0))
            for name, (_, place) in zip(names, kind, strict=True)
        ]
    return found


def _is_hidden(path: PurePosixPath) -> bool:
    return any(part.startswith(".") and part != ".." for part in path.parts)


def _own_name(source: str) -> str:
    path = PurePosixPath(source.split("://", 1)[-1])
    if glob.has_magic(source) and not is_url(source):
        path = PurePosixPath(glob_root(source))
    is_folder = is_url(source) or os.path.isdir(source) or not path.suffix
    name = path.name if is_folder else path.stem
    return name if name not in ("", "..") else "source"


def _renamed(item: Item, name: str) -> Item:
    return Item(name, item.place, item.is_video, item.size, item.first, item.most)


def _first(items: Iterable[Item], limit: int) -> Iterator[Item]:
    left = limit
    for item in items:
        if left <= 0:
            return
        if not item.is_video:
            yield item
            left -= 1
            continue
        count = frames_in(item.place)
        yield Item(item.name, item.place, True, item.size, 0, left)
        left -= left if count is None else count


def frames_in(place: str) -> int | None:
    """Return how many frames a video announces; None where that is not known."""
    from edgeseg.runtime.archive.remote_files import local_copy
    from edgeseg.runtime.sources.video import VideoSource

    with local_copy(place) as path:
        try:
            with VideoSource(str(path)) as video:
                return video.count
        except InputError:  # whoever does it says why
            return None
