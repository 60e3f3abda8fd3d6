"""A camera that is none: drawn scenes in real time as an MJPEG stream over HTTP.

``python -m edgeseg.benchmarks.studies.live.camera PORT FPS`` serves
``http://127.0.0.1:PORT/stream.mjpg`` until it is killed, through the product's own web
output and with no inference, so that it costs little beside the run that is watched.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import sys

SOURCE = "synthetic:640x480,live,fps={fps}"


def serve(port: int, source: str) -> None:
    """Serve until the process is ended.

    Parameters
    ----------
    port : int
        Where to listen on the loopback address.
    source : str
        Source string.
    """
    import numpy as np

    from edgeseg.runtime import Manifest, Segmentation, Style
    from edgeseg.runtime.capture.open import open_source
    from edgeseg.runtime.output.open import open_sink

    style = Style(Manifest(labels=("background",)))
    sink = open_sink(f"web:127.0.0.1:{port}?fps=60", style)
    with sink, open_source(source) as camera:
        for capture in camera.captures():
            ids = np.zeros(capture.frame.shape[:2], np.uint8)
            sink.write(capture, Segmentation(ids, (), {}))


if __name__ == "__main__":
    serve(int(sys.argv[1]), SOURCE.format(fps=sys.argv[2]))
