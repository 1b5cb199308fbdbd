"""What a task brings: how data is read, target, metric, validation, search space. One module per task, of its name."""
