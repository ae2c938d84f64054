"""A mapping that cannot change, and that other processes can be sent."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class FrozenDict(Mapping[Key, Value]):
    """A dictionary without the methods that change it.

    Unlike `types.MappingProxyType` it can be pickled and copied.

    Parameters
    ----------
    values
        A mapping, or pairs of keys and values.

    Examples
    --------
    >>> sizes = FrozenDict({"rows": 16})
    >>> sizes["rows"], sizes == {"rows": 16}
    (16, True)
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[Key, Value] | Iterable[tuple[Key, Value]] = ()) -> None:
        self._values = dict(values)

    def __getitem__(self, key: Key) -> Value:
        return self._values[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)
