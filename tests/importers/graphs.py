"""Small ONNX files, made with onnx's own helper; weights have a shape and no numbers."""

from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

TYPES = {"float": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "half": 10, "int4": 22}


class Graph:
    """A graph in the making; every method returns the name of the tensor that it adds."""

    def __init__(self, opset: int = 17) -> None:
        self.opset, self.nodes, self.inputs, self.weights = opset, [], [], []
        self.functions, self.domains = [], {}

    def input(self, name, shape, kind="float"):
        self.inputs.append(helper.make_tensor_value_info(name, TYPES[kind], shape))
        return name

    def weight(self, name, shape, kind="float"):
        """Add a weight whose numbers lie in a file that is not there."""
        tensor = TensorProto(name=name, data_type=TYPES[kind], dims=shape, data_location=1)
        tensor.external_data.add(key="location", value="weights.bin")
        self.weights.append(tensor)
        return name

    def number(self, name, values, dtype=np.int64):
        self.weights.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def node(self, op, inputs, *, outputs=None, domain="", name=None, **attributes):
        name = name or f"{op.lower()}{len(self.nodes)}"
        outputs = outputs or [f"{name}_out"]
        node = helper.make_node(op, inputs, outputs, name=name, domain=domain, **attributes)
        self.nodes.append(node)
        if domain:
            self.domains[domain] = 1
        return outputs[0]

    def model(self, *outputs) -> ModelProto:
        infos = [helper.make_tensor_value_info(x, 1, None) for x in outputs]
        for info in infos:
            info.type.tensor_type.ClearField("shape")
        graph = helper.make_graph(self.nodes, "graph", self.inputs, infos, self.weights)
        opsets = [helper.make_opsetid("", self.opset)]
        opsets += [helper.make_opsetid(x, y) for x, y in self.domains.items()]
        return helper.make_model(graph, opset_imports=opsets, functions=self.functions)

    def save(self, folder: Path, *outputs, name: str = "net.onnx") -> Path:
        path = folder / name
        path.write_bytes(self.model(*outputs).SerializeToString())
        return path

    def conv(self, data, name, out, into, taps, *, stride=1, pad=0, groups=1, bias=True):
        taps = [taps, taps] if isinstance(taps, int) else list(taps)
        inputs = [data, self.weight(f"{name}_w", [out, into // groups, *taps])]
        inputs += [self.weight(f"{name}_b", [out])] if bias else []
        return self.node(
            "Conv",
            inputs,
            name=name,
            kernel_shape=taps,
            strides=[stride] * len(taps),
            pads=[pad] * 2 * len(taps),
            group=groups,
        )

    def norm(self, data, channels):
        """Add a batch norm and its ReLU."""
        place = len(self.nodes)
        parts = [self.weight(f"bn{place}_{x}", [channels]) for x in ("scale", "b", "mean", "var")]
        return self.node("BatchNormalization", [data, *parts])

    def dense(self, data, name, out, into):
        weight, bias = self.weight(f"{name}_w", [out, into]), self.weight(f"{name}_b", [out])
        return self.node("Gemm", [data, weight, bias], name=name, transB=1)

    def pool(self, data, name, taps, stride, *, pad=0, **attributes):
        return self.node(
            "MaxPool",
            [data],
            name=name,
            kernel_shape=[taps] * 2,
            strides=[stride] * 2,
            pads=[pad] * 4,
            **attributes,
        )


def resnet18() -> tuple[Graph, str]:
    """He et al. 2015, table 1, 18 layers; downsampling by a 1x1 convolution of stride 2."""
    net = Graph()
    x = net.input("image", ["batch", 3, 224, 224])
    x = net.node(
        "Relu", [net.norm(net.conv(x, "conv1", 64, 3, 7, stride=2, pad=3, bias=False), 64)]
    )
    x, width = net.pool(x, "pool1", 3, 2, pad=1), 64
    for stage in range(1, 5):
        for block in range(2):
            out, stride = 64 * 2 ** (stage - 1), 2 if stage > 1 and block == 0 else 1
            at = f"layer{stage}.{block}"
            y = net.conv(x, f"{at}.conv1", out, width, 3, stride=stride, pad=1, bias=False)
            y = net.node("Relu", [net.norm(y, out)])
            y = net.norm(net.conv(y, f"{at}.conv2", out, out, 3, pad=1, bias=False), out)
            if stride == 2:
                x = net.conv(x, f"{at}.downsample", out, width, 1, stride=2, bias=False)
                x = net.norm(x, out)
            x = net.node("Relu", [net.node("Add", [y, x], name=f"{at}.add")])
            width = out
    x = net.node("Flatten", [net.node("GlobalAveragePool", [x], name="avgpool")])
    return net, net.dense(x, "fc", 1000, 512)


def alexnet() -> tuple[Graph, str]:
    """Krizhevsky et al. 2012, section 3.5: two towers, overlapping pools, two normalisations."""
    net = Graph()
    x = net.input("image", ["batch", 3, 227, 227])
    sizes = [(96, 3, 11, 4, 0, 1), (256, 96, 5, 1, 2, 2), (384, 256, 3, 1, 1, 1)]
    sizes += [(384, 384, 3, 1, 1, 2), (256, 384, 3, 1, 1, 2)]
    for number, (out, into, taps, stride, pad, groups) in enumerate(sizes, start=1):
        x = net.conv(x, f"conv{number}", out, into, taps, stride=stride, pad=pad, groups=groups)
        x = net.node("Relu", [x])
        if number < 3:
            x = net.node("LRN", [x], name=f"norm{number}", size=5)
        if number in (1, 2, 5):
            x = net.pool(x, f"pool{number}", 3, 2)
    x = net.node("Flatten", [x])
    for name, out, into in (("fc6", 4096, 9216), ("fc7", 4096, 4096), ("fc8", 1000, 4096)):
        x = net.dense(x, name, out, into)
        x = net.node("Relu", [x]) if name != "fc8" else x
    return net, x


def mobilenet_v1() -> tuple[Graph, str]:
    """Howard et al. 2017, table 1: a depthwise and a pointwise convolution, thirteen times."""
    net = Graph()
    x = net.input("image", ["batch", 3, 224, 224])
    x, into = net.norm(net.conv(x, "conv1", 32, 3, 3, stride=2, pad=1, bias=False), 32), 32
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]
    widths = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]
    for number, (out, stride) in enumerate(zip(widths, strides, strict=True), start=2):
        x = net.node("Relu", [x])
        name = f"conv{number}_dw"
        x = net.conv(x, name, into, into, 3, stride=stride, pad=1, groups=into, bias=False)
        x = net.node("Relu", [net.norm(x, into)])
        x = net.norm(net.conv(x, f"conv{number}_pw", out, into, 1, bias=False), out)
        into = out
    x = net.node("GlobalAveragePool", [net.node("Relu", [x])], name="avgpool")
    return net, net.dense(net.node("Flatten", [x]), "fc", 1000, 1024)


def bert_base() -> tuple[Graph, str]:
    """Devlin et al. 2018: 12 layers of 768, 12 heads; heads by Reshape and Transpose."""
    net = Graph()
    ids = net.input("input_ids", ["batch", "seq_len"], "int64")
    segments = net.input("segments", ["batch", "seq_len"], "int64")
    places = net.input("positions", ["batch", "seq_len"], "int64")
    tables = [net.weight(n, [r, 768]) for n, r in (("t", 30522), ("p", 512), ("s", 2))]
    tables += [net.weight("e_g", [768]), net.weight("e_b", [768])]
    words, segment, position = tables[0], tables[2], tables[1]
    inputs = [ids, segments, words, position, segment, *tables[3:], "", places]
    x = net.node("EmbedLayerNormalization", inputs, name="embedding", domain="com.microsoft")
    split, join = net.number("split", [0, 0, 12, 64]), net.number("join", [0, 0, 768])
    root = net.number("root", 8.0, np.float32)
    for layer in range(12):
        x = _bert_layer(net, x, f"l{layer}", split, join, root)
    return net, x


def _linear(net, data, name, out, into):
    product = net.node("MatMul", [data, net.weight(f"{name}_w", [into, out])], name=name)
    return net.node("Add", [product, net.weight(f"{name}_b", [out])])


def _layer_norm(net, data, name):
    parts = [net.weight(f"{name}_{x}", [768]) for x in ("g", "b")]
    return net.node("LayerNormalization", [data, *parts], name=name)


def _bert_layer(net, x, at, split, join, root):
    heads = {}
    for name in ("query", "key", "value"):
        y = net.node("Reshape", [_linear(net, x, f"{at}.{name}", 768, 768), split])
        order = [0, 2, 3, 1] if name == "key" else [0, 2, 1, 3]
        heads[name] = net.node("Transpose", [y], perm=order)
    y = net.node("MatMul", [heads["query"], heads["key"]], name=f"{at}.scores")
    y = net.node("Softmax", [net.node("Div", [y, root])], name=f"{at}.softmax")
    y = net.node("MatMul", [y, heads["value"]], name=f"{at}.attention")
    y = net.node("Reshape", [net.node("Transpose", [y], perm=[0, 2, 1, 3]), join])
    y = _linear(net, y, f"{at}.projection", 768, 768)
    x = _layer_norm(
        net, net.node("Add", [y, x], name=f"{at}.attention_add"), f"{at}.attention_norm"
    )
    y = net.node("Gelu", [_linear(net, x, f"{at}.intermediate", 3072, 768)], domain="com.microsoft")
    y = _linear(net, y, f"{at}.output", 768, 3072)
    return _layer_norm(net, net.node("Add", [y, x], name=f"{at}.output_add"), f"{at}.output_norm")
