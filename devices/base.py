"""The contract of a device: tensors in, tensors out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices.errors import ModelError

if TYPE_CHECKING:
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

    from edgeseg.devices.types import Array, Json


class Closing:
    """A context manager that closes itself; `close` may be called twice."""

    def close(self) -> None:
        """Release what is held; nothing is held here."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(frozen=True)
class TensorSpec:
    """Shape, type and quantization of one model input or output.

    Parameters
    ----------
    name : str
        Name in the model file.
    shape : tuple of int
        Fixed shape, batch included.
    dtype : str
        NumPy name of the element type, such as ``"int8"``.
    scale, zero_point : float, int
        ``real = scale * (stored - zero_point)``; a scale of 0 means the tensor is
        not quantized. (TensorFlow Lite 8-bit quantization specification.)

    Examples
    --------
    >>> spec = TensorSpec("logits", (1, 3), "int8", scale=0.5, zero_point=-2)
    >>> spec.is_quantized
    True
    >>> TensorSpec("ids", (1, 3), "int32").is_quantized
    False
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float = 0.0
    zero_point: int = 0

    @property
    def is_quantized(self) -> bool:
        """Whether stored integers stand for real values."""
        return self.scale != 0.0

    def quantize(self, real: Array) -> Array:
        """Return real values as this tensor stores them, rounded and clipped.

        Parameters
        ----------
        real : ndarray
            Real values of any shape.

        Returns
        -------
        ndarray
            The same shape, of this tensor's dtype.
        """
        import numpy as np

        if not self.is_quantized:
            return real.astype(self.dtype)
        limits = np.iinfo(self.dtype)
        steps = np.rint(np.asarray(real, np.float64) / self.scale) + self.zero_point
        stored: Array = np.clip(steps, limits.min, limits.max).astype(self.dtype)
        return stored

    def dequantize(self, stored: Array) -> Array:
        """Return stored values as float32 real values.

        Parameters
        ----------
        stored : ndarray
            Values of this tensor's dtype, any shape.

        Returns
        -------
        ndarray
            float32, the same shape.
        """
        import numpy as np

        real: NDArray[np.float32] = stored.astype(np.float32)
        if not self.is_quantized:
            return real
        real -= np.float32(self.zero_point)
        real *= np.float32(self.scale)
        return real


class Device(Closing, ABC):
    """A board's processor with one model loaded.

    A device knows tensors; it knows nothing of pictures, labels or files other than
    the model. A plugin file defines ``PLUGIN``, called as
    ``PLUGIN(model_path, unit, threads)``, which loads the model or raises
    `ModelError` (the file cannot be used) or `MissingDriverError` (something is not
    installed). Falling back to slower hardware is never silent: it is logged as a
    warning and reported by `describe`.

    The caller owns what `infer` returns; the device never keeps or changes its
    arguments. A device is used by one thread at a time and closed by whoever opened
    it; `close` may be called twice.
    """

    @property
    @abstractmethod
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Specs of the model's inputs, in order."""

    @property
    @abstractmethod
    def outputs(self) -> tuple[TensorSpec, ...]:
        """Specs of the model's outputs, in order."""

    @abstractmethod
    def infer(self, *tensors: Array) -> tuple[Array, ...]:
        """Run the model once.

        Parameters
        ----------
        *tensors : ndarray
            One array an input, of that input's shape and dtype.

        Returns
        -------
        tuple of ndarray
            One fresh array an output.

        Raises
        ------
        ModelError
            Number, shape or dtype of the tensors is wrong, or the run failed.
        """

    @abstractmethod
    def describe(self) -> Json:
        """Return what runs the model, as JSON values: runtime, version, threads."""

    @abstractmethod
    def close(self) -> None:
        """Release the model and the hardware; further calls do nothing."""


class SpecifiedDevice(Device):
    """A device that keeps the specs of the model that it has loaded.

    Its ``__init__`` sets `_inputs` and `_outputs`.
    """

    _inputs: tuple[TensorSpec, ...]
    _outputs: tuple[TensorSpec, ...]

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Specs of the model's inputs."""
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """Specs of the model's outputs."""
        return self._outputs


def check_tensors(tensors: tuple[Array, ...], specs: tuple[TensorSpec, ...]) -> None:
    """Raise `ModelError` unless the tensors are what the inputs take."""
    got = [(tensor.shape, str(tensor.dtype)) for tensor in tensors]
    expected = [(spec.shape, spec.dtype) for spec in specs]
    if got != expected:
        raise ModelError(f"expected tensors {expected}, got {got}")
