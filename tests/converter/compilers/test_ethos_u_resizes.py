"""Many ways to resize in one model: the prediction beside Vela's answer."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.tools", reason="draws the model")

from graphs import Drawing

from edgeseg.converter.compilation.compile import compile_model
from edgeseg.converter.compilers.ethos_u import EthosUCompiler
from edgeseg.devices import MissingDriverError
from edgeseg.devices.placement import check_model

KINDS = {
    "RESIZE_BILINEAR": "ResizeBilinearOptionsT",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptionsT",
}
ALIGNMENTS = ((False, False), (True, False), (False, True))
SIZES = (
    *(((8, 8), (n, n)) for n in (8, 16, 24, 32, 64, 128)),
    *(((9, 9), (n, n)) for n in (17, 20, 33, 65, 129)),
    *(((16, 16), (8, 8)), ((16, 12), (32, 24)), ((33, 33), (65, 129))),
    *(((1, 1), (13, 17)), ((8, 1), (16, 1)), ((1, 8), (1, 32)), ((8, 8), (16, 32))),
    *(((1, 8), (4, 8)), ((1, 8), (4, 32)), ((1, 9), (5, 33))),
)
STEPS = (0.1, 3)


@pytest.fixture(scope="module")
def resizes(tmp_path_factory):
    draw, inputs, made = Drawing(), [], []
    for kind, (before, after), (corners, half) in itertools.product(
        KINDS, SIZES, ALIGNMENTS
    ):
        inputs.append(draw.image((1, *before, 4), STEPS))
        size = draw.constant(np.array(after, np.int32))
        made.append(
            draw.apply(
                kind,
                [inputs[-1], size],
                (1, *after, 4),
                steps=STEPS,
                table=KINDS[kind],
                alignCorners=corners,
                halfPixelCenters=half,
            )
        )
    draw.flat.graph.inputs = inputs
    path = tmp_path_factory.mktemp("resizes") / "resizes.tflite"
    path.write_bytes(draw.content(*made))
    return path


@pytest.mark.parametrize("chip", ["ethos-u55-128", "ethos-u65-256", "ethos-u85-128"])
def test_a_resize_is_placed_as_vela_does(chip, resizes, tmp_path):
    try:
        EthosUCompiler().find()
    except MissingDriverError as error:
        pytest.skip(str(error))
    answer = compile_model(resizes, chip, output=tmp_path / "out.tflite").answer
    predicted = check_model(resizes, chip)
    differ = [
        one.title
        for one, other in zip(predicted.operators, answer.operators, strict=True)
        if (one.placement == "ethosu") != other.mapped
    ]
    assert differ == []
    assert 0 < answer.mapped < answer.total
