"""The search of a design space: an Optuna study, the exact enumeration, and their result."""

from dse.exploration.known_samplers import SAMPLERS
from dse.exploration.problem import CostModel, Problem
from dse.exploration.result import Study, study_from_designs
from dse.exploration.study import ENUMERATE_LIMIT, OBJECTIVES, run_search

__all__ = [
    "ENUMERATE_LIMIT",
    "OBJECTIVES",
    "SAMPLERS",
    "CostModel",
    "Problem",
    "Study",
    "run_search",
    "study_from_designs",
]
