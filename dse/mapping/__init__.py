"""Exact mapping tables: every mapping of a layer worth having."""

from dse.mapping.nest.mapping import Mapping, evaluate_mapping

__all__ = ["Mapping", "evaluate_mapping"]
