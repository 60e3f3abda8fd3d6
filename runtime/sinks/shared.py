"""Frames for another program on the same machine: ``shared:NAME``."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.output import shared_frames as layout
from edgeseg.runtime.output.sink import Sink
from edgeseg.runtime.pictures.atomic import temporary_file

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.segmentation.segmenter import Segmentation


class SharedSink(Sink):
    """Keeps ids and drawn picture of the newest frames in shared memory.

    `shared_frames` documents the layout and has the reader. Only this user's programs
    can read it. A file instead of `multiprocessing.shared_memory`, whose readers
    delete it when they end before Python 3.13.

    Parameters
    ----------
    text : str
        NAME.
    style : Style
        How to draw.
    """

    def __init__(self, text: str, style: Style) -> None:
        self._path = layout.shared_path(text)
        self._style = style
        self._segment: _Segment | None = None
        _check_free(self._path)

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Publish one frame; a new size makes readers open the name again."""
        picture = self._style.draw(capture, segmentation)
        size_hw = segmentation.ids.shape[0], segmentation.ids.shape[1]
        try:
            if self._segment is None or self._segment.size_hw != size_hw:
                old, self._segment = self._segment, _Segment(self._path, size_hw)
                if old is not None:
                    old.end(layout.REPLACED)
        except OSError as error:
            raise OutputError(
                f"cannot share frames in {self._path}: {reason_of(error)}"
            ) from error
        self._segment.put(capture, segmentation.ids, picture)

    def close(self) -> None:
        """Tell readers that it is over, and remove the name."""
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.remove(self._path)
            segment.end(layout.ENDED)


class _Segment(Closing):
    """One file of one frame size, made under a temporary name."""

    def __init__(self, path: Path, size_hw: tuple[int, int]) -> None:
        self.size_hw = size_hw
        self._slot = layout.slot_bytes(size_hw)
        self._count = 0
        size = layout.HEADER_BYTES + layout.SLOTS * self._slot
        # held for as long as it is open, also under its own name
        self._file, temporary = temporary_file(path.parent)
        try:
            # a full /dev/shm must be an error here, not a SIGBUS at the first write
            os.posix_fallocate(self._file, 0, size)
            self._map = mmap.mmap(self._file, size)
            layout.HEADER.pack_into(
                self._map,
                0,
                *(layout.MAGIC, layout.VERSION, layout.LIVE),
                *(size_hw[1], size_hw[0], layout.SLOTS, self._slot, 0, os.getpid()),
            )
            temporary.replace(path)
        except OSError:
            os.close(self._file)
            temporary.unlink(missing_ok=True)
            raise

    def put(
        self, capture: Capture, ids: NDArray[np.uint8], picture: NDArray[np.uint8]
    ) -> None:
        layout.fence()
        begin = layout.HEADER_BYTES + self._count % layout.SLOTS * self._slot
        self._count += 1
        times = capture.time_s, capture.captured_s, self._count
        layout.SLOT.pack_into(self._map, begin, *times)
        begin += layout.SLOT_HEADER_BYTES
        self._map[begin : begin + ids.size] = ids.tobytes()
        begin += ids.size
        self._map[begin : begin + picture.size] = picture.tobytes()
        layout.fence()
        layout.COUNT[0].pack_into(self._map, layout.COUNT[1], self._count)

    def remove(self, path: Path) -> None:
        """Remove the name, unless it is another file's by now."""
        with contextlib.suppress(OSError):
            if os.path.samestat(os.lstat(path), os.fstat(self._file)):
                path.unlink()

    def end(self, state: int) -> None:
        layout.fence()
        layout.STATE[0].pack_into(self._map, layout.STATE[1], state)
        self._map.close()
        os.close(self._file)


def _check_free(path: Path) -> None:
    """Raise `OutputError` unless the name is free, or a file that nobody writes.

    Everybody may make files in the folder. What another user has put there is left
    alone, and is neither waited for nor followed.
    """
    if not path.parent.is_dir():
        raise OutputError(f"cannot share frames: there is no {path.parent} here")
    try:
        file = layout.open_own_file(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(
            f"cannot share frames in {path}: {reason_of(error)}; remove it or choose "
            "another name"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(
            f"another process shares its frames as {path.name.removeprefix('edgeseg-')}"
            ": choose another name"
        ) from error
    except OSError as error:
        raise OutputError(f"cannot write {path}: {reason_of(error)}") from error
    finally:
        os.close(file)


ADDRESS = AddressKind(Rest.TEXT)
PLUGIN = SharedSink
