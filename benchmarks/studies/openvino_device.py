"""A model in OpenVINO on the processor, in a process and an environment of its own."""

from __future__ import annotations

import struct
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.peers.environments import make_environment, variables
from edgeseg.devices import Device, ModelError, TensorSpec

if TYPE_CHECKING:
    from edgeseg.devices.types import Array, Json

REQUIREMENTS = ("openvino==2026.4.1", "numpy==2.4.6")
_WORKERS = Path(__file__).parent / "peers"
_CODE = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from _workers.openvino_tensors import serve; serve(sys.argv[2], int(sys.argv[3]))"
)
_HEADER = struct.Struct("<d")  # what the inference took, in milliseconds


class OpenVinoDevice(Device):
    """Runs an ``.onnx`` file, float32 picture to float32 scores.

    Parameters
    ----------
    model : Path
        The file.
    source, result : TensorSpec
        Its input and output.
    threads : int
        Of an inference.
    cache : Path
        Folder for the environment.
    python : str
        Interpreter that the environment is made with.

    Attributes
    ----------
    extra_ms : float
        What the last `infer` took longer than OpenVINO itself: the way of its tensors
        to the other process and back.
    """

    def __init__(
        self,
        model: Path,
        source: TensorSpec,
        result: TensorSpec,
        *,
        threads: int,
        cache: Path,
        python: str = "python3",
    ) -> None:
        interpreter = make_environment(cache, REQUIREMENTS, python)
        self._input, self._output, self._threads = source, result, threads
        self.extra_ms = 0.0
        command = [str(interpreter), "-c", _CODE, str(_WORKERS), str(model)]
        self._process = subprocess.Popen(
            [*command, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=variables(),
        )

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """One float32 picture."""
        return (self._input,)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """One float32 map of scores."""
        return (self._output,)

    def infer(self, *tensors: Array) -> tuple[Array, ...]:
        """Run the model once; see `Device.infer`."""
        import numpy as np

        start = time.perf_counter()
        sent, received = self._process.stdin, self._process.stdout
        assert sent is not None
        assert received is not None
        length = 4 * int(np.prod(self._output.shape))
        try:
            sent.write(tensors[0].tobytes())
            sent.flush()
            (spent_ms,) = _HEADER.unpack(received.read(_HEADER.size))
            scores = np.frombuffer(received.read(length), np.float32)
        except (OSError, struct.error) as error:
            raise ModelError(f"OpenVINO's process ended: {error}") from error
        self.extra_ms = 1000 * (time.perf_counter() - start) - spent_ms
        return (scores.reshape(self._output.shape),)

    def describe(self) -> Json:
        """Return runtime, version and threads."""
        return {
            "device": "openvino",
            "runtime": "openvino",
            "version": REQUIREMENTS[0].split("==")[1],
            "threads": self._threads,
        }

    def close(self) -> None:
        """End the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait()
