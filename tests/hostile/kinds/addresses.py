"""What stands on the command line: sources, outputs, effects and options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostile.case import MODEL, PICTURE, Case, Kind
from hostile.good_files import put_model, put_picture
from hostile.texts import hostile_text

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_SOURCES = (
    "pan:", "synthetic:", "synthetic:9999999x9999999", "synthetic:0x0",
    "synthetic:1x1,fps=0", "synthetic:8x8,frames=-1", "synthetic:8x8,fps=nan",
    "camera:", "camera:-1", "camera:99", "v4l2:/dev/null", "v4l2:/dev/zero",
    "picamera:9", "csi:x", "/dev/zero", "/dev/null", "/proc/self/mem",
    "/proc/self/environ", ".", "..", "*", "**/*", "[", "http://", "http://[::1",
    "http://127.0.0.1:1/", "http://127.0.0.1:99999/", "rtsp://127.0.0.1:1/",
    "file:///etc/passwd", "ftp://127.0.0.1/", "gst:", "gst:fakesrc num-buffers=1",
    "x:y",
)  # fmt: skip
# nothing that names a file outside: the command may write there, as its user says so
_SINKS = (
    "mqtt://", "mqtt://127.0.0.1:1", "mqtt://127.0.0.1:1/" + "a" * 70_000,
    "mqtt://[::1", "mqtt://127.0.0.1:1/#", "mqtts://127.0.0.1:1/+?every=nan", "web:",
    "web:999999", "web:127.0.0.1:1?fps=0", "web:x\x1b[2J", "web:0.0.0.0:0", "rtp://",
    "rtp://127.0.0.1", "rtsp://127.0.0.1:1/x", "shared:", "shared:a/b", "shared:../x",
    "shared:" + "n" * 300, "window:\x1b[2J", "window:nosuchsink", "masks:", "null:x",
    "nul", "a.xyz",
)  # fmt: skip
_OPTIONS = (
    "--effect", "--classes", "--labels", "--normalize", "--region", "--device",
    "--size", "--alpha", "--smooth", "--every", "--fps", "--seconds", "--threads",
    "--rotate", "--shapes", "--camera-fps", "--frames",
)  # fmt: skip
_VALUES = (
    "0", "-1", "nan", "inf", "1e400", "1,2", "0,0,0,0", "0,0,1,1", "1e9,1e9,1e9,1e9",
    "x:y", "overlay:", "blur:0", "blur:x", "colour:#12", "picture:",
    "picture:/dev/zero", "cutout:1", "coral:usb:9", "fake", "fake:x", "desktop:onnx",
    "127.5,0", "nan,nan", "640x", "0x0", "99999999999999999999", "disc,disc", ",",
    "true",
)  # fmt: skip


def _make(folder: Path, rng: Random, number: int) -> Case:
    put_model(folder)
    put_picture(folder)
    source, sink, options = PICTURE, "null", []
    draw = rng.random()
    if draw < 0.4:
        source = rng.choice((*_SOURCES, _argument(rng)))
    elif draw < 0.7:
        sink = rng.choice(_SINKS)
    if draw > 0.6:
        for option in rng.sample(_OPTIONS, rng.choice((1, 2))):
            options += [option, rng.choice((*_VALUES, *_VALUES, _argument(rng)))]
    words = ("run", MODEL, source, "-o", sink, *options, "--seconds", "2")
    # a word that is no name and no file is a folder
    return Case(words, name="address", talk=r".*", may=("nul/", "a.xyz/"))


def _argument(rng: Random) -> str:
    """Return a text that can be an argument: no NUL, and not too long."""
    text = hostile_text(rng).replace("\0", "")[:50_000]
    return text.encode("utf-8", "replace").decode() or "x"


KIND = Kind(_make, share=1.5, short=15)
