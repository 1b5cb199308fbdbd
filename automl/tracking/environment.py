"""The environment that the mirror's process inherits."""

from __future__ import annotations

import os
import sys

from automl.engine.execution.bytecode import child_environment

__all__ = ["mirror_environment"]


def mirror_environment() -> dict[str, str]:
    """The process's environment: no telemetry, one thread, our import path, no MLflow settings meant for others."""
    meant_for_others = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_")
    environment = {name: value for name, value in child_environment().items() if not name.startswith(meant_for_others)}
    environment |= {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "GIT_PYTHON_REFRESH": "quiet",
        "PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    # MLflow's own patience with a server that is down is minutes; ours is the pause between attempts.
    environment.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    environment.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    return environment
