"""The tasks: how data is read, target, metric, validation, search space of each. One module per task, of its name."""
