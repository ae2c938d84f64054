"""Configurations to domain objects: the only reader of YAML and OmegaConf."""
