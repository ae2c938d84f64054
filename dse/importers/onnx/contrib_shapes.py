"""Output types and shapes of operators for which onnx has no inference, or a wrong one."""

from collections.abc import Callable, Sequence
from typing import Any

from dse.importers.drafts import Tensor
from dse.importers.onnx.node import batched
from dse.importers.onnx.types import FLOATS

Shape = tuple[int, ...]
Attributes = dict[str, Any]

SAME = frozenset(
    {
        "FastGelu",
        "QuickGelu",
        "BiasGelu",
        "BiasAdd",
        "Gelu",
        "SkipLayerNormalization",
        "RotaryEmbedding",
        "SkipSimplifiedLayerNormalization",
        "SimplifiedLayerNormalization",
        "QLinearSigmoid",
        "QLinearSoftmax",
        "QLinearLeakyRelu",
        "LayerNormalization",
        "RMSNormalization",
        "QuantizeLinear",
        "DequantizeLinear",
        "MultiHeadAttention",
        "GroupNormalization",
        "MeanVarianceNormalization",
        "GroupNorm",
        "SkipGroupNorm",
        "BiasSoftmax",
        "BiasDropout",
        "MoE",
        "QMoE",
        "Scaler",
        "Normalizer",
        "Imputer",
        "Binarizer",
        "LabelEncoder",
    }
)
"""Operators whose first output has the shape of the first input."""

TRUTHS = frozenset({"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"})
BYTES, BOOL = (2, 3), 9  # ONNX's numbers of uint8 and int8, and of a truth value


def output_type(op: str, inputs: Sequence[Tensor | None]) -> int:
    """Return ONNX's number of the element type of an operator's outputs.

    A quantised operator writes what it reads; its scales are floating-point numbers. Any other
    operator writes the first floating-point type that it reads.
    """
    kinds = [x.element_type for x in inputs if x is not None]
    if op in TRUTHS:
        return BOOL
    if op == "QuantizeLinear":
        return kinds[2] if len(kinds) > 2 else BYTES[0]
    if op.startswith("QLinear") or (op == "QGemm" and len(inputs) > 8):
        return next((x for x in kinds if x in BYTES), BYTES[0])
    if op == "DynamicQuantizeLSTM":
        return 1
    return next((x for x in kinds if x in FLOATS), next(iter(kinds), 1))


def fill_shapes(op: str, inputs: Sequence[Tensor | None], outputs: Sequence[Tensor | None],
                attributes: Attributes) -> None:  # fmt: skip
    """Give outputs the shapes that own rules know; onnx's are kept, but for those it has wrong.

    Parameters
    ----------
    op
        With its domain and a point for the blocked forms of `BLOCKED`.
    """
    if op == "DynamicQuantizeLSTM":
        return _recurrent_shapes(inputs, outputs, attributes)
    first = outputs[0] if outputs else None
    is_wrong = op == "ConvTranspose" and str(attributes.get("auto_pad", "")).startswith("SAME")
    if first is not None and (first.shape is None or is_wrong):
        own = contrib_shape(op, inputs, attributes)
        first.shape = first.shape if own is None else own
    return None


def _recurrent_shapes(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor | None],
                      attributes: Attributes) -> None:  # fmt: skip
    data, recurrent = inputs[0], inputs[2] if len(inputs) > 2 else None
    if data is None or recurrent is None or data.shape is None or recurrent.shape is None:
        return
    if len(data.shape) != 3 or len(recurrent.shape) != 3:
        return
    (steps, batch, _), (directions, hidden, _) = data.shape, recurrent.shape
    last = (directions, batch, hidden)
    for tensor, shape in zip(
        outputs, ((steps, directions, batch, hidden), last, last), strict=False
    ):
        if tensor is not None:
            tensor.shape = shape


def contrib_shape(op: str, inputs: Sequence[Tensor | None], attributes: Attributes) -> Shape | None:
    """Return the shape of the first output, None if it is not known."""
    shapes = [None if x is None else x.shape for x in inputs]
    if not shapes or shapes[0] is None:
        return None
    if op in SAME:
        return shapes[0]
    rule = RULES.get(op)
    try:
        return rule(shapes, attributes) if rule else None
    except (IndexError, KeyError, TypeError, ValueError, ZeroDivisionError):
        return None  # shapes that do not fit the operator: its handler says so


