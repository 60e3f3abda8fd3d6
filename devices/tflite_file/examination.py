"""A TFLite file looked at before an interpreter does.

Interpreters verify at most that offsets are inside the file. What the tables *say* they
trust: a zero point outside its type, a scale of 1e-45, an output shape that the graph
does not give or a stride of 0 end the process (SIGSEGV, SIGABRT, SIGFPE) and no line
tells why. The rules here refuse such a file in a few milliseconds; what they do not
know is left to `edgeseg.devices.first_inference`.
"""

from __future__ import annotations

from edgeseg.devices.errors import ModelError
from edgeseg.devices.tflite_file.flatbuffer import DamagedError
from edgeseg.devices.tflite_file.graph_rules import check_calls, check_connections
from edgeseg.devices.tflite_file.operator_rules import check_operator
from edgeseg.devices.tflite_file.reading import ModelFile, read_file
from edgeseg.devices.tflite_file.tensor_rules import check_tensor

_VERSION = 3
# the interpreter reads the buffer of each of these entries
_READ_METADATA = (b"min_runtime_version",)


def examine(content: bytes, name: str) -> ModelFile:
    """Return a TFLite file's tables if an interpreter may be given the file.

    Parameters
    ----------
    content : bytes
        The file.
    name : str
        How the message names it.

    Raises
    ------
    ModelError
        The file is damaged; the message names the tensor or operator.
    """
    try:
        file = read_file(content)
        _check(file)
    except DamagedError as error:
        raise ModelError(
            f"{name} cannot be read as a TFLite model (truncated or damaged?): {error}"
        ) from error
    return file


def _check(file: ModelFile) -> None:
    if file.version != _VERSION:
        raise DamagedError(f"its version is {file.version}, expected {_VERSION}")
    if not file.subgraphs:
        raise DamagedError("it has no graph")
    for graph in file.subgraphs:
        for index, tensor in enumerate(graph.tensors):
            check_tensor(file, index, tensor)
        check_connections(file, graph)
        for index, operator in enumerate(graph.operators):
            check_operator(file, graph, index, operator)
    check_calls(file)
    _check_metadata(file)
    _check_signatures(file)


def _check_metadata(file: ModelFile) -> None:
    for name, buffer in file.metadata:
        text = name.decode("utf-8", "backslashreplace")[:60]
        if not name or buffer >= len(file.buffers):
            raise DamagedError(
                f"its metadata {text!r} are in buffer {buffer}, the file has "
                f"{len(file.buffers)}"
            )
        if name in _READ_METADATA and not file.buffers[buffer][1]:
            raise DamagedError(f"its metadata {text!r} are empty")


def _check_signatures(file: ModelFile) -> None:
    for signature in file.signatures:
        if signature.subgraph >= len(file.subgraphs):
            raise DamagedError(
                f"a signature calls subgraph {signature.subgraph}, the file has "
                f"{len(file.subgraphs)}"
            )
        count = len(file.subgraphs[signature.subgraph].tensors)
        for tensor in (*signature.inputs, *signature.outputs):
            if tensor >= count:
                raise DamagedError(
                    f"a signature names tensor {tensor}, the model has {count}"
                )
