"""How the data is split for validation, and what is suspicious across a split."""
