"""What a search is made of, as its configuration and its data say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.config.reader import build_config
from automl.deadline import Deadline
from automl.engine.proposers.final_training import FinalTraining
from automl.engine.workspace.layout import Workspace
from automl.experiment.assembly import _proposer
from automl.learning.problem.inputs import LearningInputs
from automl.learning.problem.problem import LearningProblem

pytest.importorskip("torch")


def test_a_search_knows_how_long_a_worker_needs_to_show_a_net_all_pictures(tmp_path: Path) -> None:
    """A GPU is so fast that it does not matter there."""
    pictures = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)
    config = build_config({"task": "image_classification", "compute": {"cpus_per_trial": 2}})
    problem = LearningProblem.prepare(config, LearningInputs(data=(pictures, np.arange(60) % 3)))
    directory = Workspace(tmp_path).create_experiment("pictures")

    def epoch(gpus: float) -> float:
        proposer = _proposer(problem, config, directory, Deadline.after(600.0), lambda: 0.0, gpus=gpus)
        assert isinstance(proposer, FinalTraining)
        return proposer._epoch

    assert epoch(0.0) == problem.core_seconds / 2 > 0
    assert epoch(1.0) == 0.0
