"""The one table of operators of .tflite: what each of them becomes."""

from collections.abc import Callable
from functools import partial
from typing import Any

from dse.importers.onnx.node import Operator
from dse.importers.tflite import operators, recurrent

NESTS: dict[str, Callable[[Operator, Any], None]] = {
    "CONV_2D": operators.convolution,
    "DEPTHWISE_CONV_2D": operators.depthwise,
    "CONV_3D": operators.volume,
    "TRANSPOSE_CONV": operators.transposed,
    "FULLY_CONNECTED": operators.fully_connected,
    "BATCH_MATMUL": operators.batched_product,
    "MAX_POOL_2D": partial(operators.pool, op="MaxPool"),
    "AVERAGE_POOL_2D": partial(operators.pool, op="AveragePool"),
    "L2_POOL_2D": partial(operators.pool, op="LpPool"),
    "EMBEDDING_LOOKUP": operators.embedding,
    "SVDF": operators.filter_steps,
    "LSTM": recurrent.lstm,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": recurrent.lstm,
    "BIDIRECTIONAL_SEQUENCE_LSTM": recurrent.lstm_both,
    "RNN": recurrent.rnn,
    "UNIDIRECTIONAL_SEQUENCE_RNN": recurrent.rnn,
}
"""Operators with an order of dimensions, or of inputs, of their own."""


def _pairs(text: str) -> dict[str, str]:
    """Return words in pairs, of which the second may be many names' own."""
    return dict(part.split(":") for part in text.split())


SAME_INPUTS = _pairs("""
ADD:Add SUB:Sub ADD_N:Sum MAXIMUM:Max MINIMUM:Min SQUARED_DIFFERENCE:Sub LESS:Less
LESS_EQUAL:LessOrEqual GREATER:Greater GREATER_EQUAL:GreaterOrEqual EQUAL:Equal NOT_EQUAL:Equal
LOGICAL_OR:Or LOGICAL_AND:And LOGICAL_NOT:Not SELECT:Where SELECT_V2:Where FLOOR_MOD:Mod
BITWISE_XOR:BitwiseXor RIGHT_SHIFT:BitShift MUL:Mul DIV:Div FLOOR_DIV:Div POW:Pow ATAN2:Div
RELU:Relu RELU6:Clip RELU_N1_TO_1:Clip RELU_0_TO_1:Clip PRELU:PRelu LEAKY_RELU:LeakyRelu ELU:Elu
LOGISTIC:Sigmoid TANH:Tanh HARD_SWISH:HardSwish GELU:Gelu ABS:Abs NEG:Neg CEIL:Ceil FLOOR:Floor
ROUND:Round SIN:Sin COS:Cos LOG:Log EXP:Exp SQRT:Sqrt RSQRT:Sqrt SQUARE:Abs SIGN:Sign
SOFTMAX:Softmax LOG_SOFTMAX:LogSoftmax QUANTIZE:QuantizeLinear DEQUANTIZE:DequantizeLinear
FAKE_QUANT:Cast CAST:Cast BITCAST:BitCast DENSIFY:DequantizeLinear CONCATENATION:Concat PACK:Concat
GATHER:Gather GATHER_ND:GatherND SCATTER_ND:ScatterND DYNAMIC_UPDATE_SLICE:ScatterND
SPARSE_TO_DENSE:ScatterND L2_NORMALIZATION:LpNormalization LOCAL_RESPONSE_NORMALIZATION:LRN
NON_MAX_SUPPRESSION_V4:NonMaxSuppression NON_MAX_SUPPRESSION_V5:NonMaxSuppression RANGE:Range
FILL:ConstantOfShape WHERE:NonZero UNIQUE:Unique ZEROS_LIKE:ConstantOfShape
READ_VARIABLE:Identity TFLite_Detection_PostProcess:NonMaxSuppression
MULTINOMIAL:Multinomial RANDOM_STANDARD_NORMAL:RandomNormal RANDOM_UNIFORM:RandomUniform""")
"""Operators that an operator of ONNX translates, all inputs as they are.

Where only what is read and written matters, a function stands for its like.
"""

FIRST_INPUT = _pairs("""
RESHAPE:Reshape SQUEEZE:Squeeze EXPAND_DIMS:Unsqueeze TRANSPOSE:Transpose SLICE:Slice
STRIDED_SLICE:Slice SPLIT_V:Split UNPACK:Split BROADCAST_TO:Expand DEPTH_TO_SPACE:DepthToSpace
SPACE_TO_DEPTH:SpaceToDepth BATCH_TO_SPACE_ND:DepthToSpace SPACE_TO_BATCH_ND:SpaceToDepth
REVERSE_V2:Slice PAD:Pad PADV2:Pad MIRROR_PAD:Pad TILE:Tile RESIZE_BILINEAR:Resize
RESIZE_NEAREST_NEIGHBOR:Resize REVERSE_SEQUENCE:ReverseSequence CUMSUM:CumSum MEAN:ReduceMean
SUM:ReduceSum REDUCE_MAX:ReduceMax REDUCE_MIN:ReduceMin REDUCE_PROD:ReduceProd
REDUCE_ANY:ReduceMax REDUCE_ALL:ReduceMin ARG_MAX:ArgMax ARG_MIN:ArgMin TOPK_V2:TopK
ONE_HOT:OneHot MATRIX_DIAG:Pad DILATE:Pad""")
"""Operators of which ONNX's counterpart needs the first input alone: others are sizes."""

SECOND_INPUT = {"SPLIT": "Split"}
"""Operators whose map comes second."""

SHAPES = ("SHAPE", "RANK", "BROADCAST_ARGS")
"""Operators that tell a shape: the same in every run."""

FREE = ("CALL_ONCE", "VAR_HANDLE", "ASSIGN_VARIABLE")
"""Operators that set up what later ones read."""
