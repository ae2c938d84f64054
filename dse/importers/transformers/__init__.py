"""Transformers by their config.json, without weights."""
