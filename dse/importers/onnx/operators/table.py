"""The one table of operators: what each of them becomes."""

from collections.abc import Callable

from dse.importers.onnx.node import Operator
from dse.importers.onnx.operators import (
    attention,
    classical,
    convolutions,
    pooling,
    products,
    recurrent,
    row_statistics,
    sequences,
    signals,
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
BitShift BitwiseAnd BitwiseOr BitwiseXor Mod BiasAdd BiasGelu BiasDropout QLinearAdd
QLinearWhere""")

PRODUCTS = _words("Mul Div Pow QLinearMul RotaryEmbedding BiasSplitGelu SwiGLU")

POOLS = _words("""
MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool MaxRoiPool RoiAlign ArgMax
ArgMin NhwcMaxPool ReduceSumInteger QLinearAveragePool QLinearGlobalAveragePool
QLinearReduceMean""")

REDUCTIONS = _words("""
ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
ReduceSumSquare""")

VIEWS = _words("Reshape Flatten Squeeze Unsqueeze Identity Dropout Optional OptionalGetElement")

ADDRESSED = _words("""
Transpose Concat Split Slice Expand DepthToSpace SpaceToDepth QLinearConcat
Trilu""")

COPIES = _words("""
Pad Tile Resize Upsample GatherElements GatherND Scatter ScatterElements ScatterND
ReverseSequence CumSum CumProd Compress Unique MaxUnpool GridSample Col2Im
CenterCropPad TensorScatter""")

CONVERSIONS = _words("QuantizeLinear DequantizeLinear DynamicQuantizeLinear Cast CastLike BitCast")

OTHERS = _words("""
LRN LpNormalization MeanVarianceNormalization TopK OneHot AffineGrid Bernoulli BlackmanWindow
ConstantOfShape Det EyeLike HammingWindow HannWindow MelWeightMatrix Multinomial
NegativeLogLikelihoodLoss NonMaxSuppression NonZero RandomNormal RandomNormalLike RandomUniform
RandomUniformLike Range SoftmaxCrossEntropyLoss""")

CLASSICAL = _words("""
ArrayFeatureExtractor Binarizer CastMap CategoryMapper DictVectorizer FeatureVectorizer Imputer
LabelEncoder Normalizer OneHotEncoder Scaler ZipMap""")
"""Operators of ai.onnx.ml that read and write once."""

NEVER_RUN = frozenset(
    _words("ImageDecoder RegexFullMatch StringConcat StringNormalizer StringSplit TfIdfVectorizer")
)
"""Operators of ONNX's own domain without a handler: text and image files, which no array runs."""

LAYER_NORMS = _words("""
LayerNormalization InstanceNormalization GroupNormalization RMSNormalization
SimplifiedLayerNormalization GroupNorm SkipGroupNorm""")

SOFTMAXES = _words("Softmax LogSoftmax Hardmax QLinearSoftmax BiasSoftmax")

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
    "GatherBlockQuantized": without_macs.gathered,
    "QEmbedLayerNormalization": without_macs.embedded,
    "Conv": convolutions.convolution,
    "ConvInteger": convolutions.convolution,
    "FusedConv": convolutions.fused_convolution,
    "NhwcFusedConv": convolutions.fused_convolution,
    "DeformConv": convolutions.deformable_convolution,
    "CausalConvWithState": convolutions.causal_convolution,
    "DFT": signals.transform,
    "STFT": signals.short_time_transform,
    "QLinearConv": convolutions.quantised_convolution,
    "ConvTranspose": convolutions.transposed_convolution,
    "MatMul": products.matmul,
    "MatMulInteger": products.matmul,
    "QLinearMatMul": products.quantised_matmul,
    "QGemm": products.quantised_matmul,
    "FusedMatMul": products.fused_matmul,
    "DynamicQuantizeMatMul": products.fused_matmul,
    "MatMulIntegerToFloat": products.fused_matmul,
    "FusedMatMulActivation": products.fused_matmul,
    "TransposeMatMul": products.fused_matmul,
    "GemmFastGelu": products.fused_matmul,
    "MatMulBnb4": products.block_quantised_matmul,
    **dict.fromkeys(("MoE", "QMoE"), products.experts),
    "MatMulNBits": products.block_quantised_matmul,
    "Gemm": products.gemm,
    "FusedGemm": products.gemm,
    "Einsum": products.einsum,
    **dict.fromkeys(RECURRENT, recurrent.recurrent),
    **sequences.HANDLERS,
    "GroupQueryAttention": attention.grouped_attention,
    "LinearAttention": attention.linear_attention,
    "FlexAttention": attention.attention,
    "MultiHeadAttention": attention.multi_head_attention,
    "QAttention": attention.projected_attention,
}
"""Operator to handler, for ONNX's own domain and the contrib forms of com.microsoft."""

CONTRIB: dict[str, Handler] = {"Attention": attention.projected_attention}
"""Operators of com.microsoft that share a name with a different one of ONNX's own."""

STANDARD: dict[str, Handler] = {"Attention": attention.attention}
"""Operators of ONNX's own domain that share a name with one of com.microsoft."""

ML: dict[str, Handler] = {
    **dict.fromkeys(CLASSICAL, without_macs.layer("other")),
    **dict.fromkeys(("LinearClassifier", "LinearRegressor"), classical.linear),
    **dict.fromkeys(("SVMClassifier", "SVMRegressor"), classical.support_vectors),
    **dict.fromkeys(
        ("TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"), classical.trees
    ),
}
"""Operators of ai.onnx.ml."""

BLOCKED: dict[str, Handler] = {
    "Conv": convolutions.blocked_convolution,
    **dict.fromkeys(("ReorderInput", "ReorderOutput"), without_macs.addressed),
    **dict.fromkeys(
        ("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"), pooling.pooling
    ),
    "Upsample": without_macs.copied,
}
"""Operators of onnxruntime's optimiser for maps in blocks of channels."""

OTHER_DOMAINS = {"ai.onnx.ml": ML, "com.microsoft.nchwc": BLOCKED}

DOMAINS = ("", "ai.onnx", "ai.onnx.preview", "com.microsoft")

PARAMETER_PLACES = frozenset(
    _words(
        "Conv ConvTranspose ConvInteger LSTM GRU RNN BatchNormalization LayerNormalization "
        "InstanceNormalization GroupNormalization PRelu"
    )
)
"""Operators whose inputs after the first are parameters, even where the file has no values."""


def handler(domain: str, op: str) -> Handler | None:
    """Return what translates an operator, None if nothing does."""
    if domain in OTHER_DOMAINS:
        return OTHER_DOMAINS[domain].get(op)
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
