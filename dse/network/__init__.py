"""The network as a machine runs it."""
