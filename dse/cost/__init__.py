"""Costs of designs: pure functions on arrays."""
