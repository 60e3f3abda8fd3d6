"""One run with several outputs: video, masks, JSON lines, and a function of one's own.

``python -m edgeseg.runtime.examples.several_outputs camera:0 results``
"""

import sys
from pathlib import Path

from edgeseg.runtime import (
    CallbackSink,
    Capture,
    Look,
    PipelineOptions,
    Segmentation,
    Segmenter,
    Style,
    open_sink,
    open_source,
    run_pipeline,
)


def main(source: str, folder: str) -> None:
    """Segment ten seconds of a source."""
    results = Path(folder)
    results.mkdir(exist_ok=True)
    segmenter = Segmenter.open("animals")
    camera = open_source(source)
    options = PipelineOptions(seconds=10, smoothing=0.5)
    look = Look(effect="blur:60", classes=("person",))
    style = Style(segmenter.manifest, look, fps=options.rate(camera.fps))
    areas: dict[str, int] = {}

    def count(capture: Capture, result: Segmentation) -> None:
        for class_id, pixels in result.areas.items():
            label = segmenter.manifest.label(class_id)
            areas[label] = areas.get(label, 0) + pixels

    sinks = [
        open_sink(str(results / "blurred.mp4"), style),
        open_sink(f"masks:{results / 'masks'}", style),
        open_sink(str(results / "found.jsonl"), style),
        CallbackSink(count),
    ]
    tally = run_pipeline(camera, segmenter, sinks, options=options)
    print(tally.done, "frames;", ", ".join(sorted(areas)))


if __name__ == "__main__":
    main(*sys.argv[1:])
