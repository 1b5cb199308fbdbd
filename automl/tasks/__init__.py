"""What a task brings: its target, its default metric, its search space. One module per task, named after it."""
