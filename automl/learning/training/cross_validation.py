"""The work of a built-in trial: cross-validate one learner on the experiment's split plan."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.client import Run, TrialPruned
from automl.engine.trial.contract import Outcome, TrialSpec
from automl.engine.trial.threads import limit_threads
from automl.engine.workspace.layout import TrialDirectory
from automl.errors import SpaceError
from automl.learning.algorithms.base import Learner, LearnerError
from automl.learning.algorithms.estimators import make_learner
from automl.learning.algorithms.pipeline import FittedPipeline
from automl.learning.algorithms.trust import resolve_estimator
from automl.learning.features.views import view_modules
from automl.learning.metrics.base import Metric, score_all
from automl.learning.tasks.base import Target
from automl.learning.training.first_look import LOOK_STEP, first_part
from automl.learning.training.first_model import FirstModel
from automl.learning.training.fold_features import FoldMatrices, Matrices, SplitTable
from automl.learning.training.fold_progress import FoldProgress
from automl.learning.training.fold_steps import PER_FOLD
from automl.learning.training.kept_folds import KeptFolds, scores_of
from automl.learning.training.latency import Latency
from automl.learning.training.model_check import ModelCheck, Promising
from automl.learning.training.oof import OutOfFold, model_name, save_model, write_confusion_matrix

if TYPE_CHECKING:
    from automl.engine.space.space import AlgorithmSpace, SearchSpace
    from automl.learning.data.kinds import Column
    from automl.learning.data.table import Features
    from automl.learning.validation.plan import SplitPlan

__all__ = ["LearnerWork", "warm_imports"]

logger = logging.getLogger("automl")


@dataclass(frozen=True, eq=False)
class LearnerWork:
    """The work of every built-in trial of an experiment.

    Each fold: features are learned from its training rows only, then the learner; its validation rows are predicted
    and scored. What a trial leaves: ``oof.npy`` (float32; probabilities (repeats, n, k) or values (repeats, n), NaN for
    rows that no fold of the repeat validates), ``models/fold_XX.joblib``, and ``outputs/confusion_matrix.json``.

    Attributes:
        X: raw feature columns, n rows.
        target: of the same rows.
        columns: what the columns of `X` hold.
        plan: the rows of every fold.
        algorithms: by the name that a TrialSpec carries.
        primary: the metric that decides.
        metrics: all that are computed; the primary one need not be among them.
        weight: of each row, shape (n,), for training and for scores; None for ones.
        trust: take estimators from any package.
        keep_models: write the fold models.
        first_look: where there is a single fold, let learners that cannot report while they fit show early what they
            are worth. With several, the end of the first one shows it better.
        cache: directory for matrices that several trials need; None keeps only small ones, in memory.
        tested: rows that the winner will have to predict when the search is over.
        matrices: of each fold and view, as far as a worker has them.
    """

    X: Features
    target: Target
    columns: tuple[Column, ...]
    plan: SplitPlan
    algorithms: Mapping[str, AlgorithmSpace]
    primary: Metric
    metrics: tuple[Metric, ...] = ()
    weight: np.ndarray | None = None
    trust: bool = False
    keep_models: bool = True
    first_look: bool = False
    cache: Path | None = None
    tested: int = 0
    matrices: FoldMatrices = field(init=False, repr=False)
    _promising: Promising = field(default_factory=Promising, init=False, repr=False)

    def __post_init__(self) -> None:
        table = SplitTable(self.X, self.columns, self.plan, self.target.values, self.weight)
        object.__setattr__(self, "matrices", FoldMatrices(table, self.cache))

    @property
    def metric(self) -> str:
        return self.primary.name

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        """Cross-validate `spec`.

        Raises:
            TrialPruned: the driver asked the trial to stop.
            LearnerError: a fold cannot be learned, or its score is not finite.
            SpaceError: there is no such algorithm, estimator or parameter.
        """
        space = self.algorithms.get(spec.algorithm)
        if space is None or space.estimator is None:
            raise SpaceError(f"the search space has no estimator for the algorithm {spec.algorithm!r}.")
        resolve_estimator(space.estimator, trust=self.trust)  # loads its library, whose threads can be limited then
        limit_threads(spec.resources.threads)
        try:
            return _CrossValidation(self, spec, run, space).run()
        except TrialPruned:
            if not spec.keep_partial:
                shutil.rmtree(TrialDirectory(spec.directory).models, ignore_errors=True)
            raise


class _CrossValidation:
    """One trial under way."""

    def __init__(self, work: LearnerWork, spec: TrialSpec, run: Run, space: AlgorithmSpace) -> None:
        self.work, self.spec, self._run, self.space = work, spec, run, space
        self.directory = TrialDirectory(spec.directory)
        classes = work.target.classes
        self.primary = work.primary.with_classes(classes)
        others = (metric.with_classes(classes) for metric in work.metrics if metric.name != work.primary.name)
        self.metrics = (self.primary, *others)
        self.scores: list[dict[str, float]] = []
        self.fit_seconds = self.predict_seconds = 0.0
        self.cut_short = False
        self.latency = Latency(len(work.plan.folds))
        self._check = ModelCheck(spec, work.X.head(5))

    def run(self) -> Outcome:
        target = self.work.target
        oof = OutOfFold(self.work.plan, target.n_classes)
        kept = KeptFolds(self.spec, len(self.work.plan.folds))
        self._begin(kept, oof)
        for number, fold in list(enumerate(self.work.plan.folds))[len(self.scores) :]:
            predictions = self._fold(number)
            oof.add(number, predictions)
            self._score(number, fold.valid, predictions)
            if self.spec.keep_partial:
                kept.add(self._outcome(), self.scores, oof)
        oof.save(self.directory)
        if target.classes is not None:
            write_confusion_matrix(self._run.outputs, target, oof)
        kept.whole()
        outcome = self._outcome()
        if self.work.keep_models and outcome.value is not None:
            self._check.make(outcome.value, self.work._promising, self.primary.objective)
        return outcome

    def _begin(self, kept: KeptFolds, oof: OutOfFold) -> None:
        """Continue from the folds that an earlier attempt has completed; else ensure that there is a model soon."""
        done = kept.restore(oof)
        scores = [] if done is None else scores_of(done)
        if done is not None and scores:
            self.fit_seconds, self.predict_seconds, self.cut_short = (
                done.fit_seconds, done.predict_seconds, done.cut_short
            )  # fmt: skip
            for number, of_fold in enumerate(scores):
                self._add_scores(number, of_fold)
        elif done is None and self.spec.keep_partial and self.spec.limits.left is not None and not self.space.anytime:
            make, progress = partial(self._learner, 0), partial(self._progress, 0, wanted=False, apart=True)
            table, target = self.work.matrices.table, self.work.target
            FirstModel(table, target, self._run, self.space.view, self.metrics, make, progress).fit(kept)

    def _fold(self, number: int) -> np.ndarray:
        """Fit fold `number`, and predict its validation rows."""
        if self._run.should_stop:
            raise TrialPruned
        matrices = self._matrices_of(number)
        learner = self._learner(number)
        silent = not (learner.reports or self.space.anytime)
        if self.work.first_look and len(self.work.plan.folds) == 1 and silent:
            self._look(matrices)
        progress = self._progress(number, matrices, wanted=len(matrices.train) >= FoldProgress.FEWEST_ROWS)
        started = time.perf_counter()
        learner.fit(
            matrices.train,
            self.work.target.values[matrices.train_rows],
            weight=self._weight(matrices.train_rows),
            categorical=matrices.features.categorical_indices_,
            valid=matrices.valid,
            progress=progress,
        )
        fitted = time.perf_counter()
        if self._run.should_stop:
            raise TrialPruned
        self.cut_short = self.cut_short or progress.out_of_time or learner.timed
        if progress.out_of_time and not progress.anytime:
            logger.info("Trial %d: fold %d was cut short to end in time.", self.spec.number, number)
        predictions = learner.predict(matrices.valid)
        self.fit_seconds += matrices.fit_seconds + fitted - started
        self.predict_seconds += matrices.transform_seconds + time.perf_counter() - fitted
        self._keep(number, matrices, learner)
        return predictions

    def _progress(self, number: int, matrices: Matrices, *, wanted: bool, apart: bool = False) -> FoldProgress:
        return FoldProgress(
            self._run,
            fold=number,
            folds_left=len(self.work.plan.folds) - number,
            completed=[scores[self.primary.name] for scores in self.scores],
            metric=self.primary.name,
            score=lambda predictions: self._primary_score(matrices.valid_rows, predictions),
            wanted=wanted,
            allotted=self._allotted,
            fidelity=self.spec.fidelity if self.space.anytime else 1.0,
            predictions=1.0 + self._tested / len(matrices.valid_rows),
            apart=apart,
        )

    @property
    def _tested(self) -> int:
        """Test rows that this trial's model has to predict in its own time: those of a search's last and longest fit,
        whose duration is unknown beforehand.
        """
        is_last = self.spec.resources.alone and self._allotted is not None
        return self.work.tested if is_last else 0

    @property
    def _allotted(self) -> float | None:
        """Seconds of a fold's fit that lasts as long as it is given. What is done once (imports) is not in it."""
        seconds = self.spec.limits.allotted
        return None if seconds is None or not self.space.anytime else seconds / len(self.work.plan.folds)

    def _look(self, matrices: Matrices) -> None:
        """Fit on a part of the fold's training rows, report the score, and forget the model.

        A support vector machine on 50,000 rows says nothing for minutes; on a ninth of them it needs a ninth of the
        time, or far less, to show that it is hopeless. Nothing of it reaches the trial's own models and scores.

        Raises:
            TrialPruned: it is.
        """
        part = first_part(matrices)
        if part is None:
            return
        progress = self._progress(0, part, wanted=False)
        try:
            learner = self._learner(0)
            learner.fit(
                part.train,
                self.work.target.values[part.train_rows],
                weight=self._weight(part.train_rows),
                categorical=part.features.categorical_indices_,
                progress=progress,
            )
            value = self._primary_score(part.valid_rows, learner.predict(part.valid))
        except Exception as error:  # what a few rows cannot do, all of them may: the fit on them will tell
            logger.debug("Trial %d cannot be fitted on a part of its rows: %s", self.spec.number, error)
            return
        if np.isfinite(value) and not progress.out_of_time:
            self._run.log(self.primary.name, value, step=LOOK_STEP)
        if self._run.should_stop:
            raise TrialPruned

    def _matrices_of(self, number: int) -> Matrices:
        share = 1.0 if self.space.anytime else self.spec.fidelity  # such a training is part done on all rows
        return self.work.matrices.get(number, view=self.space.view, share=share)

    def _learner(self, number: int) -> Learner:
        n_classes = self.work.target.n_classes
        seed = np.random.SeedSequence([self.spec.seed, number]).generate_state(1)[0] >> 1  # int32 for every library
        return make_learner(
            self.space,
            self.spec.params,
            task="regression" if n_classes is None else "classification",
            seed=int(seed),
            threads=self.spec.resources.threads,
            trust=self.work.trust,
            n_classes=n_classes,
        )

    def _score(self, number: int, rows: np.ndarray, predictions: np.ndarray) -> None:
        """Score a fold by every metric, and report the primary one's mean over the folds so far."""
        target = self.work.target
        truth = target.values[rows]
        weight = self._weight(rows)
        scores = score_all(self.metrics, truth, predictions, positive=target.positive, weight=weight)
        name = self.primary.name
        if not np.isfinite(scores[name]):
            raise LearnerError(f"{name} is {scores[name]} in fold {number}: {_why_undefined(target, truth)}")
        self._add_scores(number, scores)

    def _add_scores(self, number: int, scores: Mapping[str, float]) -> None:
        name = self.primary.name
        self.scores.append(dict(scores))
        so_far = float(np.mean([fold[name] for fold in self.scores]))
        self._run.log(name, so_far, step=(number + 1) * PER_FOLD)

    def _primary_score(self, rows: np.ndarray, predictions: np.ndarray) -> float:
        target = self.work.target
        return self.primary.score(target.values[rows], predictions, positive=target.positive, weight=self._weight(rows))

    def _weight(self, rows: np.ndarray) -> np.ndarray | None:
        return None if self.work.weight is None else self.work.weight[rows]

    def _keep(self, number: int, matrices: Matrices, learner: Learner) -> None:
        target = self.work.target
        pipeline = FittedPipeline(matrices.features, learner, self.work.columns, target.classes, target.positive)
        self.latency.measure(pipeline, self.work.X.take(self.work.plan.folds[number].valid[:1]))
        if self.work.keep_models:
            save_model(self.directory, model_name(number), pipeline)
            if number == 0:
                self._check.note(pipeline)

    def _outcome(self) -> Outcome:
        """Metrics are means over the folds.

        One that is undefined in a fold is left out: a mean over the rest would not compare with other trials' means.
        """
        means = {name: float(np.mean([scores[name] for scores in self.scores])) for name in self.scores[0]}
        return Outcome(
            value=means[self.primary.name],
            metrics={name: value for name, value in means.items() if np.isfinite(value)},
            fold_scores=tuple(scores[self.primary.name] for scores in self.scores),
            fit_seconds=self.fit_seconds,
            predict_seconds=self.predict_seconds,
            cut_short=self.cut_short,
            predict_latency=self.latency.of(len(self.scores)),
        )


def _why_undefined(target: Target, truth: np.ndarray) -> str:
    if target.classes is not None and len(np.unique(truth)) < len(target.classes):
        return (
            "its validation rows do not hold every class. Use fewer folds, another validation strategy, or a metric "
            "such as accuracy."
        )
    return "the metric is undefined for these predictions."


def warm_imports(space: SearchSpace) -> tuple[str, ...]:
    """Modules that a worker does well to import before its first trial, in the order in which they are needed.

    Only those that the first trial uses: any other would delay it, and is imported by the trial that needs it.
    """
    cheapest = min(space.algorithms, key=lambda name: space.algorithms[name].cost)
    algorithm = space.algorithms[space.portfolio[0].algorithm if space.portfolio else cheapest]
    path: Any = algorithm.estimator
    estimator = () if path is None else (path.rpartition(".")[0],)
    return ("numpy", "pandas", *estimator, *view_modules(algorithm.view), __name__, "threadpoolctl")
