"""The contract of a file format: claim a path by its content, then read it.

A format gets a `Loading` and gives a `RawModel`; `load_model` makes a `Loaded` of it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgeseg.converter.cause import cause
from edgeseg.converter.frameworks import need
from edgeseg.converter.setting import Setting, setting
from edgeseg.devices import EdgesegError, InputError, ModelError
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edgeseg.converter.frameworks import KerasModel
    from edgeseg.runtime.model.manifest import Manifest

# What Keras, h5py and zipfile raise on files that they cannot read or build
UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OSError,
    AttributeError,
    ImportError,
    RuntimeError,
    ArithmeticError,
    AssertionError,
)
# Lists and objects inside each other: a nested model adds five
_DEEPEST = 200


@dataclass(frozen=True)
class Loading:
    """How to load a model; options that a file does not need are refused."""

    arch: str | None = setting(
        None,
        Setting(
            "Network of a weights-only .h5: deeplabv3plus-xception, "
            "deeplabv3plus-mobilenetv2, deeplabv3-mobilenetv2.  [default: by its "
            "layers]",
            metavar="NAME",
        ),
    )
    size: tuple[int, int] | None = setting(
        None,
        Setting(
            "Take pictures of another size.  [default: the model's own]",
            metavar="N|HxW",
        ),
    )
    output_name: str | None = None  # of a model with several; the command's own option
    output_stride: int | None = setting(
        None,
        Setting(
            "Of a weights-only .h5.  [default: by its name, else the release's own]",
            choices=("8", "16"),
        ),
    )
    resize: str | None = setting(
        None,
        Setting(
            "How a weights-only .h5 was trained to resize.  [default: align-corners]",
            choices=("align-corners", "half-pixel", "legacy"),
        ),
    )
    trust: bool = setting(
        False,
        Setting(
            "Run code that the model file holds (Lambda layers, custom objects).",
            flag="--trust-model",
        ),
    )
    custom_objects: str | None = setting(
        None,
        Setting(
            "Python file or module that defines the model's own layers and functions; "
            "it is run, so that --trust-model is needed too.",
            metavar="FILE|MODULE",
        ),
    )


@dataclass(frozen=True)
class Original:
    """A model file that the runtime can run as it is.

    Parameters
    ----------
    path : Path
        The file.
    exact : bool
        Whether the network that was read from it computes the very same; a quantized
        file rounds where the network does not.
    says_input : bool
        Whether it says how pixels are fed: by a manifest, or by an 8-bit input.
    """

    path: Path
    exact: bool
    says_input: bool


@dataclass(frozen=True)
class Loaded:
    """A model as the converter wants it.

    Parameters
    ----------
    model : keras.Model
        Input ``(1, H, W, 3)`` float32, output ``(1, h, w, C)`` scores, C >= 1.
    resize : str or None
        Alignment of the output grid, where the file says it.
    notes : tuple of str
        What a user should know of how it was read.
    manifest : Manifest or None
        How the network is fed, and its labels, where the file says it.
    original : Original or None
        The file, where it can be run itself.
    """

    model: KerasModel
    resize: str | None = None
    notes: tuple[str, ...] = ()
    manifest: Manifest | None = None
    original: Original | None = None


@dataclass(frozen=True)
class RawModel:
    """A model as its file holds it.

    Parameters
    ----------
    model : keras.Model
        Of any batch and size.
    resize : str or None
        Alignment of the output grid, where the file says it.
    notes : tuple of str
        What a user should know of how it was read.
    size_fixed : bool
        Batch is 1 and the size is as requested: it needs no rebuilding.
    manifest : Manifest or None
        How the network is fed, and its labels, where the file says it.
    original : Original or None
        The file, where it can be run itself.
    """

    model: KerasModel
    resize: str | None = None
    notes: tuple[str, ...] = ()
    size_fixed: bool = False
    manifest: Manifest | None = None
    original: Original | None = None


class Format(ABC):
    """A way to store a Keras model; a file of this folder defines ``PLUGIN``.

    ``PLUGIN()`` makes the format. `claims` looks at a path's first bytes and imports
    nothing; `read` raises `ModelError` for what cannot be used and `InputError` for
    options that mean nothing to the file.
    """

    name: ClassVar[str]

    @abstractmethod
    def claims(self, path: Path) -> bool:
        """Return whether a path that exists looks like this format."""

    @abstractmethod
    def read(self, path: Path, loading: Loading) -> RawModel:
        """Return the model of a path that was claimed."""


def refuse_options(path: Path, loading: Loading) -> None:
    """Raise `InputError` where options of weights-only files meet a whole model.

    Parameters
    ----------
    path : Path
        A file that holds its network.
    loading : Loading
        The options.
    """
    given = [
        option
        for option, value in (
            ("--arch", loading.arch),
            ("--output-stride", loading.output_stride),
            ("--resize", loading.resize),
        )
        if value is not None
    ]
    if given:
        raise InputError(
            f"{path} holds a whole model, its network included: {', '.join(given)} "
            "applies to weights-only .h5 files; leave it out"
        )


@contextmanager
def wrong_values(path: Path) -> Iterator[None]:
    """Refuse a network whose description has values of a kind that Keras never writes.

    What walks a description takes a name for a text and a setting for a number; a list
    where a type's name belongs makes it raise anything.
    """
    try:
        yield
    except EdgesegError:
        raise
    except UNREADABLE as error:
        raise ModelError(
            f"{path} is not as Keras writes it: a value of its network is of a wrong "
            f"kind ({type(error).__name__}: {one_line(error, 120)})"
        ) from error


def unreadable() -> tuple[type[BaseException], ...]:
    """Return what Keras and TensorFlow raise on files that they cannot build."""
    operators: type[BaseException] = need("tensorflow").errors.OpError
    return (*UNREADABLE, MemoryError, operators)


def network_of(text: str | bytes) -> object:
    """Return what a JSON text holds, once it is known to be no endless nest.

    Raises
    ------
    ValueError
        It is no JSON, or nested deeper than any network is.
    """
    try:
        config = json.loads(text)
    except RecursionError as error:
        raise ValueError("its network is nested too deep") from error
    level = [config]
    for _ in range(_DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, (list, dict))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return config
    raise ValueError("its network is nested too deep")


def cannot_load(path: Path, error: BaseException) -> ModelError:
    """Return the error for a file on which Keras gave up."""
    return ModelError(f"Keras cannot load {path}: {cause(error)}")
