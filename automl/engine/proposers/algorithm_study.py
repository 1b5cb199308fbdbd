"""A sampler's knowledge of one algorithm: a bounded Optuna study in memory.

The journal holds every trial of every algorithm in one study. A sampler models one algorithm's own small space, and
its cost grows with the trials it is shown, so each algorithm gets a study of its own here, and of that only a window:
the better half by score, which shapes the density of good configurations, and the latest half, which keeps the
density of the rest current. `benchmarks/sampler_window.py` shows that search quality does not suffer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from automl.engine.proposers.stateless import StatelessTrial
from automl.engine.samplers.base import Ask, Sampler
from automl.engine.space.space import AlgorithmSpace
from automl.engine.study.proposal import Proposal
from automl.engine.trial.objective import Objective

__all__ = ["AlgorithmStudy"]

_PER_TRIAL = 1_000
"""Steps of a whole trial, in which a pruned one's progress is told to samplers."""


class AlgorithmStudy:
    """The sampler's view of one algorithm.

    Args:
        algorithm: its name, the prefix of its parameters' names.
        space: its parameters.
        sampler: who proposes.
        objective: the primary metric.
    """

    def __init__(self, algorithm: str, space: AlgorithmSpace, sampler: Sampler, *, objective: Objective) -> None:
        self.algorithm, self._space, self._sampler = algorithm, space, sampler
        self._objective = objective
        self._names = tuple(f"{algorithm}.{name}" for name in space.params)
        self._local: dict[int, int] = {}
        self._storage = InMemoryStorage()
        self._study = self._new_study(self._storage)
        self._blank = create_trial(state=TrialState.RUNNING)
        self._size = 0

    def ask(self, seed: int, *, stream: int = 0, index: int = 0) -> tuple[Proposal, int]:
        """A proposal, and the number that this model knows it by until `bind`.

        Args:
            seed, stream, index: see `Ask`.
        """
        sampler = self._sampler.at(Ask(seed, stream, index, self._names))
        if not self._sampler.learns:
            return self._draw(sampler), 0
        self._study.sampler = sampler
        trial = self._study.ask()
        self._size += 1
        params = self._space.ask(trial, self.algorithm)
        return Proposal(self.algorithm, params, trial.params, trial.distributions), trial.number

    def _draw(self, sampler: BaseSampler) -> Proposal:
        trial = StatelessTrial(sampler, self._study, self._blank)
        params = self._space.ask(trial, self.algorithm)
        return Proposal(self.algorithm, params, trial.params, trial.distributions)

    def bind(self, number: int, local: int) -> None:
        """Note that the proposal known as `local` has become the trial `number`."""
        if self._sampler.learns:
            self._local[number] = local

    def withdraw(self, local: int) -> None:
        """The proposal known as `local` will never be run."""
        if self._sampler.learns:
            self._study.tell(local, state=TrialState.FAIL)

    def reject(self, local: int) -> None:
        """The proposal known as `local` would not end in time, and time only grows less: look elsewhere."""
        if self._sampler.learns:
            self._study.tell(local, state=TrialState.PRUNED)  # samplers rank it behind all that completed

    def observe(
        self,
        number: int,
        suggested: Mapping[str, Any],
        distributions: Mapping[str, BaseDistribution],
        state: TrialState,
        value: float | None,
        progress: float | None = None,
    ) -> None:
        """Note that a trial of this algorithm has ended, or (RUNNING) is known to run, whichever proposer it came from.

        Args:
            value: of a pruned trial, what it had reached when it was stopped.
            progress: of a pruned trial, the share of its work after which it was stopped. Samplers rank pruned trials
                behind all completed ones, those that came further first.
        """
        if not self._sampler.learns:
            return
        if state is TrialState.PRUNED and value is not None and not self._sampler.takes_pruned:
            state, value = TrialState.COMPLETE, self._at_most_best(value)
        local = self._local.pop(number, None)
        if state is TrialState.RUNNING or (local is None and state is not TrialState.FAIL):
            self._study.add_trial(_frozen(suggested, distributions, state, value, progress))
            if state is TrialState.RUNNING:
                self._local[number] = self._size
            self._size += 1
        elif local is not None:
            for step, reported in _reports(state, value, progress).items():
                self._report(local, step, reported)
            self._tell(local, state, value)
        if self._size > self._sampler.window + len(self._local):
            self._shrink()

    def _at_most_best(self, value: float) -> float:
        """Return the value that a pruned trial is given: a part that is easy for all does not make it the best."""
        known = [
            trial.value
            for trial in self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
            if trial.value is not None
        ]
        if not known:
            return value
        best = self._objective.best(known)
        return best if self._objective.better(value, best) else value

    def _report(self, local: int, step: int, value: float) -> None:
        study = self._storage.get_study_id_from_name(self._study.study_name)
        trial = self._storage.get_trial_id_from_study_id_trial_number(study, local)
        self._storage.set_trial_intermediate_value(trial, step, value)

    def _tell(self, local: int, state: TrialState, value: float | None) -> None:
        if state is TrialState.COMPLETE:
            self._study.tell(local, value)
        else:
            self._study.tell(local, state=state)

    def _shrink(self) -> None:
        """Keep half a window: its better half by score, and the latest of the others."""
        finished = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        keep = self._sampler.window // 2
        ranked = sorted((t for t in finished if t.state is TrialState.COMPLETE), key=self._rank)
        best = {t.number for t in ranked[: keep // 2]}
        latest = [t.number for t in finished if t.number not in best][-(keep - len(best)) :]
        kept = best.union(latest)
        running = {local: number for number, local in self._local.items()}
        storage = InMemoryStorage()
        study, moved = self._new_study(storage), {}
        for trial in self._study.get_trials(deepcopy=False):
            if trial.number in kept or trial.number in running:
                if trial.number in running:
                    moved[running[trial.number]] = len(study.get_trials(deepcopy=False))
                study.add_trial(trial)
        self._storage = storage
        self._study, self._local, self._size = study, moved, len(study.get_trials(deepcopy=False))

    def _rank(self, trial: FrozenTrial) -> float:
        assert trial.value is not None
        return self._objective.loss(trial.value)

    def _new_study(self, storage: InMemoryStorage) -> optuna.Study:
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            return optuna.create_study(storage=storage, direction=self._objective.goal)
        finally:
            optuna.logging.set_verbosity(verbosity)


def _frozen(
    suggested: Mapping[str, Any],
    distributions: Mapping[str, BaseDistribution],
    state: TrialState,
    value: float | None,
    progress: float | None = None,
) -> FrozenTrial:
    return create_trial(
        state=state,
        value=value if state is TrialState.COMPLETE else None,
        intermediate_values=_reports(state, value, progress),
        params=dict(suggested),
        distributions=dict(distributions),
    )


def _reports(state: TrialState, value: float | None, progress: float | None) -> dict[int, float]:
    """Return what a pruned trial had reached, by step."""
    if state is not TrialState.PRUNED or value is None:
        return {}
    return {round(_PER_TRIAL * (progress or 0.0)): value}
