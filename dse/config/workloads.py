"""The plain dict of one conf/workload YAML, as a `Workload` at its batch."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dse.checks import check_integer
from dse.config.checks import check_keys, mapping, nearest, number, texts
from dse.errors import DseError
from dse.workload import FORMAT_BITS, LARGEST_BOUND, MACLESS_OPS, OPERANDS, Layer, Workload
from dse.workload.lowering import RECURRENT_GATES, lower_recurrent, lower_transposed

WORKLOAD_KEYS = (
    "name",
    "source",
    "batch",
    "bits",
    "layers",
    "extra_parameters",
    "limits",
    "notes",
    "results",
    "coverage",
)
"""Keys of a workload; every other one is a parameter that its layers refer to."""

BITS = (*OPERANDS, "psum")
NETWORK_BITS = (*BITS, "cache")
"""What bits a network may give; ``cache`` is for activations in the place of weights."""

PAIRS = ("stride", "pad", "dilation")

_SHARED_KEYS = ("name", "op", "bits", *(f"{x}_bits" for x in BITS), "extra_parameters", "reads")
_ZEROS = ("input_zeros", "output_zeros")
_NEST_KEYS = ("b", "g", "k", "c", "oy", "ox", "fy", "fx", "iy", "ix", *PAIRS)
_REPEAT_KEYS = ("repeat", "sequential")

LAYER_KEYS = {
    **dict.fromkeys(
        ("mac", "conv_transpose"),
        (
            *_SHARED_KEYS,
            *_NEST_KEYS,
            *_REPEAT_KEYS,
            *_ZEROS,
            "weight_is_activation",
            "weight_is_shared",
        ),
    ),
    **dict.fromkeys(RECURRENT_GATES, (*_SHARED_KEYS, "b", "k", "c", "oy", "weight_is_shared")),
    **dict.fromkeys(
        MACLESS_OPS, (*_SHARED_KEYS, *_REPEAT_KEYS, *_ZEROS, "input_elements", "output_elements")
    ),
}
LAYER_KEYS["pool"] = (*LAYER_KEYS["pool"], "window_elements")
"""The keys that a layer of each ``op`` may have."""

_REFERENCE = re.compile(r"\$\{[\w.]*?([A-Za-z_]\w*)\}")


def check_parameters(values: Mapping[Any, Any]) -> None:
    """Check that each parameter is referred to, so that a misspelt key is not ignored.

    Parameters
    ----------
    values
        A workload's keys before interpolations such as ``${...seq_len}`` are resolved.

    Raises
    ------
    DseError
        Naming the key that nothing refers to, and the nearest right one.
    """
    keys = {str(key): value for key, value in values.items()}
    used = set(_references({key: value for key, value in keys.items() if key != "limits"}))
    check_keys(f"workload {keys.get('name')!r}", keys, (*WORKLOAD_KEYS, *sorted(used)))


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _references(part)
    elif isinstance(value, str):
        yield from _REFERENCE.findall(value)


def workload_from(values: Mapping[str, Any]) -> Workload:
    """Build a workload from the plain dict of one YAML, interpolations resolved.

    Parameters
    ----------
    values
        ``name``, ``layers`` and, if wanted, ``source``, ``batch``, ``bits`` (defaults of the
        layers; ``cache`` is that of activations in the place of weights, the layer's input bits
        if not given; a number, or the name of a format), ``extra_parameters`` (learned elements
        of parts that are not run), ``limits`` (parameter -> its largest value), ``notes`` (a
        list of texts, warnings of each result), ``coverage`` (what an import says of itself) and
        the workload's own parameters, integers from 1. A layer may say with ``reads``
        which layers write its input.

    Returns
    -------
    Workload
        At its batch; transposed and recurrent layers lowered.

    Raises
    ------
    DseError
        Naming the workload, the layer, the key, the value and the rule.

    Examples
    --------
    >>> layers = [{"name": "fc", "k": 10, "c": 20}]
    >>> workload_from({"name": "one", "batch": 4, "layers": layers}).macs
    800
    """
    name = values.get("name")
    if not isinstance(name, str) or not name:
        raise DseError(f"workload.name must be a non-empty text, got {name!r}")
    owner = f"workload {name!r}"
    _check_top(owner, values)
    made = [
        _layers_from(owner, number, layer, values.get("bits", {}))
        for number, layer in enumerate(values["layers"], start=1)
    ]
    lowered = {str(x["name"]): y for x, y in zip(values["layers"], made, strict=True)}
    network = Workload(
        name=name,
        layers=tuple(layer for layers in made for layer in layers),
        source=values.get("source", ""),
        extra_parameters=values.get("extra_parameters", 0),
        notes=texts(f"{owner}.notes", values.get("notes", [])),
        edges=_edges(owner, values["layers"], lowered),
        results=_results(owner, values, lowered),
    )
    try:
        return network.with_batch(values.get("batch", 1))
    except DseError as error:
        raise DseError(f"{owner} at batch {values['batch']}: {error}") from error


def _check_top(owner: str, values: Mapping[str, Any]) -> None:
    layers = values.get("layers")
    if not isinstance(layers, list) or not layers:
        others = [key for key in values if key != "layers"]
        hint = nearest("layers", others) if layers is None else ""
        raise DseError(f"{owner}.layers must be a list of at least one layer, got {layers!r}{hint}")
    if not isinstance(values.get("source", ""), str):
        raise DseError(f"{owner}.source must be a text, got {values['source']!r}")
    check_integer(owner, "batch", values.get("batch", 1), 1, LARGEST_BOUND)
    check_integer(owner, "extra_parameters", values.get("extra_parameters", 0), 0, 2**62)
    parameters = {key: x for key, x in values.items() if key not in WORKLOAD_KEYS}
    for key, value in parameters.items():
        check_integer(owner, key, value, 1, LARGEST_BOUND)
    _check_coverage(f"{owner}.coverage", values.get("coverage"))
    limits = mapping(f"{owner}.limits", values.get("limits", {}), tuple(parameters))
    for key, limit in limits.items():
        check_integer(f"{owner}.limits", key, limit, 1, LARGEST_BOUND)
        check_integer(owner, key, parameters[key], 1, limit)


def _check_coverage(what: str, coverage: object) -> None:
    """Raise DseError unless this is what an import says of itself, or nothing."""
    if coverage is None:
        return
    if not isinstance(coverage, Mapping):
        raise DseError(f"{what} must be a mapping that an import wrote, got {coverage!r}")
    for key, value in coverage.items():
        if str(key).endswith("_share"):
            number(f"{what}.{key}", value)
    missed = coverage.get("not_understood", [])
    is_told = isinstance(missed, list) and all(
        isinstance(x, Mapping) and {"op", "reason"} <= set(x) for x in missed
    )
    if not is_told:
        raise DseError(f"{what}.not_understood must be a list of op and reason, got {missed!r}")


def _results(
    owner: str, values: Mapping[str, Any], lowered: Mapping[str, tuple[Layer, ...]]
) -> tuple[str, ...]:
    """Return the layers whose outputs leave the network though others read them."""
    names = texts(f"{owner}.results", values.get("results", []))
    check_keys(f"{owner}, layers in results:", dict.fromkeys(names), lowered)
    return tuple(layer.name for name in names for layer in lowered[name])


def _edges(
    owner: str, items: list[Mapping[str, Any]], lowered: Mapping[str, tuple[Layer, ...]]
) -> tuple[tuple[str, str], ...]:
    """Return (reader, writer) for each layer that says what it reads."""
    edges = []
    for item in items:
        reads = texts(f"{owner}, layer {item['name']!r}.reads", item.get("reads", []))
        check_keys(f"{owner}, layers that {item['name']!r} reads:", dict.fromkeys(reads), lowered)
        for name in reads:
            pairs = ((x, y) for x in lowered[str(item["name"])] for y in lowered[name])
            edges += [(x.name, y.name) for x, y in pairs]
    return tuple(edges)


def _check_input_size(owner: str, layer: Layer, given: Mapping[str, Any]) -> None:
    """Refuse a given input so small that windows of a convolution would see padding alone.

    Padding behind may be as much as that before, or as the filter reaches.
    """
    for axis in ("y", "x"):
        if given.get(f"i{axis}") is None:
            continue
        out, size, pad = (getattr(layer, x) for x in (f"o{axis}", f"i{axis}", f"pad_{axis}"))
        reach = (getattr(layer, f"f{axis}") - 1) * getattr(layer, f"dilation_{axis}")
        span = (out - 1) * getattr(layer, f"stride_{axis}") + reach + 1
        least = span - pad - max(pad, reach)
        if size < least:
            raise DseError(
                f"{owner}.i{axis} must be at least {least}, got {size}: o{axis} = {out} spans "
                f"{span} elements, of which padding is at most {pad} before and "
                f"{max(pad, reach)} behind"
            )


def _layers_from(owner: str, number: int, values: object, bits: object) -> tuple[Layer, ...]:
    """Build the one layer of an item of ``layers``, or those that it is lowered to."""
    if not isinstance(values, Mapping):
        raise DseError(f"{owner}, layer {number} must be a mapping, got {values!r}")
    if not isinstance(values.get("name"), str) or not values["name"]:
        got = values.get("name")
        raise DseError(f"{owner}, layer {number}.name must be a non-empty text, got {got!r}")
    owner_layer = f"{owner}, layer {values['name']!r}"
    op = values.get("op", "mac")
    if not isinstance(op, str) or op not in LAYER_KEYS:
        raise DseError(f"{owner_layer} has no op {op!r}{nearest(str(op), LAYER_KEYS)}")
    check_keys(f"{owner_layer} ({op})", values, LAYER_KEYS[op])
    fields = {key: x for key, x in values.items() if key not in ("bits", "op", "reads", *PAIRS)}
    fields = {**_layer_bits(owner, owner_layer, values, bits), **fields}
    for key in PAIRS:
        fields.update(_pair(owner_layer, key, values[key]) if key in values else {})
    try:
        if op == "conv_transpose":
            return lower_transposed(fields)
        if op in RECURRENT_GATES:
            return lower_recurrent(op, fields)
        layer = Layer(op=op, **fields)
        _check_input_size(f"layer {layer.name!r}", layer, fields)
        return (layer,)
    except DseError as error:
        raise DseError(f"{owner}, {error}") from error


def _layer_bits(
    owner: str, owner_layer: str, values: Mapping[Any, Any], bits: object
) -> dict[str, Any]:
    """Return a layer's bits: its own, else the network's."""
    common = _bits(owner, bits, NETWORK_BITS)
    own = _bits(owner_layer, values.get("bits", {}), BITS)
    cache = common.pop("cache_bits", None)
    made = {**common, **own}
    if values.get("weight_is_activation") is True and "weight_bits" not in own:
        made["weight_bits"] = made.get("input_bits", 8) if cache is None else cache
    return made


def _bits(owner: str, value: object, known: Sequence[str]) -> dict[str, Any]:
    """Return ``{input: 8}`` as ``{input_bits: 8}``, formats by their bits."""
    given = mapping(f"{owner}.bits", value, known)
    return {f"{key}_bits": _number(f"{owner}.bits.{key}", x) for key, x in given.items()}


def _number(what: str, value: object) -> object:
    """Return the bits of a format's name; a value that is no text as it is."""
    if not isinstance(value, str):
        return value
    if value.lower() not in FORMAT_BITS:
        hint = nearest(value, FORMAT_BITS)
        raise DseError(f"{what} must be a number or a format such as bf16, got {value!r}{hint}")
    return FORMAT_BITS[value.lower()]


def _pair(owner: str, key: str, value: object) -> dict[str, Any]:
    """Return one number, or ``{y: 2, x: 1}``, as the fields of both axes."""
    if not isinstance(value, Mapping):
        return {f"{key}_y": value, f"{key}_x": value}
    check_keys(f"{owner}.{key}", value, ("y", "x"))
    return {f"{key}_{axis}": x for axis, x in value.items()}
