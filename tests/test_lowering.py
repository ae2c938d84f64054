"""Lowered layers compute what the originals do: both are run literally on small arrays."""

from itertools import product

import numpy as np
import pytest

from dse.errors import DseError
from dse.workload import Layer, Workload
from dse.workload.lowering import lower_recurrent, lower_transposed, transposed_phases

AXES = ("y", "x")


def random_fields(rng):
    """Draw a small transposed convolution, output padding and unreached phases included."""
    fields = {"name": "up", "b": int(rng.integers(1, 3)), "g": int(rng.integers(1, 3))}
    fields |= {"k": int(rng.integers(1, 3)), "c": int(rng.integers(1, 3))}
    for axis in AXES:
        taps, size = int(rng.integers(1, 5)), int(rng.integers(1, 5))
        stride, dilation = int(rng.integers(1, 6)), int(rng.integers(1, 4))
        full = (size - 1) * stride + (taps - 1) * dilation + 1
        pad = int(rng.integers(0, min(3, full)))
        out = int(rng.integers(1, full - pad + stride + 1))
        fields |= {f"i{axis}": size, f"f{axis}": taps, f"stride_{axis}": stride}
        fields |= {f"pad_{axis}": pad, f"dilation_{axis}": dilation, f"o{axis}": out}
    return fields


def scatter(fields, inputs, weights):
    """Add each input times each weight to the output it belongs to, as the definition says."""
    f = fields
    outputs = np.zeros((f["b"], f["g"], f["k"], f["oy"], f["ox"]), dtype=np.int64)
    for iy, ix, fy, fx in product(*(range(f[n]) for n in ("iy", "ix", "fy", "fx"))):
        oy = iy * f["stride_y"] + fy * f["dilation_y"] - f["pad_y"]
        ox = ix * f["stride_x"] + fx * f["dilation_x"] - f["pad_x"]
        if 0 <= oy < f["oy"] and 0 <= ox < f["ox"]:
            outputs[..., oy, ox] += np.einsum(
                "bgc,gkc->bgk", inputs[..., iy, ix], weights[..., fy, fx]
            )
    return outputs


def run(layer, inputs, weights):
    """Run the loop nest of dse/docs/model.md#layers on arrays of exactly the layer's shape."""
    assert inputs.shape == (layer.b, layer.g, layer.c, layer.iy, layer.ix)
    assert weights.shape == (layer.g, layer.k, layer.c, layer.fy, layer.fx)
    outputs = np.zeros((layer.b, layer.g, layer.k, layer.oy, layer.ox), dtype=np.int64)
    for oy, ox, fy, fx in product(*(range(getattr(layer, n)) for n in ("oy", "ox", "fy", "fx"))):
        iy = oy * layer.stride_y + fy * layer.dilation_y - layer.pad_y
        ix = ox * layer.stride_x + fx * layer.dilation_x - layer.pad_x
        if 0 <= iy < layer.iy and 0 <= ix < layer.ix:
            outputs[..., oy, ox] += np.einsum(
                "bgc,gkc->bgk", inputs[..., iy, ix], weights[..., fy, fx]
            )
    return outputs


@pytest.mark.parametrize("seed", range(300))
def test_transposed_convolution_equals_its_definition(seed):
    rng = np.random.default_rng(seed)
    fields = random_fields(rng)
    f = fields
    inputs = rng.integers(-9, 10, (f["b"], f["g"], f["c"], f["iy"], f["ix"]))
    weights = rng.integers(-9, 10, (f["g"], f["k"], f["c"], f["fy"], f["fx"]))
    outputs = np.full((f["b"], f["g"], f["k"], f["oy"], f["ox"]), 10**9)  # none stays
    layers = lower_transposed(fields)
    pairs = list(product(transposed_phases(fields, "y"), transposed_phases(fields, "x")))
    for layer, (y, x) in zip(layers, pairs, strict=True):
        part = np.zeros((f["b"], f["g"], f["k"], len(y.outputs), len(x.outputs)), dtype=np.int64)
        if layer.has_macs:
            read = inputs[..., list(y.inputs), :][..., list(x.inputs)]
            part = run(layer, read, weights[..., list(y.taps), :][..., list(x.taps)])
        else:
            assert layer.output_elements == part.size
        outputs[..., y.outputs.start :: f["stride_y"], x.outputs.start :: f["stride_x"]] = part
    np.testing.assert_array_equal(outputs, scatter(fields, inputs, weights))


