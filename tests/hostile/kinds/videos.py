"""Video files: MP4, Matroska, AVI, WebM."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hostile.case import MODEL, Case, Kind
from hostile.damage import damage
from hostile.good_files import pixels, put_model

if TYPE_CHECKING:
    from random import Random

_CODECS = {"clip.mp4": "mpeg4", "clip.mkv": "mjpeg", "clip.avi": "mjpeg",
           "clip.webm": "libvpx"}  # fmt: skip


@cache
def _good(name: str) -> bytes:
    import av

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream(_CODECS[name], rate=10)
            stream.width, stream.height = 48, 32
            stream.pix_fmt = "yuvj420p" if _CODECS[name] == "mjpeg" else "yuv420p"
            for index in range(6):
                frame = av.VideoFrame.from_ndarray(pixels(index, (48, 32)))
                for packet in stream.encode(frame):
                    container.mux(packet)
            for packet in stream.encode():
                container.mux(packet)
        return path.read_bytes()


def _make(folder: Path, rng: Random, number: int) -> Case:
    put_model(folder)
    name = rng.choice(sorted(_CODECS))
    others = tuple(_good(other) for other in sorted(_CODECS))
    (folder / name).write_bytes(damage(_good(name), rng, others))
    output, *flags = rng.choice(
        (("out.mp4",), ("out.mkv",), ("found.jsonl",), ("out/",))
    )
    words = "run", MODEL, name, "-o", output, "--frames", "20", *flags
    return Case(words, (output,), name)


KIND = Kind(_make, share=1.5, short=12, needs=("av",))
