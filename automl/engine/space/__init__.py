"""The search space as data: YAML files and inline mappings, turned into Optuna distributions."""
