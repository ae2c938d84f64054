"""What machines and designs take: one by one, or many as arrays."""
