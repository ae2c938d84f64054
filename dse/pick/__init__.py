"""The pick: one design of a front, with its runners-up and what its neighbours would buy."""

from dse.pick.choice import DEFAULT_TOLERANCE, RULES, Pick, pick
from dse.pick.marginal import binding_budgets, marginal_values
from dse.pick.steps import CostsOf

__all__ = [
    "DEFAULT_TOLERANCE",
    "RULES",
    "CostsOf",
    "Pick",
    "binding_budgets",
    "marginal_values",
    "pick",
]
