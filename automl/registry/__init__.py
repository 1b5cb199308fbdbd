"""The registry: where the winning model gets a name and a version. MLflow is imported inside functions only."""
