"""Networks of keras-hub: their files hold its own classes, so it must be there."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.architectures.blocks import CLASSES, SIDE
from edgeseg.converter.frameworks import need

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import KerasModel

PACKAGE = "keras_hub"


def is_missing() -> bool:
    """Return whether keras-hub is not installed."""
    return importlib.util.find_spec(PACKAGE) is None


def deeplabv3_keras_hub() -> KerasModel:
    """DeepLabV3 of keras-hub on its ResNet18, output stride 16."""
    models = need(PACKAGE).models
    shape = (SIDE, SIDE, 3)
    encoder = models.ResNetBackbone(
        image_shape=shape,
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=[2, 2, 2, 2],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
    )
    backbone = models.DeepLabV3Backbone(
        image_encoder=encoder,
        spatial_pyramid_pooling_key="P4",
        dilation_rates=[6, 12, 18],
        upsampling_size=4,
        image_shape=shape,
    )
    return models.DeepLabV3ImageSegmenter(backbone=backbone, num_classes=CLASSES)


NETWORKS = (deeplabv3_keras_hub,)
