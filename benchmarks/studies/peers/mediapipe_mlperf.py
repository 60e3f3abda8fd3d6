"""MediaPipe on MLPerf's int8 file, which takes uint8 and gives int32 class ids.

It runs, but its labels have nothing to do with the picture: it probably reads the ids
as scores.
"""

import dataclasses

from edgeseg.benchmarks.studies.peers.mediapipe_float import PLUGIN as FLOAT

PLUGIN = dataclasses.replace(
    FLOAT,
    about="MediaPipe ImageSegmenter, MLPerf's int8 file",
    model="mlperf-int8",
    reference="mlperf-int8",
)