def _product(left: Shape, right: Shape, attributes: Attributes) -> Shape:
    left = batched(left, is_moved=bool(attributes.get("transBatchA")))
    right = batched(right, is_moved=bool(attributes.get("transBatchB")))
    rows = left[-1] if attributes.get("transA") else left[-2]
    columns = right[-2] if attributes.get("transB") else right[-1]
    leading = left[:-2] if len(left) >= len(right) else right[:-2]
    return (*leading, rows, columns)


def _broadcast(left: Shape, right: Shape) -> Shape:
    length = max(len(left), len(right))
    pairs = zip(
        (1,) * (length - len(left)) + left, (1,) * (length - len(right)) + right, strict=True
    )
    return tuple(y if x == 1 else x for x, y in pairs)


def _attention(shapes: Sequence[Any], attributes: Attributes) -> Shape:
    sizes = attributes.get("qkv_hidden_sizes")
    return (*shapes[0][:2], int(sizes[2]) if sizes else shapes[1][1] // 3)


def _grouped(shapes: Sequence[Any], attributes: Attributes) -> Shape:
    batch, tokens, width = shapes[0]
    if shapes[1] is None:
        heads = attributes["num_heads"]
        width = heads * (width // (heads + 2 * attributes["kv_num_heads"]))
    return (batch, tokens, width)


def _joined(shapes: Sequence[Any], attributes: Attributes) -> Shape:
    parts = shapes[2::3]
    axis = attributes["axis"] % len(parts[0])
    return (*parts[0][:axis], sum(x[axis] for x in parts), *parts[0][axis + 1 :])


def _pooled(shapes: Sequence[Any], attributes: Attributes) -> Shape:
    first: Shape = shapes[0]
    if attributes.get("channels_last"):
        return (first[0], *(1 for _ in first[2:]), first[-1])
    return (*first[:2], *(1 for _ in first[2:]))


def _convolved(shapes: Sequence[Any], attributes: Attributes) -> Shape:
    (batch, _, *size), (kernels, _, *taps) = shapes[:2]
    ones = [1] * len(size)
    strides, dilations = attributes.get("strides", ones), attributes.get("dilations", ones)
    mode, pads = attributes.get("auto_pad", "NOTSET"), attributes.get("pads", [0, 0] * len(size))
    if mode.startswith("SAME"):
        return (batch, kernels, *(-(-n // s) for n, s in zip(size, strides, strict=True)))
    spans = [(f - 1) * d + 1 for f, d in zip(taps, dilations, strict=True)]
    padded = [n + x + y for n, x, y in zip(size, pads[: len(size)], pads[len(size) :], strict=True)]
    extra = [s - 1 if attributes.get("ceil_mode") else 0 for s in strides]
    out = [(n - f + e) // s + 1 for n, f, s, e in zip(padded, spans, strides, extra, strict=True)]
    return (batch, kernels, *out)


def _blocked_pool(shapes: Sequence[Any], attributes: Attributes) -> Shape:
    first: Shape = shapes[0]
    taps = attributes["kernel_shape"]
    channels = first[1]
    (batch, _, *size) = _convolved([first, (channels, channels, *taps)], attributes)
    return (batch, channels, *size)


def _averaged(shapes: Sequence[Any], attributes: Attributes) -> Shape:
    if attributes.get("channels_last"):
        return _channels_last(_blocked_pool, shapes, attributes)
    return _blocked_pool(shapes, attributes)


def _reduced(shapes: Sequence[Any], attributes: Attributes) -> Shape:
    first: Shape = shapes[0]
    axes = {int(x) % len(first) for x in attributes.get("axes", range(len(first)))}
    if attributes.get("keepdims", 1):
        return tuple(1 if place in axes else n for place, n in enumerate(first))
    return tuple(n for place, n in enumerate(first) if place not in axes)


def _squeezed(shapes: Sequence[Any], attributes: Attributes) -> Shape | None:
    """Return the output of a Squeeze that names no axes."""
    is_named = len(shapes) > 1 or "axes" in attributes
    return None if is_named else tuple(n for n in shapes[0] if n != 1)


def _channels_last(rule: Callable[[Sequence[Any], Attributes], Shape], shapes: Sequence[Any],
                   attributes: Attributes) -> Shape:  # fmt: skip
    """Apply a rule for channels in second place to a map that has them last."""
    data = shapes[0]
    first = (data[0], data[-1], *data[1:-1])
    batch, channels, *size = rule([first, *shapes[1:]], attributes)
    return (batch, *size, channels)


def _quantised_convolution(shapes: Sequence[Any], attributes: Attributes) -> Shape:
    """Return the output of QLinearConv of com.microsoft, which may have channels last."""
    both = [shapes[0], shapes[3]]
    if attributes.get("channels_last"):
        return _channels_last(_convolved, both, attributes)
    return _convolved(both, attributes)


def _widened(shapes: Sequence[Any], attributes: Attributes) -> Shape | None:
    """Return the output of a transposed convolution padded to be the input times the stride."""
    (batch, _, *size), (_, kernels, *_) = shapes[:2]
    if attributes.get("output_shape"):
        return None
    strides = attributes.get("strides", [1] * len(size))
    wide = [n * int(s) for n, s in zip(size, strides, strict=True)]
    return (batch, kernels * int(attributes.get("group", 1)), *wide)


def _reordered(shapes: Sequence[Any], attributes: Attributes) -> Shape:
    """Return a map of blocks of channels as a plain one."""
    batch, channels, *size = shapes[0]
    channels = int(attributes.get("channels", 0)) or channels
    return (batch, *size, channels) if attributes.get("channels_last") else (batch, channels, *size)


def _unordered(shapes: Sequence[Any], attributes: Attributes) -> Shape:
    first: Shape = shapes[0]
    return (first[0], first[-1], *first[1:-1]) if attributes.get("channels_last") else first


BLOCKED = "com.microsoft.nchwc"
"""The domain in which onnxruntime's optimiser writes maps in blocks of channels."""

BLOCKED_RULES: dict[str, Callable[[Sequence[Any], Attributes], Shape | None]] = {
    f"{BLOCKED}.Conv": lambda s, a: _convolved(s, a),
    f"{BLOCKED}.MaxPool": _blocked_pool,
    f"{BLOCKED}.AveragePool": _blocked_pool,
    f"{BLOCKED}.GlobalAveragePool": lambda s, a: _pooled(s, a),
    f"{BLOCKED}.GlobalMaxPool": lambda s, a: _pooled(s, a),
    f"{BLOCKED}.ReorderInput": _unordered,
    f"{BLOCKED}.ReorderOutput": _reordered,
    f"{BLOCKED}.Upsample": lambda s, a: tuple(
        int(n * x) for n, x in zip(s[0], a["scales"], strict=True)
    ),
}

RULES: dict[str, Callable[[Sequence[Any], Attributes], Shape | None]] = {
    **BLOCKED_RULES,
    **dict.fromkeys(TRUTHS, lambda s, _: _broadcast(s[0], s[1])),
    "FusedConv": _convolved,
    "DeformConv": _convolved,
    "ConvTranspose": _widened,
    "QLinearWhere": lambda s, _: _broadcast(_broadcast(s[0], s[1]), s[4]),
    "NhwcFusedConv": lambda s, a: _channels_last(_convolved, s, a),
    "QLinearConv": lambda s, a: _quantised_convolution(s, a),
    "FlexAttention": lambda s, _: (*s[0][:-1], s[2][-1]),
    "LinearAttention": lambda s, a: (*s[0][:-1], s[2][-1] * a["q_num_heads"] // a["kv_num_heads"]),
    "MatMulBnb4": lambda s, a: (*s[0][:-1], int(a["N"])),
    **dict.fromkeys(
        ("FusedMatMulActivation", "TransposeMatMul", "GemmFastGelu"),
        lambda s, a: _product(s[0], s[1], a),
    ),
    "FusedMatMul": lambda s, a: _product(s[0], s[1], a),
    "DynamicQuantizeMatMul": lambda s, a: _product(s[0], s[1], a),
    "MatMulIntegerToFloat": lambda s, a: _product(s[0], s[1], a),
    "FusedGemm": lambda s, a: _product(s[0], s[1], a),
    "QGemm": lambda s, a: _product(s[0], s[3], a),
    "MatMulNBits": lambda s, a: (*s[0][:-1], int(a["N"])),
    "QLinearAdd": lambda s, _: _broadcast(s[0], s[3]),
    "QLinearMul": lambda s, _: _broadcast(s[0], s[3]),
    "QLinearConcat": _joined,
    "QLinearGlobalAveragePool": _pooled,
    "QLinearAveragePool": _averaged,
    "Squeeze": _squeezed,
    "NhwcMaxPool": lambda s, a: _channels_last(_blocked_pool, s, a),
    "QLinearReduceMean": _reduced,
    "ReduceSumInteger": _reduced,
    "Attention": _attention,
    "QAttention": _attention,
    "GroupQueryAttention": _grouped,
    "EmbedLayerNormalization": lambda s, _: (*s[0], s[2][-1]),
}
