"""A decoder that changes nothing yet: v3 weights become a v3+ network's.

The old head's scores z are carried through the decoder's ReLUs as relu(z) and
relu(-z), whose difference is z again; all other channels start at random and with a
weight of 0 on the new scores. A 1x1 convolution and a bilinear resize commute, and two
resizes that align corners make the same as one where the grids divide each other, so
the network gives the very answers it gave without the decoder. It learns from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.networks.deeplab import LOGITS
from edgeseg.devices import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.frameworks import KerasLayer, KerasModel
    from edgeseg.converter.training.start.new_head import HeadWeights

    Layers = dict[str, dict[str, NDArray[np.float32]]]

DECODER_LAYERS = ("feature_projection0", "decoder_conv0", "decoder_conv1")


def decoder_weights(
    model: KerasModel, head: HeadWeights, low_width: int, rng: np.random.Generator
) -> Layers:
    """Return the weights of every layer of a decoder, and of the scores after it.

    Parameters
    ----------
    model : keras.Model
        With a decoder, as `build_deeplab` makes it; for the shapes.
    head : HeadWeights
        The head that the network without a decoder has: ``(1, 1, width, C)``.
    low_width : int
        Channels of the low features in the decoder.
    rng : numpy.random.Generator
        For the channels that are free to learn.

    Raises
    ------
    InputError
        The decoder is too narrow to carry the scores.
    """
    import numpy as np

    context, classes = head.kernel.shape[2:]
    width = model.get_layer("decoder_conv1_pointwise").kernel.shape[-1]
    carried = 2 * classes
    if carried > width:
        raise InputError(
            f"expected --decoder-width of at least {carried} (two channels a class, "
            f"which carry the scores), got {width}"
        )
    layers = {
        name: {"kernel": _he(rng, tuple(model.get_layer(name).kernel.shape))}
        for name in _convolutions(model)
    }
    kernels = {name: arrays["kernel"] for name, arrays in layers.items()}
    signed = np.concatenate([head.kernel, -head.kernel], axis=3)
    kernels["decoder_conv0_depthwise"][:, :, :context] = _delta(context)
    kernels["decoder_conv0_pointwise"][..., :carried] = 0
    kernels["decoder_conv0_pointwise"][:, :, :context, :carried] = signed
    kernels["decoder_conv1_depthwise"][:, :, :carried] = _delta(carried)
    kernels["decoder_conv1_pointwise"][..., :carried] = 0
    kernels["decoder_conv1_pointwise"][0, 0, :carried, :carried] = np.eye(carried)
    scores = np.zeros((1, 1, width, classes), np.float32)
    scores[0, 0, :carried] = np.concatenate([np.eye(classes), -np.eye(classes)])
    layers |= {
        f"{name}_BN": _identity(model.get_layer(f"{name}_BN")) for name in kernels
    }
    beta = layers["decoder_conv0_pointwise_BN"]["beta"]
    beta[:carried] = np.concatenate([head.bias, -head.bias])
    layers[LOGITS] = {"kernel": scores, "bias": np.zeros(classes, np.float32)}
    return layers


def _convolutions(model: KerasModel) -> list[str]:
    return [
        layer.name
        for layer in model.layers
        if layer.name.startswith(DECODER_LAYERS)
        and getattr(layer, "kernel", None) is not None
    ]


def _he(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return a random kernel that keeps the variance of what passes a ReLU."""
    import numpy as np

    fan_in = shape[0] * shape[1] * (shape[2] if shape[0] == 1 else 1)
    return rng.normal(0, (2 / fan_in) ** 0.5, shape).astype(np.float32)


def _delta(channels: int) -> NDArray[np.float32]:
    """Return a depthwise 3x3 kernel that passes its input: ``(3, 3, channels, 1)``."""
    import numpy as np

    kernel = np.zeros((3, 3, channels, 1), np.float32)
    kernel[1, 1] = 1
    return kernel


def _identity(norm: KerasLayer) -> dict[str, NDArray[np.float32]]:
    """Return weights of a batch normalization that does nothing in inference."""
    import numpy as np

    length = norm.gamma.shape[0]
    return {
        "gamma": np.ones(length, np.float32),
        "beta": np.zeros(length, np.float32),
        "moving_mean": np.zeros(length, np.float32),
        "moving_variance": np.full(length, 1 - norm.epsilon, np.float32),
    }
