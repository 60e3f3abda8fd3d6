"""Networks: grids, rates and names of the layers, at both output strides."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.backbones.mobilenet_v2 import MobileNetV2
from edgeseg.converter.backbones.xception import Xception
from edgeseg.converter.networks.backbone import BACKBONES
from edgeseg.converter.networks.deeplab import (
    SegmentationHead,
    build_deeplab,
    check_size,
)
from edgeseg.devices import InputError

SLIM = Xception((4, 4), (4, 4, 8), (8, 8, 8, 8, 8, 8))


def built(backbone, head=None, **options):
    options = {"size": (129, 97), "output_stride": 16} | options
    return build_deeplab(
        backbone, head or SegmentationHead(width=8, low_width=4), **options
    )


def rates(model, *layers):
    return [model.get_layer(f"{name}_depthwise").dilation_rate[0] for name in layers]


@pytest.mark.long
@pytest.mark.parametrize("name", BACKBONES.names())
@pytest.mark.parametrize("stride", [8, 16])
def test_a_backbone_gives_both_grids(name, stride):
    import keras

    image = keras.Input(batch_shape=(1, 129, 97, 3))
    features = BACKBONES.load(name)().build(image, stride)
    assert features.low.shape[:3] == (1, 33, 25)
    assert features.high.shape[:3] == (1, 128 // stride + 1, 96 // stride + 1)


@pytest.mark.parametrize(
    ("stride", "expected"), [(8, [1, 1, 2, 2, 2, 4, 4]), (16, [1, 1, 1, 1, 1, 2, 2])]
)
def test_rates_of_mobilenet_v2(stride, expected):
    model = built(MobileNetV2(), output_stride=stride)
    blocks = [f"expanded_conv_{i}" for i in (5, 6, 7, 12, 13, 14, 16)]
    assert rates(model, *blocks) == expected


@pytest.mark.long
@pytest.mark.parametrize(
    ("stride", "expected"),
    [(8, [1, 2, 2, 4, 12, 24, 36]), (16, [1, 1, 1, 2, 6, 12, 18])],
)
def test_rates_of_xception(stride, expected):
    flow = ("entry_flow_block3", "middle_flow_unit_16", "exit_flow_block1")
    blocks = [f"{name}_separable_conv3" for name in (*flow, "exit_flow_block2")]
    model = built(SLIM, output_stride=stride)
    assert rates(model, *blocks, "aspp1", "aspp2", "aspp3") == expected
    last = model.get_layer("entry_flow_block3_separable_conv3_depthwise")
    assert last.strides == ((2, 2) if stride == 16 else (1, 1))


@pytest.mark.long
def test_channels_of_xception_65():
    model = built(Xception(), SegmentationHead())
    kernel = {
        layer.name: layer.kernel.shape
        for layer in model.layers
        if layer.weights and hasattr(layer, "kernel")
    }
    assert kernel["entry_flow_block3_shortcut"] == (1, 1, 256, 728)
    assert kernel["exit_flow_block2_separable_conv3_pointwise"] == (1, 1, 1536, 2048)
    assert kernel["concat_projection"] == (1, 1, 5 * 256, 256)
    assert kernel["feature_projection0"] == (1, 1, 256, 48)
    # the released Xception-65 model with 21 classes has this many parameters
    assert model.count_params() == 41_258_213


def test_epsilons():
    model = built(SLIM)
    epsilons = {
        layer.name: layer.epsilon for layer in model.layers if "_BN" in layer.name
    }
    head = ("aspp", "image_pooling", "concat", "decoder", "feature")
    for name, epsilon in epsilons.items():
        assert epsilon == (1e-5 if name.startswith(head) else 1e-3), name


def test_without_decoder_and_pyramid():
    head = SegmentationHead(classes=5, decoder=False, pyramid=False, width=8)
    model = built(MobileNetV2(8, (8,) * 7), head)
    names = {layer.name for layer in model.layers}
    assert not {n for n in names if n.startswith(("decoder", "feature_", "aspp1"))}
    assert model.output.shape == (1, 129, 97, 5)
    assert model.input.shape == (1, 129, 97, 3)


def test_residuals_stay_within_a_stage():
    """Equal widths on both sides of a stage's border make no residual."""
    model = built(MobileNetV2(8, (8,) * 7), output_stride=8)
    adds = [layer.name for layer in model.layers if layer.name.endswith("_add")]
    blocks = (2, 4, 5, 7, 8, 9, 11, 12, 14, 15)
    assert adds == [f"expanded_conv_{i}_add" for i in blocks]


def test_a_decoder_needs_the_low_features():
    """A change of what the decoder reads must change the logits."""
    model = built(MobileNetV2(8, (8,) * 7), size=(33, 33))
    x = np.random.default_rng(0).uniform(-1, 1, (1, 33, 33, 3)).astype(np.float32)
    before = np.asarray(model(x))
    layer = model.get_layer("expanded_conv_2_depthwise")
    layer.kernel.assign(layer.kernel * 2)
    projection = model.get_layer("expanded_conv_2_project")
    projection.kernel.assign(projection.kernel * 0)
    middle = np.asarray(model(x))
    layer.kernel.assign(layer.kernel * 0)
    after = np.asarray(model(x))
    assert np.abs(before - middle).max() > 0
    assert np.abs(middle - after).max() > 0


@pytest.mark.parametrize(
    ("size", "stride", "resize", "hint"),
    [
        ((512, 513), 16, "align-corners", "height 497 or 513$"),
        ((500, 500), 8, "align-corners", "height 497 or 505 and width 497 or 505$"),
        ((513, 512), 16, "legacy", "height 512 or 528$"),
        ((8, 64), 16, "half-pixel", "height 32$"),
        ((0, 33), 16, "align-corners", "height 17$"),
    ],
)
def test_sizes_that_break_the_stride(size, stride, resize, hint):
    with pytest.raises(InputError, match=hint):
        check_size(size, output_stride=stride, resize=resize)


@pytest.mark.parametrize("stride", [8, 16])
def test_the_sizes_that_a_message_names_work(stride):
    for side in range(1, 80):
        try:
            check_size((side, 65), output_stride=stride, resize="align-corners")
        except InputError as error:
            hints = str(error).rpartition("height ")[2].split(" or ")
            assert hints != [str(side)]
            for hint in hints:
                check_size(
                    (int(hint), 65), output_stride=stride, resize="align-corners"
                )


def test_another_output_stride_is_refused():
    with pytest.raises(InputError, match="8 or 16, got 32"):
        check_size((513, 513), output_stride=32, resize="align-corners")
