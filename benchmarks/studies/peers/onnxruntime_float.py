"""ONNX Runtime on the float network."""

import dataclasses

from edgeseg.benchmarks.studies.peers.onnxruntime_int8 import EXPORT
from edgeseg.benchmarks.studies.peers.onnxruntime_int8 import PLUGIN as INT8

PLUGIN = dataclasses.replace(INT8, about="ONNX Runtime, float", steps=(EXPORT,))