@pytest.mark.parametrize("seed", range(300))
def test_lowering_keeps_parameters_and_adds_no_macs(seed):
    fields = random_fields(np.random.default_rng(seed)) | {"extra_parameters": 7}
    f = fields
    layers = lower_transposed(fields)
    weights = f["g"] * f["k"] * f["c"] * f["fy"] * f["fx"]
    assert Workload(name="up", layers=layers).weight_elements == weights + 7
    inserted = f["b"] * weights * f["oy"] * f["ox"]  # with a zero between inputs multiplied too
    assert sum(layer.macs for layer in layers) <= inserted
    for axis in AXES:  # no row is dropped at either end that is read, and none kept that is not
        for phase in transposed_phases(fields, axis):
            read = {
                (o + f[f"pad_{axis}"] - t * f[f"dilation_{axis}"]) // f[f"stride_{axis}"]
                for o in phase.outputs
                for t in phase.taps
            } & set(range(f[f"i{axis}"]))
            assert (
                (min(read), max(read) + 1) == (phase.inputs.start, phase.inputs.stop)
                if read
                else not phase.inputs
            )


def test_usual_upsampling_has_a_quarter_of_the_macs_with_zeros():
    shape = {"k": 3, "c": 8, "oy": 64, "ox": 64, "fy": 4, "fx": 4, "pad_y": 1, "pad_x": 1}
    layers = lower_transposed({"name": "up", **shape, "stride_y": 2, "stride_x": 2})
    assert [layer.name for layer in layers] == ["up.y0x0", "up.y0x1", "up.y1x0", "up.y1x1"]
    first = layers[0]
    assert (first.fy, first.fx, first.oy, first.iy, first.pad_y) == (2, 2, 32, 32, 1)
    assert sum(x.macs for x in layers) == 64 * 64 * 3 * 8 * 16 // 4


def test_stride_of_one_stays_one_layer():
    (layer,) = lower_transposed({"name": "up", "fy": 3, "oy": 10, "pad_y": 0})
    assert (layer.name, layer.pad_y, layer.iy, layer.oy) == ("up", 2, 8, 10)


def test_phases_no_tap_reaches_write_their_outputs():
    layers = lower_transposed({"name": "up", "k": 5, "oy": 9, "stride_y": 3, "iy": 3})
    assert [layer.has_macs for layer in layers] == [True, False, False]
    assert layers[1].output_elements == 15
    assert layers[1].with_batch(4).output_elements == 60


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"pad_y": -1}, "layer 'up'.pad_y must be an integer from 0, got -1"),
        ({"pad_x": 1.5}, "layer 'up'.pad_x must be an integer from 0, got 1.5"),
        ({"fy": 9, "oy": 2}, "a transposed convolution needs iy of at least 1"),
        ({"stride_y": 0}, "layer 'up'.stride_y must be an integer from 1 to 2147483647, got 0"),
    ],
)
def test_wrong_transposed_convolution(wrong, message):
    with pytest.raises(DseError, match=message):
        lower_transposed({"name": "up", **wrong})


@pytest.mark.parametrize(("op", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_recurrent_layer(op, gates):
    fields = {"name": "r", "k": 40, "c": 30, "oy": 25, "extra_parameters": 11, "weight_bits": 4}
    layers = lower_recurrent(op, fields)
    whole = Workload(name="r", layers=layers)
    assert whole.macs == 25 * gates * 40 * (40 + 30)
    assert whole.weight_elements == gates * 40 * (40 + 30) + 11
    inputs, recurrent = (layer.with_batch(4) for layer in layers)
    assert (inputs.b, inputs.oy, inputs.iy, inputs.repeat) == (1, 100, 100, 1)
    assert (recurrent.b, recurrent.oy, recurrent.repeat, recurrent.sequential) == (4, 1, 25, True)
    assert {layer.weight_bits for layer in layers} == {4}


def test_recurrent_steps_equal_the_products():
    """One step after the other is what the two layers add up to."""
    rng = np.random.default_rng(0)
    steps, hidden, size, gates = 4, 3, 5, 3
    x, h = rng.integers(-9, 10, (steps, size)), rng.integers(-9, 10, hidden)
    w, u = (rng.integers(-9, 10, (gates * hidden, n)) for n in (size, hidden))
    inputs, recurrent = lower_recurrent("gru", {"name": "r", "k": hidden, "c": size, "oy": steps})
    projected = run(inputs, x.T[None, None, :, :, None], w[None, :, :, None, None])[0, 0, :, :, 0]
    for step in range(recurrent.repeat):
        added = run(recurrent, h[None, None, :, None, None], u[None, :, :, None, None]).ravel()
        np.testing.assert_array_equal(projected[:, step] + added, w @ x[step] + u @ h)
        h = (projected[:, step] + added)[:hidden] % 10


def test_a_layer_of_four_steps_equals_the_definition_of_layer():
    inputs, _ = lower_recurrent("lstm", {"name": "r", "k": 2, "c": 2, "oy": 4, "b": 2})
    assert inputs == Layer(name="r.input", k=8, c=2, oy=8, batch_loop="oy")
