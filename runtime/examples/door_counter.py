"""Count who comes and goes: a zone, a line, and a function that gets every frame.

``python -m edgeseg.runtime.examples.door_counter camera:0``
"""

import sys

from edgeseg.runtime import (
    CallbackSink,
    Capture,
    Line,
    Segmentation,
    Segmenter,
    Watch,
    Zone,
    open_source,
    run_pipeline,
)

# corners as fractions of the frame, or in pixels
DOOR = Zone("door", ((0.25, 0.1), (0.75, 0.1), (0.75, 1), (0.25, 1)))
# from below to above: what goes from the left to the right goes in
GATE = Line("gate", ((0.5, 1), (0.5, 0)), directions=("in", "out"))


def report(capture: Capture, result: Segmentation) -> None:
    """Print what has just happened."""
    if result.watched is None:
        return
    for event in result.watched.events:
        what = f"{event.kind} {event.direction or ''}".strip()
        print(f"{event.time_s:6.1f} s  {event.place}: {event.label} {what}", end="")
        print(f", {event.count} in all" if event.kind == "cross" else "", flush=True)


def main(source: str) -> None:
    """Watch a source until it ends or Ctrl-C is pressed."""
    segmenter = Segmenter.open("animals")
    watch = Watch(segmenter.manifest, [DOOR], [GATE], classes=["person"])
    camera = open_source(source)
    run_pipeline(camera, segmenter, [CallbackSink(report)], watch=watch)


if __name__ == "__main__":
    main(*sys.argv[1:])
