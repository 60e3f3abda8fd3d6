"""What a processor can do, measured: multiply-adds, moved bytes, an invocation."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.speed.operators import addition, convolution, nothing
from edgeseg.devices.litert import find_runtime
from edgeseg.devices.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Convolutions that keep every multiplier busy: cells along a side, channels
_PEAKS = ((32, 256), (64, 256), (64, 512), (16, 1024))
_WORKING_SETS = (3 << 14, 3 << 16, 3 << 18, 3 << 20, 3 << 22)  # bytes
_WARM_UP = 5


@dataclass(frozen=True)
class Roof:
    """What the processor can do.

    Parameters
    ----------
    macs_per_us : float
        Multiply-adds of int8 a microsecond.
    bytes_per_us : mapping of int to float
        Bytes a microsecond, read and written, by the bytes of a working set.
    invocation_us : float
        An invocation of an operator that does nothing.
    """

    macs_per_us: float
    bytes_per_us: Mapping[int, float]
    invocation_us: float

    def least_us(self, multiply_adds: int, moved: int) -> float:
        """Return the microseconds below which an operator cannot be.

        Examples
        --------
        >>> Roof(1000.0, {1024: 100.0}, 0.0).least_us(5000, 200)
        5.0
        """
        near = min(self.bytes_per_us, key=lambda size: abs(size - moved))
        return max(multiply_adds / self.macs_per_us, moved / self.bytes_per_us[near])


def processor_cases(threads: int) -> dict[str, Callable[[], None]]:
    """Return what measures the processor, by name."""
    cases = {"nothing": runner(nothing(), threads)}
    for side, channels in _PEAKS:
        peak = convolution(side, channels)
        cases[f"peak {side} {channels}"] = runner(peak, threads)
    for size in _WORKING_SETS:
        cases[f"copy {size}"] = _copier(size // 2)
        cases[f"add {size}"] = runner(addition(size // 3), threads)
    return cases


def roof_of(times: Mapping[str, float]) -> Roof:
    """Return the roof by the microseconds of `processor_cases`."""
    idle = times["nothing"]
    peaks = [
        side**2 * channels**2 / (times[f"peak {side} {channels}"] - idle)
        for side, channels in _PEAKS
    ]
    rates = {
        size: size / min(times[f"copy {size}"], times[f"add {size}"] - idle)
        for size in _WORKING_SETS
    }
    return Roof(max(peaks), rates, idle)


def in_turns(
    cases: Mapping[str, Callable[[], None]], rounds: int, runs: int
) -> dict[str, float]:
    """Return the microseconds of each case: the middle of the best of each round.

    What else runs on a machine only ever adds time.
    """
    best: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, run in cases.items():
            for _ in range(_WARM_UP):
                run()
            spent = []
            for _ in range(runs):
                start = time.perf_counter()
                run()
                spent.append(1e6 * (time.perf_counter() - start))
            best[name].append(min(spent))
    return {name: statistics.median(each) for name, each in best.items()}


def runner(content: bytes, threads: int) -> Callable[[], None]:
    """Return what invokes a model once, its input full of noise."""
    import numpy as np

    with quiet():
        interpreter = find_runtime().module.Interpreter(
            model_content=content, num_threads=threads
        )
        interpreter.allocate_tensors()
    noise = np.random.default_rng(0)
    for spec in interpreter.get_input_details():
        low, high = (-100, 100) if spec["dtype"] == np.int8 else (0, 100)
        values = noise.integers(low, high, spec["shape"])
        interpreter.set_tensor(spec["index"], values.astype(spec["dtype"]))
    run: Callable[[], None] = interpreter.invoke
    return run


def _copier(size: int) -> Callable[[], None]:
    """Return what rates so many bytes; numpy does it with one thread."""
    import numpy as np

    source, target = np.ones(size, np.uint8), np.zeros(size, np.uint8)
    return lambda: np.copyto(target, source)
