"""The one table of operators: what each of them becomes."""

from collections.abc import Callable

from dse.importers.onnx.node import Operator
from dse.importers.onnx.operators import (
    attention,
    convolutions,
    pooling,
    products,
    recurrent,
    row_statistics,
    sequences,
    without_macs,
)

Handler = Callable[[Operator], None]


def _words(text: str) -> list[str]:
    return text.split()


UNARY = _words("""
Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Celu Ceil Clip Cos Cosh Elu Erf Exp
Floor Gelu HardSigmoid HardSwish IsInf IsNaN LeakyRelu Log Mish Neg Not Reciprocal Relu Round Selu
Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu PRelu
FastGelu QuickGelu QLinearSigmoid QLinearLeakyRelu Affine ParametricSoftplus ScaledTanh""")

SUMS = _words("""
Add Sub Sum Mean Max Min And Or Xor Equal Greater GreaterOrEqual Less LessOrEqual Where
BitShift BitwiseAnd BitwiseOr BitwiseXor Mod BiasAdd BiasGelu QLinearAdd""")

PRODUCTS = _words("Mul Div Pow QLinearMul RotaryEmbedding BiasSplitGelu")

POOLS = _words("""
MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool MaxRoiPool RoiAlign ArgMax
ArgMin QLinearAveragePool QLinearGlobalAveragePool QLinearReduceMean""")

REDUCTIONS = _words("""
ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
ReduceSumSquare""")

VIEWS = _words("Reshape Flatten Squeeze Unsqueeze Identity Dropout Optional OptionalGetElement")

ADDRESSED = _words("""
Transpose Concat Split Slice Expand DepthToSpace SpaceToDepth QLinearConcat
Trilu""")

COPIES = _words("""
Pad Tile Resize Upsample GatherElements GatherND Scatter ScatterElements ScatterND
ReverseSequence CumSum MaxUnpool GridSample Col2Im CenterCropPad TensorScatter""")

CONVERSIONS = _words("QuantizeLinear DequantizeLinear DynamicQuantizeLinear Cast CastLike BitCast")

OTHERS = _words("LRN LpNormalization MeanVarianceNormalization TopK OneHot AffineGrid Bernoulli")

LAYER_NORMS = _words("""
LayerNormalization InstanceNormalization GroupNormalization RMSNormalization
SimplifiedLayerNormalization GroupNorm""")

SOFTMAXES = _words("Softmax LogSoftmax Hardmax QLinearSoftmax")

RECURRENT = _words("LSTM GRU RNN DynamicQuantizeLSTM")

POINTWISE = (
    (UNARY, without_macs.pointwise("activation")),
    (SUMS, without_macs.pointwise("add")),
    (PRODUCTS, without_macs.pointwise("multiply")),
)

HANDLERS: dict[str, Handler] = {
    **{op: handle for ops, handle in POINTWISE for op in ops},
    **dict.fromkeys(POOLS, pooling.pooling),
    **dict.fromkeys(REDUCTIONS, row_statistics.reduced),
    **dict.fromkeys(SOFTMAXES, without_macs.layer("softmax")),
    **dict.fromkeys(LAYER_NORMS, without_macs.layer("layer_norm", learned=(1, 2))),
    **dict.fromkeys(OTHERS, without_macs.layer("other")),
    **dict.fromkeys(VIEWS, without_macs.view),
    **dict.fromkeys(ADDRESSED, without_macs.addressed),
    **dict.fromkeys(COPIES, without_macs.copied),
    **dict.fromkeys(CONVERSIONS, without_macs.converted),
    "SkipLayerNormalization": without_macs.skip_norm,
    "SkipSimplifiedLayerNormalization": without_macs.skip_norm,
    "EmbedLayerNormalization": without_macs.embedded,
    "BatchNormalization": without_macs.batch_norm,
    "Gather": without_macs.gathered,
    "Conv": convolutions.convolution,
    "ConvInteger": convolutions.convolution,
    "FusedConv": convolutions.fused_convolution,
    "QLinearConv": convolutions.quantised_convolution,
    "ConvTranspose": convolutions.transposed_convolution,
    "MatMul": products.matmul,
    "MatMulInteger": products.matmul,
    "QLinearMatMul": products.quantised_matmul,
    "QGemm": products.quantised_matmul,
    "FusedMatMul": products.fused_matmul,
    "DynamicQuantizeMatMul": products.fused_matmul,
    "MatMulIntegerToFloat": products.fused_matmul,
    "MatMulNBits": products.block_quantised_matmul,
    "Gemm": products.gemm,
    "FusedGemm": products.gemm,
    "Einsum": products.einsum,
    **dict.fromkeys(RECURRENT, recurrent.recurrent),
    **sequences.HANDLERS,
    "GroupQueryAttention": attention.grouped_attention,
    "MultiHeadAttention": attention.multi_head_attention,
    "QAttention": attention.projected_attention,
}
"""Operator to handler, for ONNX's own domain and the contrib forms of com.microsoft."""

CONTRIB: dict[str, Handler] = {"Attention": attention.projected_attention}
"""Operators of com.microsoft that share a name with a different one of ONNX's own."""

STANDARD: dict[str, Handler] = {"Attention": attention.attention}
"""Operators of ONNX's own domain that share a name with one of com.microsoft."""

DOMAINS = ("", "ai.onnx", "com.microsoft")

PARAMETER_PLACES = frozenset(
    _words(
        "Conv ConvTranspose ConvInteger LSTM GRU RNN BatchNormalization LayerNormalization "
        "InstanceNormalization GroupNormalization PRelu"
    )
)
"""Operators whose inputs after the first are parameters, even where the file has no values."""


def handler(domain: str, op: str) -> Handler | None:
    """Return what translates an operator, None if nothing does."""
    if domain not in DOMAINS:
        return None
    own = CONTRIB if domain == "com.microsoft" else STANDARD
    return own.get(op) or HANDLERS.get(op)


def is_view(known: Handler) -> bool:
    """Whether an operator that added no layer is only another way to address its input."""
    return known in (
        without_macs.view,
        without_macs.addressed,
        without_macs.gathered,
        products.einsum,
        *sequences.HANDLERS.values(),
    )


def knows_rows(known: Handler) -> bool:
    """Whether an operator takes statistics of rows as they are, not written by a layer."""
    return known is row_statistics.reduced or any(known is handle for _, handle in POINTWISE)
