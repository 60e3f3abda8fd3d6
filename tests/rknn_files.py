"""Small ``.rknn`` files, in the form that Rockchip's toolkit 2.5 was seen to write."""

from __future__ import annotations

import json
import struct


def rknn_file(chips=("rk3588",), image=(1, 3, 16, 24), scores=(1, 3, 8, 12), **values):
    """Return the bytes of a file; values replace those of its description."""
    shapes = {"image": image, "scores": scores}
    described = {
        "graph": [
            {"left": "input", "right_tensor_id": 0},
            {"left": "output", "right_tensor_id": 1},
        ],
        "norm_tensor": [
            {"tensor_id": index, "url": name, "size": list(shape)}
            for index, (name, shape) in enumerate(shapes.items())
        ],
        "target_platform": list(chips),
        "version": "2.5.0",
        **values,
    }
    text = json.dumps(described).encode()
    body = b"network" * 9
    head = b"RKNN\0\0\0\0" + struct.pack("<QQ", 6, len(body))
    return head.ljust(64, b"\0") + body + struct.pack("<Q", len(text)) + text
