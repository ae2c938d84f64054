"""Files of .tflite, written with the schema's own builder; elements are zeros."""

from math import prod

import flatbuffers
import tflite

BYTES = {"FLOAT32": 4, "FLOAT16": 2, "INT8": 1, "INT16": 2, "INT32": 4, "INT64": 8, "INT4": 0.5}
NO_PAD, SAME_PAD = tflite.Padding.VALID, tflite.Padding.SAME


def padded(size, stride, taps, padding):
    rest = size if padding == SAME_PAD else size - taps + 1
    return -(-rest // stride)


class Lite:
    """One graph, and what an independent count says of its MACs and parameters."""

    def __init__(self, kind="INT8", bias="INT32"):
        self.kind, self.bias = kind, bias
        self.tensors, self.nodes, self.inputs, self.outputs = [], [], [], []
        self.macs = self.parameters = 0

    def tensor(self, shape, kind=None, *, data=False, name=None, signature=None, variable=False):
        place = len(self.tensors)
        given = name or f"tensor{place}"
        self.tensors.append((given, tuple(shape), kind or self.kind, data, signature, variable))
        return place

    def input(self, *shape, **more):
        self.inputs.append(self.tensor(shape, **more))
        return self.inputs[-1]

    def learned(self, *shape, kind=None):
        self.parameters += prod(shape)
        return self.tensor(shape, kind, data=True)

    def sizes(self, *values):
        return self.tensor([len(values)], "INT32", data=True)

    def shape(self, place):
        return self.tensors[place][1]

    def op(self, op, inputs, *shapes, options=None, kind=None, name=None):
        made = [self.tensor(x, kind, name=name) for x in shapes]
        self.nodes.append((op, inputs, made, options))
        return made[0] if len(made) == 1 else made

    def conv(self, data, kernels, taps, stride=1, padding=SAME_PAD, groups=1, **more):
        batch, height, width, channels = self.shape(data)
        sizes = zip((height, width), (stride, stride), taps, strict=True)
        out = [padded(n, s, f, padding) for n, s, f in sizes]
        weight = self.learned(kernels, *taps, channels // groups)
        self.macs += batch * prod(out) * kernels * prod(taps) * channels // groups
        options = {"Padding": padding, "StrideH": stride, "StrideW": stride,
                   "DilationHFactor": 1, "DilationWFactor": 1}  # fmt: skip
        inputs = [data, weight, self.learned(kernels, kind=self.bias)]
        return self.op("CONV_2D", inputs, (batch, *out, kernels),
                       options=("Conv2DOptions", options), **more)  # fmt: skip

    def depthwise(self, data, taps, stride=1, padding=SAME_PAD, multiplier=1):
        batch, height, width, channels = self.shape(data)
        sizes = zip((height, width), (stride, stride), taps, strict=True)
        out = [padded(n, s, f, padding) for n, s, f in sizes]
        kernels = channels * multiplier
        self.macs += batch * prod(out) * kernels * prod(taps)
        options = {"Padding": padding, "StrideH": stride, "StrideW": stride,
                   "DepthMultiplier": multiplier, "DilationHFactor": 1,
                   "DilationWFactor": 1}  # fmt: skip
        inputs = [data, self.learned(1, *taps, kernels), self.learned(kernels, kind=self.bias)]
        return self.op("DEPTHWISE_CONV_2D", inputs, (batch, *out, kernels),
                       options=("DepthwiseConv2DOptions", options))  # fmt: skip

    def pool(self, data, taps, stride, padding=NO_PAD, op="AVERAGE_POOL_2D"):
        batch, height, width, channels = self.shape(data)
        sizes = zip((height, width), (stride, stride), taps, strict=True)
        out = [padded(n, s, f, padding) for n, s, f in sizes]
        options = {"Padding": padding, "StrideH": stride, "StrideW": stride,
                   "FilterHeight": taps[0], "FilterWidth": taps[1]}  # fmt: skip
        return self.op(op, [data], (batch, *out, channels), options=("Pool2DOptions", options))

    def dense(self, data, kernels, **more):
        rows = self.shape(data)[0]
        own = prod(self.shape(data)) // rows
        self.macs += rows * own * kernels
        inputs = [data, self.learned(kernels, own), self.learned(kernels, kind=self.bias)]
        return self.op("FULLY_CONNECTED", inputs, (rows, kernels), **more)

    def save(self, folder, *outputs, name="net.tflite"):
        path = folder / name
        path.write_bytes(self._built(list(outputs)))
        return path

    def _built(self, outputs):
        b = flatbuffers.Builder(1024)
        buffers = [_table(b, "Buffer", {})]
        tensors = []
        for name, shape, kind, data, signature, variable in self.tensors:
            number = 0
            if data:
                number = len(buffers)
                content = b.CreateByteVector(bytes(int(max(1, prod(shape) * BYTES[kind]))))
                buffers.append(_table(b, "Buffer", {"Data": content}))
            fields = {"Shape": _ints(b, "Tensor", "Shape", shape), "Name": b.CreateString(name),
                      "Type": getattr(tflite.TensorType, kind), "Buffer": number,
                      "IsVariable": variable}  # fmt: skip
            if signature:
                fields["ShapeSignature"] = _ints(b, "Tensor", "ShapeSignature", signature)
            tensors.append(_table(b, "Tensor", fields))
        kinds = list(dict.fromkeys(op for op, *_ in self.nodes))
        codes = [_code(b, kind) for kind in kinds]
        nodes = [_node(b, kinds, *node) for node in self.nodes]
        graph = _table(b, "SubGraph", {
            "Tensors": _offsets(b, "SubGraph", "Tensors", tensors),
            "Inputs": _ints(b, "SubGraph", "Inputs", self.inputs),
            "Outputs": _ints(b, "SubGraph", "Outputs", outputs),
            "Operators": _offsets(b, "SubGraph", "Operators", nodes),
        })  # fmt: skip
        model = _table(b, "Model", {
            "Version": 3,
            "OperatorCodes": _offsets(b, "Model", "OperatorCodes", codes),
            "Subgraphs": _offsets(b, "Model", "Subgraphs", [graph]),
            "Buffers": _offsets(b, "Model", "Buffers", buffers),
        })  # fmt: skip
        b.Finish(model, b"TFL3")
        return bytes(b.Output())


def _table(b, name, fields):
    getattr(tflite, f"{name}Start")(b)
    for key, value in fields.items():
        getattr(tflite, f"{name}Add{key}")(b, value)
    return getattr(tflite, f"{name}End")(b)


def _ints(b, table, key, values):
    getattr(tflite, f"{table}Start{key}Vector")(b, len(values))
    for value in reversed(values):
        b.PrependInt32(value)
    return b.EndVector()


def _offsets(b, table, key, values):
    getattr(tflite, f"{table}Start{key}Vector")(b, len(values))
    for value in reversed(values):
        b.PrependUOffsetTRelative(value)
    return b.EndVector()


def _code(b, kind):
    number = getattr(tflite.BuiltinOperator, kind, tflite.BuiltinOperator.CUSTOM)
    fields = {"BuiltinCode": number, "DeprecatedBuiltinCode": min(number, 127)}
    if number == tflite.BuiltinOperator.CUSTOM:
        fields["CustomCode"] = b.CreateString(kind)
    return _table(b, "OperatorCode", fields)


def _node(b, kinds, op, inputs, outputs, options):
    fields = {"OpcodeIndex": kinds.index(op), "Inputs": _ints(b, "Operator", "Inputs", inputs),
              "Outputs": _ints(b, "Operator", "Outputs", outputs)}  # fmt: skip
    if options:
        name, values = options
        fields["BuiltinOptions"] = _table(b, name, values)
        fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, name)
    return _table(b, "Operator", fields)
