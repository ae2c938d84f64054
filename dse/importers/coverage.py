"""Drafts as the values of a conf/workload YAML, and how much of the file they model."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from dse.errors import DseError
from dse.importers.drafts import Draft, Network
from dse.workload import LOOPS, Layer
from dse.workload.lowering import RECURRENT_GATES, lower_recurrent, lower_transposed

BITS_KEYS = ("input", "weight", "output", "psum")
PAIRS = ("stride", "pad", "dilation")


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A network from elsewhere.

    Attributes
    ----------
    values
        The plain dict of a conf/workload YAML.
    coverage
        How much of the file is modelled, in numbers, and what is not, by name.
    """

    values: dict[str, Any]
    coverage: dict[str, Any]


def finished(name: str, source: str, network: Network) -> Imported:
    """Finish the drafts of a network.

    Raises
    ------
    DseError
        If nothing in it has MACs or moves bytes.
    """
    for draft in network.drafts:
        if draft.read_bits:
            draft.fields["output_bits"] = draft.read_bits
    layers = [draft for draft in network.drafts if _has_work(draft)]
    if not layers:
        raise DseError(f"{source}: nothing in the graph is a layer: it moves and computes nothing")
    kept = set(map(id, layers))
    for draft in layers:  # what moves nothing is no layer that others could read
        draft.sources = tuple(x for x in draft.sources if id(x) in kept)
    parameters = _share_parameters(layers, network)
    made = [_layers(draft) for draft in layers]
    bits = _common_bits(layers)
    coverage = _coverage(network, layers, made, parameters)
    values = {
        "name": name,
        "source": source,
        "batch": 1,
        "bits": bits,
        "layers": [_item(draft, bits) for draft in layers],
        "coverage": coverage,
    }
    read = {id(source) for draft in layers for source in draft.sources}
    if results := [x.name for x in layers if x.is_result and id(x) in read]:
        values["results"] = results
    if coverage["notes"]:
        values["notes"] = coverage.pop("notes")
    else:
        del coverage["notes"]
    return Imported(values=values, coverage=coverage)


def check_understood(path: Path, imported: Imported) -> None:
    """Check that every operator of a file is modelled.

    Raises
    ------
    DseError
        If one is not.
    """
    if missed := imported.coverage["not_understood"]:
        texts = [f"{x['op']} ({x['count']} times: {x['reason']})" for x in missed]
        raise DseError(f"{path}: import.strict=true and not understood: {'; '.join(texts)}")


def _has_work(draft: Draft) -> bool:
    fields = draft.fields
    if draft.op in (*RECURRENT_GATES, "mac", "conv_transpose"):
        return all(fields.get(loop, 1) > 0 for loop in LOOPS)
    return fields["input_elements"] + fields["output_elements"] > 0


def _layers(draft: Draft) -> tuple[Layer, ...]:
    """Return the layers that the YAML's item will become."""
    fields = {"name": draft.name, **draft.fields}
    if draft.op == "conv_transpose":
        return lower_transposed(fields)
    if draft.op in RECURRENT_GATES:
        return lower_recurrent(draft.op, fields)
    return (Layer(op=draft.op, **fields),)


def work_of(drafts: Sequence[Draft]) -> tuple[int, float]:
    """Return the MACs and the bytes of drafts, those of what is not understood included."""
    layers = [x for draft in drafts if _has_work(draft) for x in _layers(draft)]
    macs = sum(x.macs * x.repeat for x in layers)
    macs += sum(x.macs * x.fields.get("repeat", 1) for x in drafts)
    return macs, sum(_bytes(x) for x in layers)


def _share_parameters(layers: Sequence[Draft], network: Network) -> int:
    """Give each learned tensor to the first layer that uses it, weights before the rest.

    A vector (a bias, a scale) counts for each layer that uses it: exporters store equal ones
    once, though the network learned them apart. Returns the learned elements in all.
    """
    learned, vectors = network.learned, network.vectors
    claimed: set[str] = set()
    total = 0
    nests: defaultdict[frozenset[str], list[Draft]] = defaultdict(list)
    for draft in layers:
        if draft.weights:
            nests[draft.weights].append(draft)
    for names, drafts in nests.items():
        found = sum(learned.get(x, 0) for x in names - claimed)
        claimed |= names - vectors
        total += found
        rest = found
        for draft in drafts:
            own = _weight_elements(draft)
            if own > rest:
                draft.fields["weight_is_shared"] = True
            else:
                rest -= own
        for place, draft in enumerate(drafts):
            share = rest // len(drafts) + (place < rest % len(drafts))
            draft.fields["extra_parameters"] = share
    for draft in layers:
        more = sum(learned.get(x, 0) for x in draft.extras - claimed)
        claimed |= draft.extras - vectors
        total += more
        draft.fields["extra_parameters"] = draft.fields.get("extra_parameters", 0) + more
    return total


def _weight_elements(draft: Draft) -> int:
    """Return the elements of a draft's weight operands."""
    if draft.op in RECURRENT_GATES:
        k, c = draft.fields["k"], draft.fields["c"]
        return RECURRENT_GATES[draft.op] * k * (c + k)
    return prod(draft.fields.get(loop, 1) for loop in ("g", "k", "c", "fy", "fx"))


def _common_bits(layers: Sequence[Draft]) -> dict[str, int]:
    """Return the most frequent bits of each operand: the defaults of the YAML."""
    found = {}
    for key in BITS_KEYS:
        counts = Counter(x.fields[f"{key}_bits"] for x in layers if f"{key}_bits" in x.fields)
        found[key] = counts.most_common(1)[0][0] if counts else {"psum": 32}.get(key, 8)
    return found


