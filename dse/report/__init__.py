"""The run folder: what a run records, its report, and how it is read back."""
