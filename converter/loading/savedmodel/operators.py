"""The TensorFlow operators that networks consist of; every other one is refused.

A graph is a program: its operators read and write files, call Python, open sockets.
Only those listed here compute from tensors and variables to tensors and variables, and
do nothing else. What is not listed is refused, also what TensorFlow adds one day.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.converter.frameworks import GraphDef, NodeDef, ProtobufMessage
    from edgeseg.converter.loading.savedmodel.reach import Subgraph

_CONSTANTS = """
    BroadcastArgs BroadcastTo CheckNumerics Const EnsureShape Fill Identity IdentityN
    LinSpace NoOp OnesLike Placeholder PlaceholderWithDefault PreventGradient Range
    Rank Shape ShapeN Size Snapshot StopGradient ZerosLike Assert
"""
_VARIABLES = """
    Assign AssignAdd AssignAddVariableOp AssignSub AssignSubVariableOp
    AssignVariableOp DisableCopyOnRead IsVariableInitialized ReadVariableOp
    ResourceGather ResourceGatherNd VarHandleOp VarIsInitializedOp Variable
    VariableShape VariableV2
"""
_CONTROL_FLOW = """
    Case ControlTrigger EmptyTensorList Enter Exit If LoopCond Merge NextIteration
    PartitionedCall RefEnter RefExit RefMerge RefNextIteration RefSwitch StatelessCase
    StatefulPartitionedCall StatelessIf StatelessWhile Switch TensorArrayGatherV3
    TensorArrayReadV3 TensorArrayScatterV3 TensorArraySizeV3 TensorArrayV3
    TensorArrayWriteV3 TensorListElementShape TensorListFromTensor TensorListGather
    TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack
    TensorListReserve TensorListScatterV2 TensorListSetItem TensorListStack While
"""
_ELEMENTWISE = """
    Abs Acos Acosh Add AddN AddV2 ApproximateEqual Asin Asinh Atan Atan2 Atanh BiasAdd
    BiasAddV1 BitwiseAnd BitwiseOr BitwiseXor Cast Ceil ClipByValue Cos Cosh Div
    DivNoNan Elu Equal Erf Erfc Erfinv Exp Expm1 Floor FloorDiv FloorMod Greater
    GreaterEqual Inv Invert IsFinite IsInf IsNan LeakyRelu LeftShift Less LessEqual Log
    Log1p LogicalAnd LogicalNot LogicalOr Maximum Minimum Mod Mul MulNoNan Neg NextAfter
    NotEqual Pow RealDiv Reciprocal Relu Relu6 RightShift Rint Round Rsqrt Select
    SelectV2 Selu Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Square SquaredDifference
    Sub Tan Tanh TruncateDiv TruncateMod Xdivy Xlog1py Xlogy
"""
_REDUCTIONS = """
    All Any ArgMax ArgMin BatchMatMul BatchMatMulV2 BatchMatMulV3 Cumprod Cumsum Einsum
    EuclideanNorm L2Loss LogSoftmax MatMul MatrixBandPart MatrixDiag MatrixDiagPart
    MatrixDiagPartV3 MatrixDiagV3 MatrixSetDiagV3 Max Mean Min Prod SegmentMax
    SegmentMean SegmentSum Softmax Sum TopK TopKV2 UnsortedSegmentMax UnsortedSegmentSum
"""
_PICTURES = """
    AdjustContrastv2 AdjustHue AdjustSaturation AvgPool AvgPool3D
    BatchNormWithGlobalNormalization BatchToSpace BatchToSpaceND Conv Conv2D
    Conv2DBackpropInput Conv3D Conv3DBackpropInputV2 CropAndResize DepthToSpace
    DepthwiseConv2dNative Dilation2D ExtractImagePatches FusedBatchNorm
    FusedBatchNormV2 FusedBatchNormV3 HSVToRGB ImageProjectiveTransformV2
    ImageProjectiveTransformV3 LRN MaxPool MaxPool3D MaxPoolV2 MaxPoolWithArgmax
    MirrorPad Pad PadV2 RGBToHSV ResizeArea ResizeBicubic ResizeBilinear
    ResizeNearestNeighbor ScaleAndTranslate SpaceToBatch SpaceToBatchND SpaceToDepth
