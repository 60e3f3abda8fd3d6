"""Operators that change a map's size: pooling, resizing, blocks to channels."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.loading.tflite.call import SAME
from edgeseg.converter.networks.resizing import resize_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.converter.frameworks import KerasClass, KerasTensor
    from edgeseg.converter.loading.tflite.call import Call, Draw
    from edgeseg.devices.types import Json, Untyped

_POOLS = {"AVERAGE_POOL_2D": "AveragePooling2D", "MAX_POOL_2D": "MaxPooling2D"}


def _pool(call: Call) -> KerasTensor:
    layer = getattr(need("keras").layers, _POOLS[call.kind])(
        (call.option("filterHeight", 1), call.option("filterWidth", 1)),
        strides=(call.option("strideH", 1), call.option("strideW", 1)),
        padding="same" if call.option("padding") == SAME else "valid",
        name=call.name,
    )
    return layer(call.x)


def _resize_bilinear(call: Call) -> KerasTensor:
    size = _size(call)
    if size == tuple(call.x.shape[1:3]):
        return call.x  # to its own size, every alignment changes nothing
    return resize_to(call.x, size, alignment(call.options), name=call.name)


def alignment(options: Mapping[str, Untyped]) -> str:
    """Return the alignment of a resize as a manifest names it."""
    if options.get("alignCorners"):
        return "align-corners"
    return "half-pixel" if options.get("halfPixelCenters") else "legacy"


def _resize_nearest(call: Call) -> KerasTensor:
    keras, size = need("keras"), _size(call)
    was = tuple(call.x.shape[1:3])
    if size == was:
        return call.x
    corners = bool(call.option("alignCorners"))
    times = [new // old for new, old in zip(size, was, strict=True)]
    if not corners and size == (was[0] * times[0], was[1] * times[1]):
        layer = keras.layers.UpSampling2D(times, name=call.name)
        return layer(call.x)
    half = bool(call.option("halfPixelCenters"))
    return _operator_layer()(
        "ResizeNearestNeighbor",
        {"size": list(size), "align_corners": corners, "half_pixel_centers": half},
        name=call.name,
    )(call.x)


def _depth_to_space(call: Call) -> KerasTensor:
    options = {"block_size": call.option("blockSize", 1)}
    return _operator_layer()("DepthToSpace", options, name=call.name)(call.x)


def _space_to_depth(call: Call) -> KerasTensor:
    options = {"block_size": call.option("blockSize", 1)}
    return _operator_layer()("SpaceToDepth", options, name=call.name)(call.x)


def _size(call: Call) -> tuple[int, int]:
    height, width = call.numbers(1)
    return height, width


# The argument of `tf.raw_ops` that takes the map
_ARGUMENTS = {
    "DepthToSpace": "input",
    "ResizeNearestNeighbor": "images",
    "SpaceToDepth": "input",
}


@cache
def _operator_layer() -> KerasClass:
    """Return the layer class that runs one operator of TensorFlow, made once."""
    keras, tf = need("keras"), need("tensorflow")
    base: KerasClass = keras.layers.Layer

    class TensorFlowOperator(base):  # type: ignore[misc]
        """An operator for which Keras has no layer.

        Parameters
        ----------
        operator : str
            Name in ``tf.raw_ops``.
        options : dict of str to JSON value
            Its other arguments.
        **settings
            Of ``keras.layers.Layer``.
        """

        def __init__(self, operator: str, options: Json, **settings: object) -> None:
            super().__init__(**settings)
            self.operator, self.options = operator, dict(options)

        def call(self, inputs: KerasTensor) -> KerasTensor:
            run = getattr(tf.raw_ops, self.operator)
            return run(**{_ARGUMENTS[self.operator]: inputs}, **self.options)

        def get_config(self) -> Json:
            own = {"operator": self.operator, "options": self.options}
            return {**super().get_config(), **own}

    return TensorFlowOperator


RESAMPLING: dict[str, Draw] = {
    "AVERAGE_POOL_2D": _pool,
    "DEPTH_TO_SPACE": _depth_to_space,
    "MAX_POOL_2D": _pool,
    "RESIZE_BILINEAR": _resize_bilinear,
    "RESIZE_NEAREST_NEIGHBOR": _resize_nearest,
    "SPACE_TO_DEPTH": _space_to_depth,
}
