"""Everything that knows rows, columns, folds and learners: the work that the engine runs."""