"""
_SHAPES = """
    Bitcast Concat ConcatOffset ConcatV2 DynamicPartition DynamicStitch ExpandDims
    Gather GatherNd GatherV2 InvertPermutation OneHot Pack Reshape Reverse
    ReverseSequence ReverseV2 Roll ScatterNd Slice Split SplitV Squeeze StridedSlice
    TensorScatterAdd TensorScatterUpdate Tile Transpose Unpack Where
"""
_QUANTIZED = """
    Dequantize FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars
    FakeQuantWithMinMaxVarsPerChannel QuantizeAndDequantizeV2 QuantizeAndDequantizeV3
    QuantizeAndDequantizeV4 QuantizeV2
"""
_RANDOM = """
    Multinomial RandomShuffle RandomStandardNormal RandomUniform RandomUniformInt
    RngReadAndSkip RngSkip StatelessRandomGetAlg StatelessRandomGetKeyCounter
    StatelessRandomGetKeyCounterAlg StatelessRandomNormal StatelessRandomNormalV2
    StatelessRandomUniform StatelessRandomUniformInt StatelessRandomUniformIntV2
    StatelessRandomUniformV2 StatelessTruncatedNormal StatelessTruncatedNormalV2
    TruncatedNormal
"""
NETWORK_OPERATORS = frozenset(
    " ".join(
        (
            _CONSTANTS,
            _VARIABLES,
            _CONTROL_FLOW,
            _ELEMENTWISE,
            _REDUCTIONS,
            _PICTURES,
            _SHAPES,
            _QUANTIZED,
            _RANDOM,
        )
    ).split()
)
# Part of every saved graph; edgeseg reads the variables itself and never runs them
SAVER_OPERATORS = frozenset(
    [
        "MergeV2Checkpoints",
        "RestoreV2",
        "SaveV2",
        "ShardedFilename",
        "StaticRegexFullMatch",
        "StringJoin",
    ]
)
_MOST_VALUES = 2**29  # float32 values of 2 GiB, the most that a protobuf holds


def strange_operators(graph: GraphDef, saver: Subgraph) -> list[str]:
    """Return the operators of a graph that no network consists of.

    Parameters
    ----------
    graph : GraphDef
        Of a SavedModel: its nodes, and all functions that it holds.
    saver : Subgraph
        The part that only saves and restores.

    Returns
    -------
    list of str
        Such as ``"WriteFile in function serve"``, each once, sorted.
    """
    functions = {function.signature.name for function in graph.library.function}
    known = NETWORK_OPERATORS | functions
    saving = known | SAVER_OPERATORS
    found = {
        node.op
        for node in graph.node
        if node.op not in (saving if node.name in saver.nodes else known)
    }
    for function in graph.library.function:
        name = function.signature.name
        allowed = saving if name in saver.functions else known
        found |= {
            f"{node.op} in function {name}"
            for node in function.node_def
            if node.op not in allowed
        }
    return sorted(found)


def check_values(graph: GraphDef) -> None:
    """Refuse constants that are no numbers or texts, or larger than a file can be.

    Parameters
    ----------
    graph : GraphDef
        Of a SavedModel.

    Raises
    ------
    ModelError
        Names the node.
    """
    for node in nodes_of(graph):
        for value in node.attr.values():
            for tensor in (value.tensor, *value.list.tensor):
                _check_tensor(node.name, tensor)


def nodes_of(graph: GraphDef) -> Iterator[NodeDef]:
    """Yield every node of a graph and of its functions."""
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def


def _check_tensor(node: str, tensor: ProtobufMessage) -> None:
    types = need("tensorflow.core.framework.types_pb2")
    if tensor.dtype in (types.DT_RESOURCE, types.DT_VARIANT):
        raise ModelError(f"the constant {node} is no number and no text")
    sizes = [dim.size for dim in tensor.tensor_shape.dim]
    if tensor.tensor_shape.unknown_rank or any(size < 0 for size in sizes):
        raise ModelError(f"the constant {node} has a shape that is none: {sizes}")
    if math.prod(sizes) > _MOST_VALUES:
        raise ModelError(f"the constant {node} is larger than a file can be: {sizes}")
