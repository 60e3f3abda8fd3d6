"""Train the small DeepLabv3+ of the tests, ``golden/shapes.keras``, on drawn shapes.

``python tests/train_shapes.py OUT.keras`` repeats the training: a few minutes on two
processor cores. The scenes are those of ``synthetic:``, so there is no data set and no
licence to mind.

References
----------
L.-C. Chen et al., "Encoder-Decoder with Atrous Separable Convolution for Semantic
Image Segmentation", ECCV 2018 (DeepLabv3+). M. Sandler et al., "MobileNetV2", CVPR
2018 (inverted residuals).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.converter.frameworks import need
from edgeseg.runtime.pictures.atomic import replacing
from edgeseg.runtime.sources.synthetic import LABELS, SyntheticSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

SIZE = 129  # 16 * 8 + 1: corners of the stride-8 grid fall on pixels
_SEED = 20
_BATCH, _STEPS, _EPOCHS = 16, 100, 24
_TRAINING_SEED = 1000  # scenes of the tests have seeds below


def build() -> Any:
    """Return the untrained network: ``(1, 129, 129, 3)`` to ``(1, 129, 129, 4)``.

    Returns
    -------
    keras.Model
        Stride 8, one inverted residual with rate 2, an atrous pyramid with rates 2
        and 4, a decoder at stride 2.
    """
    keras = need("keras")
    layers = keras.layers
    image = keras.Input((SIZE, SIZE, 3), name="image")

    def conv(x: Any, name: str, channels: int, **options: Any) -> Any:
        kind = layers.Conv2D if channels else layers.DepthwiseConv2D
        args = (channels,) if channels else ()
        x = kind(*args, padding="same", use_bias=False, name=name, **options)(x)
        x = layers.BatchNormalization(momentum=0.97, name=f"{name}_BN")(x)
        return layers.ReLU(6.0, name=f"{name}_relu")(x)

    def residual(x: Any, name: str, channels: int, stride: int, rate: int) -> Any:
        wide = conv(x, f"{name}_expand", 4 * x.shape[-1], kernel_size=1)
        wide = conv(
            wide,
            f"{name}_depthwise",
            0,
            kernel_size=3,
            strides=stride,
            dilation_rate=rate,
        )
        out = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project")(wide)
        out = layers.BatchNormalization(momentum=0.97, name=f"{name}_project_BN")(out)
        return layers.Add(name=f"{name}_add")([x, out]) if x.shape == out.shape else out

    # === Backbone ===
    stem = conv(image, "stem", 16, kernel_size=3, strides=2)
    x = residual(stem, "block_1", 16, 2, 1)
    x = residual(x, "block_2", 24, 2, 1)
    x = residual(x, "block_3", 24, 1, 1)
    x = residual(x, "block_4", 32, 1, 2)
    x = residual(x, "block_5", 32, 1, 2)

    # === Atrous pyramid ===
    branches = [conv(x, "aspp0", 32, kernel_size=1)]
    for rate in (2, 4):
        branch = conv(x, f"aspp{rate}_depthwise", 0, kernel_size=3, dilation_rate=rate)
        branches.append(conv(branch, f"aspp{rate}_pointwise", 32, kernel_size=1))
    x = layers.Concatenate(name="aspp_concat")(branches)
    x = conv(x, "concat_projection", 32, kernel_size=1)

    # === Decoder ===
    low = conv(stem, "feature_projection", 12, kernel_size=1)
    height, width = low.shape[1:3]
    x = layers.Resizing(height, width, name="decoder_resize")(x)
    x = layers.Concatenate(name="decoder_concat")([x, low])
    x = conv(x, "decoder_depthwise", 0, kernel_size=3)
    x = conv(x, "decoder_pointwise", 32, kernel_size=1)
    x = layers.Conv2D(len(LABELS), 1, name="logits")(x)
    logits = layers.Resizing(SIZE, SIZE, name="logits_resize")(x)
    return keras.Model(image, logits, name="shapes_deeplabv3plus")


def train(output: Path, *, epochs: int = _EPOCHS) -> float:
    """Train the network and write it.

    Parameters
    ----------
    output : Path
        A ``.keras`` file.
    epochs : int
        Of 100 batches of 16 scenes each; every scene is seen once.

    Returns
    -------
    float
        Loss of the last epoch.
    """
    keras = need("keras")
    keras.utils.set_random_seed(_SEED)
    model = build()
    rate = keras.optimizers.schedules.CosineDecay(4e-3, epochs * _STEPS)
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-4),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    history = model.fit(
        _batches(), epochs=epochs, steps_per_epoch=_STEPS, verbose=2
    ).history
    with replacing(output) as temporary:
        bare = keras.models.clone_model(model)
        bare.set_weights(model.get_weights())
        bare.save(temporary)
    return float(history["loss"][-1])


def _batches() -> Iterator[tuple[NDArray[np.float32], NDArray[np.uint8]]]:
    """Give batches of pictures as the network sees them, and truth."""
    import numpy as np

    source = SyntheticSource(f"{SIZE}x{SIZE},still,seed={_TRAINING_SEED}")
    index = 0
    while True:
        scenes = [source.scene(index + offset) for offset in range(_BATCH)]
        index += _BATCH
        frames = np.stack([frame for frame, _ in scenes]).astype(np.float32)
        yield frames / 127.5 - 1, np.stack([ids for _, ids in scenes])


if __name__ == "__main__":
    print(f"loss {train(Path(sys.argv[1])):.4f}")
