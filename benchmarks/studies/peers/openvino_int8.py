"""OpenVINO with int8 by NNCF, from the same float file and photos."""

import dataclasses

from edgeseg.benchmarks.studies.peers.openvino_float import PLUGIN as FLOAT
from edgeseg.benchmarks.studies.peers.peers import Step

PLUGIN = dataclasses.replace(
    FLOAT,
    about="OpenVINO, int8 by NNCF",
    steps=(Step("openvino_quantize", "model.xml", FLOAT.requirements),),
)
