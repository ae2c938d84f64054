"""Caches that are bounded by the bytes of what they hold."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")

KEY_BYTES = 1024
"""Nominal bytes of an entry beside its arrays: its key and the objects around it."""


class ByteCache(Generic[Value]):
    """Values by key, at most so many bytes; the entry that was used longest ago goes first.

    Parameters
    ----------
    most_bytes
        What all entries may take together; a larger value is not stored. [bytes]
    bytes_of
        Returns the bytes of a value.
    """

    def __init__(self, most_bytes: int, bytes_of: Callable[[Value], int]) -> None:
        self.most_bytes = most_bytes
        self.num_bytes = 0
        self._bytes_of = bytes_of
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Hashable]:
        with self._lock:
            return iter(list(self._values))

    def get(self, key: Hashable) -> Value | None:
        """Return the value of a key, None if there is none."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: Hashable, value: Value) -> None:
        """Store a value under a key; drop the entries that exceed the bytes."""
        with self._lock:
            self._remove(key)
            self._values[key] = value
            self.num_bytes += self._size(value)
            while self.num_bytes > self.most_bytes:
                self._remove(next(iter(self._values)))

    def get_or_compute(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """Return the value of a key; compute and store it if there is none."""
        value = self.get(key)
        if value is None:
            value = compute()
            self.put(key, value)
        return value

    def clear(self) -> None:
        """Drop all entries."""
        with self._lock:
            self._values.clear()
            self.num_bytes = 0

    def _size(self, value: Value) -> int:
        return KEY_BYTES + self._bytes_of(value)

    def _remove(self, key: Hashable) -> None:
        value = self._values.pop(key, None)
        if value is not None:
            self.num_bytes -= self._size(value)
