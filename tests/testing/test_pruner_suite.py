"""Every pruner keeps the contract, and the suite notices one that does not."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.pruners import BasePruner

from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.pruners.base import Pruner, PrunerSettings
from automl.engine.pruners.registry import make_pruner, pruners
from automl.testing.pruners import PrunerSuite

OPTIONS = {"bandit": {"slack_amount": 0.1}, "hyperband": {"max_resource": 500}}


class TestBuiltIn(PrunerSuite):
    @pytest.fixture(autouse=True, params=sorted(pruners()))
    def _named(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param

    def make_pruner(self) -> Pruner:
        return make_pruner(ComponentOptions(name=self.name, options=OPTIONS.get(self.name, {})))


class Smallest(Pruner):
    """Breaks the contract: it stops what has the largest value, whatever is better."""

    name = "smallest"

    def __init__(self) -> None:
        super().__init__(PrunerSettings())

    def make(self, steps: int | None = None) -> BasePruner:
        class Stops(BasePruner):
            def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
                values = [v for t in study.get_trials(deepcopy=False) for v in t.intermediate_values.values()]
                return max(values) > min(values) and trial.intermediate_values[trial.last_step] == max(values)

        return Stops()


def test_a_pruner_that_forgets_the_direction_is_noticed(tmp_path: Path) -> None:
    class Suite(PrunerSuite):
        def make_pruner(self) -> Pruner:
            return Smallest()

    with pytest.raises(AssertionError):
        Suite().test_the_best_is_never_stopped(tmp_path / "a", True)
    with pytest.raises(AssertionError):
        Suite().test_what_is_best_depends_on_the_direction_alone(tmp_path, True)
