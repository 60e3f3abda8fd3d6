"""The model that a calibration belongs to, identified by weights and options.

Nothing here depends on the processor, on TensorFlow or on Keras' version: weights are
compared before anything is computed with them.
"""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import third_party

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.converter.frameworks import KerasModel
    from edgeseg.converter.quantization.flatbuffer import FlatModel


@dataclass(frozen=True)
class Origin:
    """The model and the options that ranges were measured with.

    Parameters
    ----------
    weights : str
        From `weights_digest`.
    options : mapping of str to JSON value
        What decides the network besides its weights, by the option's name: size,
        head, pooling, arch, output stride, resize.
    made_with : mapping of str to str
        Package versions and processor: for a reader, never a reason to refuse.
    """

    weights: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    made_with: Mapping[str, str] = field(default_factory=dict)


def weights_digest(model: KerasModel) -> str:
    """Return a SHA-256 over the weights of a Keras model.

    Each weight counts with its shape and its values as little-endian float32. Their
    order and paths do not count, since Keras versions differ in both.

    Parameters
    ----------
    model : keras.Model
        Built.
    """
    with third_party():
        values = model.get_weights()
    single = []
    for array in values:
        digest = hashlib.sha256(repr(tuple(map(int, array.shape))).encode())
        digest.update(array.astype("<f4").tobytes())
        single.append(digest.digest())
    return hashlib.sha256(b"".join(sorted(single))).hexdigest()


def structure_digest(flat: FlatModel) -> str:
    """Return a SHA-256 over the operators in order, and the shapes of their tensors."""
    digest = hashlib.sha256()
    for operator in flat.graph.operators:
        shapes = [
            flat.shape(int(index)) if index >= 0 else None
            for index in (*operator.inputs, *operator.outputs)
        ]
        digest.update(f"{flat.kind(operator)} {shapes}\n".encode())
    return digest.hexdigest()


def processor() -> str:
    """Return the processor's kind and name, such as ``"x86_64 AMD EPYC"``."""
    name = ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            lines = (line.partition(":") for line in file)
            name = next(
                (value.strip() for key, _, value in lines if key.startswith("model n")),
                "",
            )
    except OSError:
        pass  # another system than Linux
    return f"{platform.machine()} {name}".strip()
