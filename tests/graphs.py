"""TFLite graphs put together operator by operator, and run: no TensorFlow needed."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices.litert import open_interpreter


def empty():
    """Return a model that holds nothing yet."""
    model = schema.ModelT()
    model.version = 3
    model.buffers = [schema.BufferT()]
    model.operatorCodes = []
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []
    model.subgraphs = [graph]
    return FlatModel(bytes(flatbuffer_utils.convert_object_to_bytearray(model)))


class Drawing:
    """A graph being drawn: each method returns the index of a new tensor."""

    def __init__(self):
        self.flat = empty()

    def image(self, shape, steps=None):
        index = self._tensor("image", shape, steps)
        self.flat.set_input(index)
        return index

    def constant(self, values, name="constant", steps=None):
        count = len(self.flat.graph.tensors)  # the quantizer wants unique names
        index = self.flat.add_constant(f"{name}{count}", np.asarray(values))
        if steps is not None:
            self.flat.set_quantization(index, *steps)
        return index

    def apply(
        self, kind, inputs, shape, *, steps=None, dtype=None, name=None, **options
    ):
        """Add an operator of one output; options by the schema's own names."""
        name = name or f"{kind.lower()}{len(self.flat.graph.tensors)}"
        index = self._tensor(name, shape, steps, dtype)
        self.append(kind, inputs, [index], **options)
        return index

    def append(self, kind, inputs, outputs, **options):
        table = None
        if options:
            table = getattr(schema, options.pop("table"))()
            for option, value in options.items():
                assert hasattr(table, option)
                setattr(table, option, value)
        self.flat.graph.operators.append(
            self.flat.operator(kind, inputs, outputs, table)
        )

    def content(self, *outputs):
        """Return the flatbuffer."""
        self.flat.graph.outputs = list(outputs)
        return self.flat.to_bytes()

    def _tensor(self, name, shape, steps, dtype=None):
        dtype = dtype or ("int8" if steps else "float32")
        index = self.flat.add_tensor(name, tuple(shape), dtype)
        if steps is not None:
            self.flat.set_quantization(index, *steps)
        return index


def convolution(
    draw,
    source,
    kernel,
    bias,
    shape,
    *,
    same=True,
    stride=1,
    dilation=1,
    depthwise=False,
):
    """Add a float convolution of constant weights and return its output."""
    depth = {"depthMultiplier": 1} if depthwise else {}
    return draw.apply(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        [
            source,
            draw.constant(kernel.astype(np.float32), "kernel"),
            draw.constant(bias.astype(np.float32), "bias"),
        ],
        shape,
        table="DepthwiseConv2DOptionsT" if depthwise else "Conv2DOptionsT",
        padding=schema.Padding.SAME if same else schema.Padding.VALID,
        strideH=stride,
        strideW=stride,
        dilationHFactor=dilation,
        dilationWFactor=dilation,
        **depth,
    )


def run(content, tensors, *, delegate=True):
    """Run a model on tensors of its own dtype and return the stacked outputs."""
    interpreter = open_interpreter(content, delegate=delegate)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]
    outputs = []
    for tensor in tensors:
        interpreter.set_tensor(source, tensor)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(result))
    return np.stack(outputs)


def real(content, values):
    """Return a model's output as real numbers, by its own scale and zero point."""
    flat = FlatModel(content)
    scale, zero_point = flat.quantization(int(flat.graph.outputs[0]))
    return values if scale == 0 else (values.astype(np.float64) - zero_point) * scale


def quantized(content, tensor):
    """Return a real tensor in the dtype of a model's input."""
    flat = FlatModel(content)
    source = int(flat.graph.inputs[0])
    scale, zero_point = flat.quantization(source)
    if scale == 0:
        return tensor.astype(np.float32)
    limits = np.iinfo(flat.dtype(source))
    whole = np.rint(tensor / scale) + zero_point
    return np.clip(whole, limits.min, limits.max).astype(flat.dtype(source))


def perturbed(content, *, ulp=2, seed=3, rename=lambda name: name):
    """Move float constants by up to some last places, and rename tensors."""
    flat = FlatModel(content)
    random = np.random.default_rng(seed)
    for tensor in range(len(flat.graph.tensors)):
        flat.tensor(tensor).name = rename(flat.name(tensor)).encode()
        values = flat.constant(tensor)
        if values is not None and values.dtype == np.float32:
            moves = random.integers(-ulp, ulp + 1, values.shape)
            bits = values.view(np.int32) + np.where(values == 0, 0, moves)
            flat.set_constant(tensor, bits.astype(np.int32).view(np.float32))
    return flat.to_bytes()


# what another processor, or another version, may call tensors
RENAMES = {
    "other tails": lambda name: name.split(";")[0] + ";Squeeze1;ReadVariableOp",
    "other names": lambda name: f"tensor/{name[::-1]}",
    "same names": lambda name: name,
}
