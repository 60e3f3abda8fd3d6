"""MediaPipe on our int8 file, where it takes it."""

import dataclasses

from edgeseg.benchmarks.studies.peers.mediapipe_float import PLUGIN as FLOAT

PLUGIN = dataclasses.replace(
    FLOAT,
    about="MediaPipe ImageSegmenter, our int8 file",
    model="int8-513",
    reference="int8-513",
)
