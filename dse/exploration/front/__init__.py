"""The exact Pareto front of a space."""
