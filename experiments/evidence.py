"""What a published number proves: its kind, and whether a rule of its machine was chosen on it."""

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from types import ModuleType

MEASURED, SIMULATED, MODEL = "measured", "simulated", "model"
LAW, ECHO, DOUBLE = "law", "echo", "double"

KINDS = {
    MEASURED: "taken on a chip or a board",
    SIMULATED: "from a simulation of the machine's logic, cycle by cycle",
    MODEL: "an estimate, a count of a compiler or a figure of the authors; no instrument",
    LAW: "a closed form or a rule that the model applies too: it checks the code",
    ECHO: "follows from sizes and shapes that were typed in: it checks the typing",
    DOUBLE: "the same number in another unit, counted where it is printed first",
}
"""The kinds of published numbers, the most telling first."""

COUNTED = (MEASURED, SIMULATED, MODEL)
"""The kinds whose errors say how good the model is."""

IN, OUT, HELD_OUT = "in sample", "out of sample", "held out"

SAMPLES = {
    IN: "a rule or constant of the machine was chosen on it",
    OUT: "the machine was made without it, but for rows that are not counted",
    HELD_OUT: "the model was finished, and nothing was fitted or changed after it was compared",
}
"""Whether a number spoke for the model before the model was held against it."""

FITTED, LOOKED_AT = "fitted on", "chosen by looking at"
ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A rule or constant of a machine, and the published numbers on which it was chosen.

    Attributes
    ----------
    rule
        The rule or constant, in words.
    on
        The numbers, in words; those that are not compared are named here alone.
    how
        `FITTED` (the number follows from them) or `LOOKED_AT` (they spoke for it).
    rows, columns
        What of the compared numbers they are: in sample. `ALL` is every one.
    """

    rule: str
    on: str
    how: str = LOOKED_AT
    rows: Collection[Hashable] = ()
    columns: Collection[str] = ALL

    def holds(self, row: Hashable, column: str) -> bool:
        """Whether the rule was chosen on this number."""
        is_row = self.rows == ALL or row in self.rows
        return is_row and (self.columns == ALL or column in self.columns)


def kind_of(experiment: ModuleType, column: str) -> str:
    """Return the kind of a column of an experiment; one of `KINDS`."""
    kind = experiment.KIND
    found = str(kind[column] if isinstance(kind, dict) else kind)
    if found not in KINDS:
        raise ValueError(f"{experiment.__name__}.KIND must be one of {', '.join(KINDS)}")
    return found


def sample_of(experiment: ModuleType, row: Hashable, column: str) -> str:
    """Return which of `SAMPLES` a number of an experiment is in."""
    if getattr(experiment, "IS_HELD_OUT", False):
        return HELD_OUT
    return IN if any(choice.holds(row, column) for choice in experiment.CHOSEN_ON) else OUT
