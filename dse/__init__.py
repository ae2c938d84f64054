"""Ridgepoint: exact design-space exploration for deep-learning accelerators."""
