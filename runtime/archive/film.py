"""A video of an archive, from one of its frames on."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.base import Closing
from edgeseg.runtime.archive.remote_files import local_copy
from edgeseg.runtime.sources.video import VideoSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edgeseg.runtime.archive.work import Item
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.pipeline.segmenting import Inference


class Film(Closing):
    """A video file that stays open between batches.

    Parameters
    ----------
    item : Item
        The video, with the frame to begin at.
    place : str
        Its path, or its URL.
    inference : Inference
        What its frames are segmented with, one after the other.
    takes_mask : bool
        Whether the model takes its last mask with a frame: then every frame before is
        segmented too.

    Attributes
    ----------
    frames : iterator of int and Capture
        The frames with their numbers, named as results are.
    next_index : int
        The frame that follows the last one taken.
    """

    def __init__(
        self, item: Item, place: str, inference: Inference, *, takes_mask: bool
    ) -> None:
        self.place, self.next_index = item.place, item.first
        self.inference, self.inference_needs_all = inference, takes_mask
        self._stack = ExitStack()
        try:
            path = self._stack.enter_context(local_copy(place))
            with unnamed(path):
                self._source = self._stack.enter_context(VideoSource(str(path)))
        except BaseException:
            self._stack.close()
            raise
        first = 0 if takes_mask else item.first
        stem = path.stem
        skip = frozenset(f"{stem}_{index:06d}" for index in range(first))
        self.frames = self._named(item.name, stem, skip)
        self._path = path

    @property
    def failures(self) -> list[str]:
        """What could not be decoded, without the name of the file."""
        names = f"{self._path} "
        return [text.replace(names, "", 1) for text in self._source.failures]

    def _named(
        self, name: str, stem: str, skip: frozenset[str]
    ) -> Iterator[tuple[int, Capture]]:
        for capture in self._source.captures(skip):
            number = capture.name[len(stem) :]
            yield (
                int(number[1:]),
                dataclasses.replace(capture, name=f"{name}{number}"),
            )

    def close(self) -> None:
        """Close the file; what was copied for it is removed."""
        self._stack.close()


@contextmanager
def unnamed(path: Path) -> Iterator[None]:
    """Leave the file's name out of an error: it may be that of a copy."""
    try:
        yield
    except InputError as error:
        raise InputError(str(error).replace(f" {path}", "", 1)) from error
