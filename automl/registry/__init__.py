"""The registry: where the winning model gets a name and a version. Files in the workspace; no MLflow in here."""
