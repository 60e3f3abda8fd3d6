"""Compile a network with Rockchip's toolkit; run by path, by the toolkit's own Python.

The toolkit wants older packages than edgeseg has: this file imports nothing of edgeseg.
``python worker.py --version`` prints the toolkit's version. ``python worker.py FOLDER``
reads

``network.onnx``
    The network, with int8 steps. Where its ends are channels last, both are made
    channels first, which is the chip's own order.
``job.json``
    ``target``, such as ``"rk3588"``, and ``mean`` and ``std`` of each colour.
``pictures.npy``
    ``(N, H, W, 3)`` uint8 pixels.
``calibration.npy``
    Where it is there, pixels as well: the toolkit's own quantizer measures them, of a
    network without int8 steps.

and writes ``made.rknn``, and ``answers.npy``: what the toolkit's simulator of the chip
answers to the pictures, ``(N, C, h, w)`` float32.

References
----------
Rockchip, "RKNN Toolkit2 API Reference" (https://github.com/airockchip/rknn-toolkit2).
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TypeAlias

    # the toolkit is not there where types are checked
    Untyped: TypeAlias = Any

PACKAGE = "rknn-toolkit2"
_TO_FIRST, _TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
_STEPS = ("QuantizeLinear", "DequantizeLinear")


def compile_network(folder: Path) -> None:
    """Compile the network in a folder, and let the simulator answer; see the module."""
    import numpy as np
    import onnx
    from rknn.api import RKNN

    os.chdir(folder)  # the toolkit leaves files where it is started
    network = folder / "network.onnx"
    model = onnx.load(str(network))
    make_channels_first(model)
    onnx.save(model, str(network))
    job = json.loads((folder / "job.json").read_text("utf-8"))
    calibration = folder / "calibration.npy"
    toolkit = RKNN(verbose=True)  # prints its table of layers
    _check(
        "config",
        toolkit.config(
            mean_values=[job["mean"]],
            std_values=[job["std"]],
            target_platform=job["target"],
        ),
    )
    _check("load_onnx", toolkit.load_onnx(model=str(network)))
    own = _write_list(calibration) if calibration.is_file() else None
    _check("build", toolkit.build(do_quantization=own is not None, dataset=own))
    _check("export_rknn", toolkit.export_rknn(str(folder / "made.rknn")))
    _check("init_runtime", toolkit.init_runtime())  # no target: the simulator
    answers = []
    for picture in np.load(folder / "pictures.npy", mmap_mode="r"):
        given = np.ascontiguousarray(picture[None])
        made = toolkit.inference(inputs=[given], data_format=["nhwc"])
        _check("inference", 0 if made else -1)
        answers.append(np.asarray(made[0], np.float32))
    toolkit.release()
    np.save(folder / "answers.npy", np.concatenate(answers))


def make_channels_first(model: Untyped) -> None:
    """Take the transpositions at both ends of a network out, in place.

    Parameters
    ----------
    model : onnx.ModelProto
        ``(1, H, W, 3)`` in and ``(1, h, w, C)`` out become ``(1, 3, H, W)`` and
        ``(1, C, h, w)``.

    Raises
    ------
    ValueError
        It has other ends.
    """
    graph = model.graph
    if len(graph.input) != 1 or len(graph.output) != 1:
        raise ValueError("the network has several inputs or outputs: expected one each")
    image, scores = graph.input[0], graph.output[0]
    last = {image.name}
    taken = []
    for node in graph.node:
        if not last.intersection(node.input):
            continue
        if _order(node) == _TO_FIRST:
            taken.append(node)
        elif node.op_type in _STEPS:
            last.update(node.output)
        else:
            raise ValueError(f"{node.op_type} reads the picture channels last")
    end = next(node for node in graph.node if scores.name in node.output)
    if _order(end) != _TO_LAST:
        raise ValueError(
            f"the network ends in {end.op_type}, expected scores of each class: "
            "convert without --head labels"
        )
    for node in taken:
        _rename(graph, node.output[0], node.input[0])
    _rename(graph, end.input[0], scores.name)
    for node in (*taken, end):
        graph.node.remove(node)
    del graph.value_info[:]
    for value in (image, scores):
        sides = value.type.tensor_type.shape.dim
        lengths = [side.dim_value for side in sides]
        for side, place in zip(sides, _TO_FIRST, strict=True):
            side.dim_value = lengths[place]


def _order(node: Untyped) -> tuple[int, ...]:
    """Return the order of a transposition, empty for anything else."""
    if node.op_type != "Transpose":
        return ()
    return tuple(int(place) for place in node.attribute[0].ints)


def _rename(graph: Untyped, old: str, new: str) -> None:
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == old:
                    names[place] = new


def _write_list(calibration: Path) -> str:
    """Write pictures as the toolkit wants them: one a file, channels first."""
    import numpy as np

    names = []
    for index, picture in enumerate(np.load(calibration, mmap_mode="r")):
        path = calibration.with_name(f"calibration_{index}.npy")
        np.save(path, picture.transpose(2, 0, 1)[None])
        names.append(str(path))
    listed = calibration.with_suffix(".txt")
    listed.write_text("\n".join(names) + "\n", "utf-8")
    return str(listed)


def _check(step: str, status: int) -> None:
    if status != 0:
        raise RuntimeError(f"{step} failed")


if __name__ == "__main__":
    if sys.argv[1] == "--version":
        print(PACKAGE, version(PACKAGE))
    else:
        compile_network(Path(sys.argv[1]).resolve())
