"""Checks of operands by name."""

from dse.errors import DseError
from dse.workload import OPERANDS


def check_operands(what: str, operands: tuple[str, ...]) -> None:
    """Raise DseError unless these are operands, each named once."""
    for operand in operands:
        if operand not in OPERANDS:
            raise DseError(f"{what} must name operands of {', '.join(OPERANDS)}, got {operand!r}")
    if len(set(operands)) != len(operands):
        raise DseError(f"{what} must name each operand once, got {list(operands)}")
