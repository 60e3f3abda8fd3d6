"""What the numbers of TensorFlow Lite's schema stand for.

References
----------
TensorFlow Lite, ``tensorflow/compiler/mlir/lite/schema/schema.fbs``: BuiltinOperator,
TensorType and the tables of options.
"""

from __future__ import annotations


def words(text: str) -> list[str]:
    """Return the words of a long list, which a table of strings would make longer."""
    return text.split()


# by number, from 0
OPERATORS = tuple(
    words(
        "ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D "
        "DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED "
        "HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D "
        "LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D "
        "MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX "
        "SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM "
        "EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER "
        "BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE "
        "UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN "
        "EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM "
        "CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER "
        "GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV "
        "SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT "
        "SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR "
        "ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY "
        "SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR "
        "LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL "
        "REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE "
        "MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE "
        "NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 "
        "DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES "
        "CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS "
        "HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL "
        "CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE "
        "BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM "
        "MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 "
        "UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 "
        "UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT "
        "STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY "
        "STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP "
        "STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION "
        "STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE STABLEHLO_ABS "
        "STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR "
        "STABLEHLO_LOG STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR "
        "STABLEHLO_POWER STABLEHLO_REMAINDER STABLEHLO_RSQRT STABLEHLO_SELECT "
        "STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER STABLEHLO_COMPARE "
        "STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE "
        "STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA "
        "STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT "
        "STABLEHLO_WHILE STABLEHLO_GATHER STABLEHLO_TRANSPOSE DILATE "
        "STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE "
        "STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT STABLEHLO_CASE "
    )
)
# name and bits of an element, by number; 0 bits: of no fixed size
TYPES = (
    ("float32", 32),
    ("float16", 16),
    ("int32", 32),
    ("uint8", 8),
    ("int64", 64),
    ("string", 0),
    ("bool", 8),
    ("int16", 16),
    ("complex64", 64),
    ("int8", 8),
    ("float64", 64),
    ("complex128", 128),
    ("uint64", 64),
    ("resource", 0),
    ("variant", 0),
    ("uint32", 32),
    ("uint16", 16),
    ("int4", 4),
    ("bfloat16", 16),
    ("int2", 2),
    ("uint4", 4),
    ("float8_e4m3fn", 8),
    ("float8_e5m2", 8),
)
# of integers that can stand for real values: least and greatest
LIMITS = {
    "int2": (-2, 1),
    "int4": (-8, 7),
    "uint4": (0, 15),
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int16": (-32768, 32767),
    "uint16": (0, 65535),
    "int32": (-(2**31), 2**31 - 1),
}
_ACTIVATION, _PADDING = "fusedActivationFunction", "padding"
_WINDOW = {_PADDING: (0, "b", 0), "strideW": (1, "i", 0), "strideH": (2, "i", 0)}
_CORNERS = ("alignCorners", "halfPixelCenters")
# the table's number in BuiltinOptions, then its fields: number, form, default
OPTIONS: dict[str, tuple[int, dict[str, tuple[int, str, int]]]] = {
    "ADD": (11, {_ACTIVATION: (0, "b", 0)}),
    "ARG_MAX": (40, {"outputType": (0, "b", 0)}),
    "ARG_MIN": (57, {"outputType": (0, "b", 0)}),
    "AVERAGE_POOL_2D": (
        5,
        {
            **_WINDOW,
            "filterWidth": (3, "i", 0),
            "filterHeight": (4, "i", 0),
            _ACTIVATION: (5, "b", 0),
        },
    ),
    "BATCH_MATMUL": (101, {"adjX": (0, "b", 0), "adjY": (1, "b", 0)}),
    "CALL_ONCE": (103, {"initSubgraphIndex": (0, "i", 0)}),
    "CONCATENATION": (10, {"axis": (0, "i", 0), _ACTIVATION: (1, "b", 0)}),
    "CONV_2D": (
        1,
        {
            **_WINDOW,
            _ACTIVATION: (3, "b", 0),
            "dilationWFactor": (4, "i", 1),
            "dilationHFactor": (5, "i", 1),
        },
    ),
    "DEPTHWISE_CONV_2D": (
        2,
        {
            **_WINDOW,
            "depthMultiplier": (3, "i", 0),
            _ACTIVATION: (4, "b", 0),
            "dilationWFactor": (5, "i", 1),
            "dilationHFactor": (6, "i", 1),
        },
    ),
    "DEPTH_TO_SPACE": (94, {"blockSize": (0, "i", 0)}),
    "DIV": (29, {_ACTIVATION: (0, "b", 0)}),
    "FULLY_CONNECTED": (
        8,
        {
            _ACTIVATION: (0, "b", 0),
            "weightsFormat": (1, "b", 0),
            "keepNumDims": (2, "b", 0),
        },
    ),
    "GATHER": (23, {"axis": (0, "i", 0), "batchDims": (1, "i", 0)}),
    "IF": (92, {"thenSubgraphIndex": (0, "i", 0), "elseSubgraphIndex": (1, "i", 0)}),
    "MUL": (21, {_ACTIVATION: (0, "b", 0)}),
    "PACK": (59, {"valuesCount": (0, "i", 0), "axis": (1, "i", 0)}),
    "REDUCE_MAX": (27, {"keepDims": (0, "b", 0)}),
    "RESIZE_BILINEAR": (15, {n: (2 + i, "b", 0) for i, n in enumerate(_CORNERS)}),
    "RESIZE_NEAREST_NEIGHBOR": (74, {n: (i, "b", 0) for i, n in enumerate(_CORNERS)}),
    "SOFTMAX": (9, {"beta": (0, "f", 0)}),
    "SPACE_TO_DEPTH": (19, {"blockSize": (0, "i", 0)}),
    "SPLIT": (35, {"numSplits": (0, "i", 0)}),
    "SPLIT_V": (79, {"numSplits": (0, "i", 0)}),
    "STRIDED_SLICE": (
        32,
        {
            "beginMask": (0, "i", 0),
            "endMask": (1, "i", 0),
            "ellipsisMask": (2, "i", 0),
            "newAxisMask": (3, "i", 0),
            "shrinkAxisMask": (4, "i", 0),
        },
    ),
    "SUB": (28, {_ACTIVATION: (0, "b", 0)}),
    "TRANSPOSE_CONV": (49, {**_WINDOW, _ACTIVATION: (3, "b", 0)}),
    "UNPACK": (64, {"num": (0, "i", 0), "axis": (1, "i", 0)}),
    "WHILE": (93, {"condSubgraphIndex": (0, "i", 0), "bodySubgraphIndex": (1, "i", 0)}),
    "CALL": (16, {"subgraph": (0, "I", 0)}),
}
for _kind in ("MAX_POOL_2D", "L2_POOL_2D"):
    OPTIONS[_kind] = OPTIONS["AVERAGE_POOL_2D"]
for _kind in ("MEAN", "SUM", "REDUCE_PROD", "REDUCE_MIN", "REDUCE_ANY", "REDUCE_ALL"):
    OPTIONS[_kind] = OPTIONS["REDUCE_MAX"]
