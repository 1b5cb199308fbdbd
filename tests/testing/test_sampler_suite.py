"""Every sampler keeps the contract, and the suite notices one that does not."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from optuna.samplers import BaseSampler, RandomSampler

from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.samplers.base import Sampler
from automl.engine.samplers.registry import make_sampler, samplers
from automl.options import Options
from automl.testing.samplers import SamplerSuite

OPTIONS: dict[str, dict[str, Any]] = {
    "tpe": {"n_startup_trials": 4},
    "auto": {"n_startup_trials": 4},
    "cmaes": {"n_startup_trials": 4},
    "gp": {"n_startup_trials": 2},
    "grid": {"points": 2},
}


class TestBuiltIn(SamplerSuite):
    @pytest.fixture(autouse=True, params=sorted(samplers()))
    def _named(self, request: pytest.FixtureRequest) -> None:
        needed = samplers()[request.param].requires
        if needed is not None and importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed")
        self.name = request.param
        self.trials = 6 if self.name == "gp" else 30  # each of which takes a third of a second

    def make_sampler(self) -> Sampler:
        return make_sampler(ComponentOptions(name=self.name, options=OPTIONS.get(self.name, {})))


class Counting(Sampler):
    """Breaks the contract: what it proposes depends on how often it was asked."""

    name = "counting"
    learns = False
    asks = 0

    def make(self, seed: int) -> BaseSampler:
        self.asks += 1
        return RandomSampler(seed=self.asks)


def test_a_sampler_with_a_memory_of_its_own_is_noticed() -> None:
    class Suite(SamplerSuite):
        def make_sampler(self) -> Sampler:
            return Counting(Options())

    with pytest.raises(AssertionError):
        Suite().test_a_cut_search_goes_on_with_the_bits_of_the_uncut_one()
    with pytest.raises(AssertionError):
        Suite().test_an_ask_leaves_no_state_in_the_sampler()


def test_a_sampler_that_says_it_learns_and_does_not_is_noticed() -> None:
    class Boasting(Counting):
        learns = True

        def make(self, seed: int) -> BaseSampler:
            return RandomSampler(seed=seed)

    class Suite(SamplerSuite):
        def make_sampler(self) -> Sampler:
            return Boasting(Options())

    with pytest.raises(AssertionError):
        Suite().test_learns_says_whether_scores_matter()
