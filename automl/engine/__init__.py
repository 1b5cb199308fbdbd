"""Everything that knows trials, and not what they are made of."""
