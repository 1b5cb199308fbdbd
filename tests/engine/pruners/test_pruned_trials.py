"""What samplers and the choice of an algorithm make of trials that were stopped early."""

from __future__ import annotations

from collections import Counter

import pytest
from optuna.trial import TrialState

from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.proposers.algorithm_study import AlgorithmStudy
from automl.engine.proposers.eci import EciSelector
from automl.engine.samplers.registry import make_sampler
from automl.engine.space.space import AlgorithmSpace
from automl.engine.trial.contract import Status
from automl.engine.trial.objective import Objective

LINE = AlgorithmSpace.model_validate({"params": {"x": {"type": "float", "low": 0.0, "high": 1.0}}})


@pytest.mark.parametrize("restored", [False, True])
@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_a_sampler_learns_from_pruned_trials_alone(sampler: str, restored: bool) -> None:
    """An algorithm whose trials were all stopped: those that came furthest, and were best there, show where to look."""
    model = AlgorithmStudy("a", LINE, make_sampler(ComponentOptions(name=sampler)), objective=Objective("score"))
    asked = []
    for number in range(60):
        proposal, local = model.ask(number)
        x = proposal.params["x"]
        asked.append(x)
        if restored:
            model.withdraw(local)
        else:
            model.bind(number, local)
        value = 1.0 - abs(x - 0.8)
        model.observe(
            number, proposal.suggested, proposal.distributions, TrialState.PRUNED, value, progress=0.2 + 0.2 * (x > 0.5)
        )
    assert sum(abs(x - 0.8) < 0.1 for x in asked[40:]) > 10  # uniform draws: 4 of 20


def test_a_gaussian_process_learns_from_pruned_trials_alone() -> None:
    asked = []
    for peak in (0.2, 0.8):
        model = AlgorithmStudy("a", LINE, make_sampler(ComponentOptions(name="gp")), objective=Objective("score"))
        for number in range(11):  # the first ten are drawn at random
            proposal, local = model.ask(number)
            model.bind(number, local)
            value = 1.0 - abs(proposal.params["x"] - peak)
            model.observe(number, proposal.suggested, proposal.distributions, TrialState.PRUNED, value, progress=0.2)
        asked.append(proposal.params["x"])
    assert asked[0] != asked[1]  # the seeds are the same


def test_a_pruned_trial_shows_how_far_its_algorithm_lags() -> None:
    choice = EciSelector({"leader": 1.0, "hopeless": 1.0}, objective=Objective("score"), seed=0, measured=False)
    for step in range(6):
        choice.observe("leader", Status.COMPLETED, 0.90 + 0.01 * step, 1.0)
        choice.observe("hopeless", Status.PRUNED, 0.5, 0.2)
    chosen = Counter(choice.choose(number, ["leader", "hopeless"]) for number in range(200))
    assert chosen["leader"] > 150


def test_a_pruned_trial_never_leads() -> None:
    """On the part of the work that it did it may have been lucky."""
    choice = EciSelector({"a": 1.0, "b": 1.0}, objective=Objective("score"), seed=0, measured=False)
    choice.observe("a", Status.COMPLETED, 0.8, 1.0)
    before = choice.cost_of_improvement("a")
    choice.observe("b", Status.PRUNED, 0.99, 1.0)
    assert choice.cost_of_improvement("a") == before


def test_a_resumed_search_learns_the_same_from_pruned_trials() -> None:
    uncut = AlgorithmStudy("a", LINE, make_sampler(ComponentOptions(name="tpe")), objective=Objective("score"))
    resumed = AlgorithmStudy("a", LINE, make_sampler(ComponentOptions(name="tpe")), objective=Objective("score"))
    for number in range(30):
        proposal, local = uncut.ask(number)
        uncut.bind(number, local)
        state = TrialState.PRUNED if number % 3 else TrialState.COMPLETE
        for model in (uncut, resumed):
            value = proposal.params["x"]
            model.observe(number, proposal.suggested, proposal.distributions, state, value, progress=0.2)
    assert uncut.ask(100)[0].params == resumed.ask(100)[0].params
