"""What the mapping of a layer minimises."""

from enum import IntEnum

from dse.errors import DseError


class Objective(IntEnum):
    """What a mapper minimises; ties go by the others, in this order. Kernels compare the numbers.

    The key in a configuration is the name in lower case.
    """

    LATENCY_S = 0
    DRAM_BYTES = 1
    ENERGY_PJ = 2
    EDP = 3

    @property
    def key(self) -> str:
        """Return the name in configurations."""
        return self.name.lower()

    @classmethod
    def of(cls, key: str) -> "Objective":
        """Return the objective of a key.

        Raises
        ------
        DseError
            If there is none.
        """
        if key not in MAPPER_OBJECTIVES:
            known = ", ".join(MAPPER_OBJECTIVES)
            raise DseError(f"mapper.objective must be one of {known}, got {key!r}")
        return cls[key.upper()]


MAPPER_OBJECTIVES = tuple(objective.key for objective in Objective)
"""The keys of all objectives, as configurations write them."""
