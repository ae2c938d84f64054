"""The search of a design space: an Optuna study, the exact enumeration, and their result."""

from dse.search.problem import Evaluate, Problem
from dse.search.result import Study, study_from_designs
from dse.search.run import ENUMERATE_LIMIT, OBJECTIVES, run_search
from dse.search.samplers import SAMPLERS

__all__ = [
    "ENUMERATE_LIMIT",
    "OBJECTIVES",
    "SAMPLERS",
    "Evaluate",
    "Problem",
    "Study",
    "run_search",
    "study_from_designs",
]
