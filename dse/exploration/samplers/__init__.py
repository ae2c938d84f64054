"""Samplers of Optuna studies."""
