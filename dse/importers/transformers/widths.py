"""Bits of weights as a file of weights has them, by the part of a block that they are of."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dse.importers.transformers.layers import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A matrix of a file.

    Attributes
    ----------
    part, layer
        The part of a block, as layers name it, empty if it is none that is known; and the
        number of the block, None outside them.
    bits
        Of an element, its share of scales included.
    """

    part: str
    layer: int | None
    bits: float
    elements: int


class Widths:
    """Bits of weights, by part and block."""

    def __init__(self, tensors: Iterable[Stored]) -> None:
        found = list(tensors)
        self._by_place = {(x.part, x.layer): x.bits for x in found if x.part}
        if ("head", None) not in self._by_place and ("embedding", None) in self._by_place:
            self._by_place["head", None] = self._by_place["embedding", None]
        counts: Counter[float] = Counter()
        for tensor in found:
            counts[tensor.bits] += tensor.elements
        self.usual = counts.most_common(1)[0][0] if counts else 16

    def of(self, part: str, layer: int | None) -> float:
        """Return the bits of a part; those that most weights have where it is not known."""
        return self._by_place.get((part, layer), self.usual)


def by_width(items: Sequence[Item], widths: Widths) -> list[Item]:
    """Return layers with the bits that their weights have, roles taken off.

    Layers of several widths are cut, the widest last.
    """
    made: list[Item] = []
    for item in items:
        _, part, places = item.pop("role")
        if "op" in item or item.get("weight_is_activation"):
            made.append(item)
            continue
        name = part.removesuffix("_rest")
        counts = Counter(widths.of(name, x) for x in (places or (None,)))
        each = item.get("repeat", 1) // counts.total()
        for place, (bits, count) in enumerate(sorted(counts.items())):
            suffix = f"_{bits:g}b" if place else ""
            own = {**item, "name": item["name"] + suffix}
            own |= {"repeat": each * count} if len(counts) > 1 else {}
            made.append(own if bits == widths.usual else {**own, "bits": {"weight": bits}})
    return made