def _item(draft: Draft, bits: Mapping[str, int]) -> dict[str, Any]:
    """Return a layer of the YAML: only what is not the default."""
    fields = dict(draft.fields)
    item: dict[str, Any] = {"name": draft.name}
    if draft.op != "mac":
        item["op"] = draft.op
    item |= {loop: fields[loop] for loop in LOOPS if fields.get(loop, 1) != 1}
    item |= {f"i{axis}": fields[f"i{axis}"] for axis in ("y", "x") if _is_needed(draft, axis)}
    for key in PAIRS:
        pair = {a: fields[f"{key}_{a}"] for a in ("y", "x") if f"{key}_{a}" in fields}
        if any(x != (key != "pad") for x in pair.values()):
            item[key] = (
                next(iter(pair.values())) if len({*pair.values()}) == 1 and len(pair) == 2 else pair
            )
    for key in ("input_elements", "output_elements", "window_elements", "repeat", "sequential",
                "weight_is_activation", "weight_is_shared", "extra_parameters"):  # fmt: skip
        if fields.get(key):
            item[key] = fields[key]
    if different := _own_bits(fields, bits):
        item["bits"] = different
    if draft.sources:
        item["reads"] = [x.name for x in draft.sources]
    return item


def _own_bits(fields: Mapping[str, Any], bits: Mapping[str, int]) -> dict[str, int]:
    """Return a layer's bits where they are not the network's."""
    own = {key: fields[f"{key}_bits"] for key in BITS_KEYS if f"{key}_bits" in fields}
    defaults = dict(bits)
    if fields.get("weight_is_activation"):  # those of the layer's input, as a reader has it
        defaults["weight"] = own.get("input", bits["input"])
    return {key: x for key, x in own.items() if x != defaults[key]}


def _is_needed(draft: Draft, axis: str) -> bool:
    """Whether an input size differs from what the other fields imply."""
    fields = draft.fields
    if f"i{axis}" not in fields:
        return False
    if draft.op == "conv_transpose":
        return True
    span = (fields[f"o{axis}"] - 1) * fields[f"stride_{axis}"] + 1
    span += (fields[f"f{axis}"] - 1) * fields[f"dilation_{axis}"]
    return bool(fields[f"i{axis}"] != span - 2 * fields[f"pad_{axis}"])


def _coverage(
    network: Network,
    drafts: Sequence[Draft],
    made: Sequence[Sequence[Layer]],
    parameters: int,
) -> dict[str, Any]:
    macs = sum(x.macs * x.repeat for layers in made for x in layers)
    missed_macs = sum(_missed_macs(x, network) for x in network.drafts)
    moved = [sum(_bytes(x) for x in layers) for layers in made]
    pairs = list(zip(drafts, made, moved, strict=True))
    unknown = sum(size for x, _, size in pairs if x.reason or x.is_guess)
    known = macs - sum(x.macs * x.repeat for draft, own, _ in pairs if draft.is_guess for x in own)
    bytes_share = _share(sum(moved) - unknown, sum(moved))
    whole = macs + missed_macs
    operators = sum(network.counts.values())
    missed = network.counts["not_understood"]
    return {
        "operators": operators,
        "operators_modelled": operators - missed,
        "operators_share": _share(operators - missed, operators),
        "operators_by_fate": {key: network.counts[key] for key in sorted(network.counts)},
        "macs": whole,
        "macs_modelled": known,
        "macs_share": known / whole if whole else bytes_share,
        "bytes": sum(moved),
        "bytes_modelled": sum(moved) - unknown,
        "bytes_share": bytes_share,
        "parameters": parameters,
        "not_understood": _not_understood(network.drafts),
        "notes": [*_sentences(network.drafts), *_uncertain(network), *network.notes],
    }


def _missed_macs(draft: Draft, network: Network) -> int:
    """Return the MACs of what is not understood: as known, else one for each learned weight."""
    if not draft.reason:
        return 0
    learned = sum(network.learned.get(x, 0) for x in draft.extras - network.vectors)
    return int((draft.macs or learned) * draft.fields.get("repeat", 1))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _bytes(layer: Layer) -> float:
    """Return the bytes of a layer's operands, each once, over its repeats."""
    if not layer.has_macs:
        bits = layer.input_elements * layer.input_bits + layer.output_elements * layer.output_bits
        return bits * layer.repeat / 8
    size = layer.b * layer.g
    bits = size * layer.c * (layer.iy or 1) * (layer.ix or 1) * layer.input_bits
    bits += layer.weight_elements * layer.weight_bits
    bits += size * layer.k * layer.oy * layer.ox * layer.output_bits
    return bits * layer.repeat / 8


def _not_understood(drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    """Return the operators that are not modelled, by kind and reason, with a few names."""
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for draft in drafts:
        if draft.reason:
            groups[draft.kind, draft.reason].append(draft.name)
    return [
        {"op": op, "reason": reason, "count": len(names), "names": names[:3]}
        for (op, reason), names in groups.items()
    ]


def _sentences(drafts: Sequence[Draft]) -> list[str]:
    return [
        f"Not modelled, charged as its bytes: {x['op']}, {x['count']} times "
        f"({', '.join(x['names'])}): {x['reason']}"
        for x in _not_understood(drafts)
    ]


def _uncertain(network: Network) -> list[str]:
    texts = (
        (network.guesses, "Shape not known, taken as that of an input, and all after it with it"),
        (network.bounds, "Size decided by the data, counted at its most"),
        (network.branches, "Branch decided by the data, counted as the larger one"),
        (network.loops, "Trips decided by the data, counted for one (workload.NAME_trips=...)"),
    )
    return [
        f"{text}: {', '.join(names[:3])}" + (f" and {len(names) - 3} more" if names[3:] else "")
        for names, text in texts
        if names
    ]
