"""How transfers and computation of a layer overlap."""

from enum import IntEnum


class Transfers(IntEnum):
    """What hides the time of DRAM transfers; compiled code compares the numbers.

    ``OVERLAPPED`` hides transfers behind computation, ``DOUBLE_BUFFERED`` all but the first fetch
    and the last write, ``SERIAL`` none. The key in a configuration is the name in lower case.
    """

    OVERLAPPED = 0
    DOUBLE_BUFFERED = 1
    SERIAL = 2

    @property
    def key(self) -> str:
        """Return the name in configurations."""
        return self.name.lower()

    @classmethod
    def of(cls, key: str) -> "Transfers":
        """Return the kind of a key.

        Raises
        ------
        ValueError
            If there is none.
        """
        if key not in TRANSFERS:
            raise ValueError(f"transfers must be one of {TRANSFERS}, got {key!r}")
        return cls[key.upper()]


TRANSFERS = tuple(kind.key for kind in Transfers)
"""The keys of all kinds, as configurations write them."""
