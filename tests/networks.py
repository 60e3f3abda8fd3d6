"""Small segmentation networks that are no DeepLab, weights as if trained.

Each builder takes the module to build with, ``keras`` or ``tf_keras``, and returns a
model with random but settled weights: batch norms have statistics of their own.
"""

from __future__ import annotations

import numpy as np

CLASSES = 5


def settle(model, seed=7):
    """Give every weight a value that training could have left."""
    draw = np.random.default_rng(seed)
    values = []
    for variable, value in zip(model.weights, model.get_weights(), strict=True):
        name = getattr(variable, "path", variable.name)
        if value.ndim >= 3:  # kernels, and PReLU's slopes, which start as zeros
            spread = _spread(value.shape) if value.any() else 0.2
            values.append(draw.normal(0, spread, value.shape))
        elif "variance" in name or "gamma" in name:
            values.append(draw.uniform(0.6, 1.4, value.shape))
        else:
            values.append(draw.normal(0, 0.1, value.shape))
    model.set_weights([value.astype("float32") for value in values])
    return model


def _spread(shape):
    """Return what Glorot's initializer aims at; what it drew differs in each run."""
    return np.sqrt(2 / (np.prod(shape[:-2]) * (shape[-2] + shape[-1])))


def _block(keras, x, channels):
    layers = keras.layers
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def unet(keras, size=(64, 64), *, classes=CLASSES):
    """U-Net: four levels, transposed convolutions, skips by concatenation."""
    layers = keras.layers
    image = keras.Input((*size, 3))
    x, skips = image, []
    for channels in (8, 16, 24):
        x = _block(keras, _block(keras, x, channels), channels)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = _block(keras, x, 32)
    for channels, skip in zip((24, 16, 8), reversed(skips), strict=True):
        x = layers.Conv2DTranspose(channels, 2, strides=2, padding="same")(x)
        x = _block(keras, layers.Concatenate()([x, skip]), channels)
    scores = layers.Conv2D(classes, 1, activation="softmax")(x)
    return settle(keras.Model(image, scores, name="unet"))


def fcn8s(keras, size=(64, 64), *, classes=CLASSES):
    """FCN-8s: scores of strides 8, 16 and 32 added, the last step eight-fold."""
    layers = keras.layers
    image = keras.Input((*size, 3))
    x, scores = image, []
    for stage, channels in enumerate((8, 8, 16, 24, 24)):
        x = layers.MaxPooling2D(padding="same")(_block(keras, x, channels))
        if stage >= 2:
            scores.append(layers.Conv2D(classes, 1)(x))
    total = scores.pop()
    while scores:
        up = layers.Conv2DTranspose(classes, 4, strides=2, padding="same")(total)
        total = layers.Add()([up, scores.pop()])
    total = layers.Conv2DTranspose(classes, 16, strides=8, padding="same")(total)
    return settle(keras.Model(image, total, name="fcn8s"))


def segnet(keras, size=(64, 64), *, classes=CLASSES):
    """SegNet: an encoder and its mirror image, no skips, a chain of layers."""
    layers = keras.layers
    chain = [keras.Input((*size, 3))]
    for channels in (8, 16, 24):
        chain += [
            layers.Conv2D(channels, 3, padding="same"),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.MaxPooling2D(),
        ]
    for channels in (24, 16, 8):
        chain += [
            layers.UpSampling2D(),
            layers.Conv2D(channels, 3, padding="same"),
            layers.BatchNormalization(),
            layers.Activation("relu"),
        ]
    chain.append(layers.Conv2D(classes, 1))
    return settle(keras.Sequential(chain, name="segnet"))


def medley(keras, size=(64, 64), *, classes=CLASSES):
    """Return a network of the layers whose descriptions changed from Keras 2 to 3."""
    layers = keras.layers
    image = keras.Input((*size, 3))
    x = layers.SeparableConv2D(
        12, 3, strides=2, padding="same", depthwise_regularizer="l2"
    )(image)
    skip = x = layers.PReLU(shared_axes=[1, 2])(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", activation="relu6")(x)
    x = layers.LeakyReLU(alpha=0.1)(
        layers.Conv2D(16, 1, kernel_constraint="max_norm")(x)
    )
    near = layers.UpSampling2D(interpolation="nearest")(x)
    smooth = layers.UpSampling2D(interpolation="bilinear")(x)
    x = layers.Concatenate()([near, smooth, skip])
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(44, 1, activation="hard_sigmoid")(gate)
    x = layers.SpatialDropout2D(0.1)(layers.Multiply()([x, gate]))
    x = layers.Conv2DTranspose(classes, 3, strides=2, padding="same")(x)
    return settle(keras.Model(image, layers.Softmax()(x), name="medley"))


def with_lambda(keras, size=(32, 32), *, classes=CLASSES):
    """Return a network with a function of Python inside: it doubles and shifts."""
    image = keras.Input((*size, 3))
    x = keras.layers.Lambda(lambda x: 2.0 * x - 0.5, name="shift")(image)
    scores = keras.layers.Conv2D(classes, 3, padding="same")(x)
    return settle(keras.Model(image, scores, name="with_lambda"))
