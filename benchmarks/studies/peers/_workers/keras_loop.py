"""Float TensorFlow, picture by picture, as hobby code around Keras models does it.

Frames come blue first from a camera, ``model.predict`` is called on a batch of one,
the label map of the network's size is scaled afterwards, and the overlay is part of
every frame.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .plain import letterbox, scaled_ids, stages

if TYPE_CHECKING:
    from .plain import Array, Frame, Loop, Settings, Times


def open_loop(settings: Settings) -> Loop:
    """Open a SavedModel ``(1, H, W, 3)`` float32 to ``(1, H, W, C)`` float32."""
    import cv2
    import keras
    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(settings["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(settings["threads"])
    layer = keras.layers.TFSMLayer(settings["model"], call_endpoint="serve")
    size_hw = tuple(settings["size_hw"])
    image = keras.Input((*size_hw, 3), batch_size=1)
    model = keras.Model(image, layer(image))
    colours = np.random.default_rng(0).integers(0, 256, (256, 3), np.uint8)

    def loop(frame: Frame) -> tuple[Array, Times]:
        camera = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        start = time.perf_counter()
        rgb = cv2.cvtColor(camera, cv2.COLOR_BGR2RGB)
        tensor, inside = letterbox(rgb, size_hw)
        prepared = time.perf_counter()
        scores = model.predict(tensor, verbose=0)[0]
        invoked = time.perf_counter()
        small = np.argmax(scores, axis=-1)
        ids = scaled_ids(small, inside, frame.shape[:2])
        cv2.addWeighted(camera, 0.5, colours[ids], 0.5, 0)
        return ids, stages(start, prepared, invoked, time.perf_counter())

    return loop
