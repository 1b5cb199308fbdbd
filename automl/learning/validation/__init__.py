"""The split of the data for validation, and what is suspicious across it."""
