from __future__ import annotations

import numpy as np
import pytest

from edgeseg.runtime import Capture, Manifest, Segmentation, Style
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.output.open import open_sink

BITS, HW = 12, (96, 192)


def numbered(number):
    """A frame that shows its number as black and white columns above noise."""
    frame = np.random.default_rng(number).integers(0, 256, (*HW, 3), np.uint8)
    frame[: HW[0] // 2] = 0
    width = HW[1] // BITS
    for bit in range(BITS):
        if number >> bit & 1:
            frame[: HW[0] // 2, bit * width : (bit + 1) * width] = 255
    return frame


def number_of(frame):
    width = frame.shape[1] // BITS
    middle = frame[frame.shape[0] // 4, width // 2 :: width, 0][:BITS]
    return sum(1 << bit for bit, value in enumerate(middle) if value > 127)


@pytest.fixture
def numbers_in():
    """Return the numbers of the frames in a video."""

    def read(path):
        with open_source(str(path)) as source:
            return [number_of(capture.frame) for capture in source.captures()]

    return read


@pytest.fixture
def record():
    """Record numbered frames; `there` are numbers that have a person."""

    def run(text, times, *, there=(), fps=None, live=False, share=0.5):
        style = Style(Manifest(labels=("background", "person")), fps=fps, live=live)
        states = []
        with open_sink(str(text), style) as sink:
            for number, time_s in enumerate(times):
                ids = np.zeros(HW, np.uint8)
                if number in there:
                    ids.reshape(-1)[: int(share * ids.size)] = 1
                frame = numbered(number)
                sink.write(Capture(frame, "x", time_s), Segmentation(ids, (), {}))
                sink.check()
                states.append(sink.state)
        return states

    return run
