"""``saved_model.pb`` as it is read: one graph, its signature, and its saver."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.devices import ModelError
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.frameworks import GraphDef, ProtobufMessage

_SIGNATURES = ("serving_default", "serve")
_NO_SIGNATURES = ("__saved_model_init_op", "__saved_model_train_op")
_SERVING = {"serve"}
_MOST_BYTES = 2**31 - 1  # of a protobuf


@dataclass(frozen=True)
class Signature:
    """One way to call a graph that takes a picture and gives scores.

    Parameters
    ----------
    name : str
        Such as ``"serving_default"``.
    argument : str
        Name of the picture among its arguments.
    image, scores : str
        Names of the tensors, such as ``"serving_default_image:0"``.
    size : (int or None, int or None)
        Height and width that it takes; None is any.
    """

    name: str
    argument: str
    image: str
    scores: str
    size: tuple[int | None, int | None]


def read_graphs(path: Path) -> list[GraphDef]:
    """Return the meta graphs of a SavedModel; the file is parsed and nothing is run.

    Parameters
    ----------
    path : Path
        Its folder.

    Raises
    ------
    ModelError
        ``saved_model.pb`` is no SavedModel.
    """
    file = path / "saved_model.pb"
    message = need("tensorflow.core.protobuf.saved_model_pb2").SavedModel()
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ModelError(f"{file} is larger than the 2 GiB that a graph can have")
        message.ParseFromString(file.read_bytes())
    except (OSError, need("google.protobuf.message").DecodeError) as error:
        raise ModelError(f"{file} is damaged: {one_line(error)}") from error
    if not message.meta_graphs:
        raise ModelError(f"{file} holds no graph: damaged, or no SavedModel?")
    return list(message.meta_graphs)


def serving_graph(path: Path, graphs: list[GraphDef]) -> GraphDef:
    """Return the meta graph that is for use, where a SavedModel holds several.

    Raises
    ------
    ModelError
        None of them, or more than one, is tagged ``serve``.
    """
    tags = [set(graph.meta_info_def.tags) for graph in graphs]
    chosen = [graph for graph, tag in zip(graphs, tags, strict=True) if tag == _SERVING]
    if len(graphs) == 1:
        return graphs[0]
    if len(chosen) != 1:
        raise ModelError(
            f"{path} holds {len(graphs)} graphs, expected one that is tagged 'serve': "
            "save it with model.export('DIR')"
        )
    return chosen[0]


def signature_of(path: Path, graph: GraphDef) -> Signature:
    """Return the signature that takes a picture.

    Parameters
    ----------
    path : Path
        The folder, for messages.
    graph : MetaGraphDef
        Of the SavedModel.

    Raises
    ------
    ModelError
        There is none, or it takes or gives something else.
    """
    known = sorted(name for name in graph.signature_def if name not in _NO_SIGNATURES)
    chosen = [name for name in _SIGNATURES if name in known]
    if not chosen and len(known) == 1:
        chosen = known
    if not chosen:
        raise ModelError(
            f"{path} has no signature {' or '.join(_SIGNATURES)}, got "
            f"{', '.join(known) or 'none'}: save it with model.export('DIR')"
        )
    signature = graph.signature_def[chosen[0]]
    if len(signature.outputs) != 1:
        raise ModelError(
            f"{path} is no segmentation model: expected one output, got "
            f"{', '.join(sorted(signature.outputs)) or 'none'}"
        )
    size = _image_size(path, signature)
    ((argument, image),) = signature.inputs.items()
    (scores,) = signature.outputs.values()
    return Signature(chosen[0], argument, image.name, scores.name, size)


def _image_size(
    path: Path, signature: ProtobufMessage
) -> tuple[int | None, int | None]:
    specs = [_spec(info) for info in signature.inputs.values()]
    dtype, shape = specs[0] if len(specs) == 1 else ("", None)
    if (
        dtype != "float32"
        or shape is None
        or len(shape) != 4
        or shape[0] not in (None, 1)
        or shape[3] not in (None, 3)
    ):
        got = ", ".join(f"{kind} {one or 'of any shape'}" for kind, one in specs)
        raise ModelError(
            f"{path} is no segmentation model: expected one float32 input (1, H, W, 3),"
            f" got {got or 'none'}"
        )
    return shape[1], shape[2]


def _spec(info: ProtobufMessage) -> tuple[str, tuple[int | None, ...] | None]:
    types = need("tensorflow.core.framework.types_pb2").DataType
    kind = types.Name(info.dtype) if info.dtype in types.values() else "unknown"
    shape = tuple(None if d.size < 0 else int(d.size) for d in info.tensor_shape.dim)
    names = {"DT_FLOAT": "float32"} if info.name else {}
    unknown = info.tensor_shape.unknown_rank
    return names.get(kind, kind), None if unknown else shape


def check_inside(path: Path) -> None:
    """Refuse links out of a SavedModel's folder, and what is neither file nor folder.

    Parameters
    ----------
    path : Path
        The folder.

    Raises
    ------
    ModelError
        Names the entry.
    """
    root = path.resolve()
    for entry in (path / "saved_model.pb", path / "variables", *_inside(path)):
        if not entry.exists() and not entry.is_symlink():
            continue
        target = entry.resolve()
        if not target.is_relative_to(root):
            raise ModelError(
                f"{entry} is a link out of the SavedModel, to {target}: if that is "
                f"meant, copy the folder with cp -rL {path} FOLDER and use the copy"
            )
        if not (target.is_dir() or _is_plain(target)):
            raise ModelError(f"{entry} is neither a file nor a folder")


def _inside(path: Path) -> list[Path]:
    variables = path / "variables"
    return sorted(variables.iterdir()) if variables.is_dir() else []


def _is_plain(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False
