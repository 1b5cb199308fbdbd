"""The result that a search leaves in the caller's hands."""

from __future__ import annotations

import html
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.config.tasks import problem_class
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.records import read_params
from automl.engine.workspace.layout import ExperimentDirectory, TrialDirectory
from automl.errors import NoModelError, WorkspaceError
from automl.experiment.results.leaderboard import leaderboard, read_trials, trial_table
from automl.experiment.results.objectives import Objectives
from automl.experiment.results.phases import Budget
from automl.experiment.results.summary import Summary
from automl.learning.data.guardrails import Guardrail, Verdict
from automl.registry.candidate import RegisteredModel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Result"]


class Result:
    """The end of an experiment: its best model, and everything that was tried.

    It reads the experiment's directory, so it can be made again at any time: ``Result.load(directory)``.

    Args:
        directory: the experiment's directory.
        summary: the content of its result.json.

    Example:
        >>> result = automl.run("iris.yaml", progress=False)
        >>> result.best.algorithm
        'lda'
    """

    def __init__(self, directory: ExperimentDirectory, summary: Summary) -> None:
        self._directory, self.summary = directory, summary

    @classmethod
    def load(cls, directory: str | Path | ExperimentDirectory) -> Result:
        """The result of an experiment that has reached its end.

        Raises:
            WorkspaceError: it has not, or there is none.

        Example:
            >>> automl.Result.load(result.directory).stopped_because
            'max_trials: 1 trials were run'
        """
        place = directory if isinstance(directory, ExperimentDirectory) else ExperimentDirectory(Path(directory))
        summary = Summary.read(place)
        if summary is None:
            raise WorkspaceError(
                f"{place.path} has no result yet; 'automl resume {place.path}' continues one that was cut off."
            )
        return cls(place, summary)

    @property
    def directory(self) -> Path:
        """The directory of every trial's record, log and model.

        Example:
            >>> (result.directory / "result.json").exists()
            True
        """
        return self._directory.path

    @property
    def stopped_because(self) -> str:
        """The exit criterion that ended the search, as a sentence.

        Example:
            >>> result.stopped_because
            'max_trials: 1 trials were run'
        """
        return self.summary.stopped_because

    @property
    def budget(self) -> Budget:
        """Seconds planned and spent, phase by phase.

        Example:
            >>> [phase.name for phase in result.budget.phases]
            ['start', 'prepare', 'search', 'test', 'close', 'mirror']
            >>> result.budget.seconds is None, result.budget.kept
            (True, True)
        """
        return self.summary.budget

    @property
    def registered_model(self) -> RegisteredModel | None:
        """Name and version in the registry; None if nothing was registered.

        Example:
            >>> print(result.registered_model)   # the experiment says ``registry: null``
            None
        """
        return self.summary.registered

    @property
    def guardrails(self) -> tuple[Guardrail, ...]:
        """The findings about the data: each passed, done or alerted.

        Example:
            >>> [check.message for check in result.guardrails if check.name == "missing_values"]
            ['No value is missing.']
        """
        return tuple(
            Guardrail(g["name"], Verdict(g["verdict"]), g["message"], tuple(g["columns"]))
            for g in self.summary.guardrails
        )

    @property
    def test_metrics(self) -> dict[str, float]:
        """Every metric of the best model on the test part, if there was one.

        Example:
            >>> result.test_metrics   # the experiment names no test rows
            {}
        """
        return dict(self.summary.test_metrics)

    @cached_property
    def best(self) -> TrialResult:
        """The record of the winner: of a trial.

        Raises:
            NoModelError: no trial completed, or none within the limits on models.

        Example:
            >>> result.best.number, result.best.algorithm, result.best.status.value
            (0, 'lda', 'COMPLETED')
        """
        winner = self.summary.winner
        result = None if winner is None else winner.read(self._directory)
        if result is None:
            why = (
                "No completed trial is within the limits"
                if self.summary.counts.get("COMPLETED")
                else "No trial completed"
            )
            raise NoModelError(f"{why}, so there is no best one.", directory=self._directory.path)
        return result

    @property
    def best_params(self) -> dict[str, Any]:
        """The winner's hyperparameters.

        Example:
            >>> result.best_params
            {'shrinkage': 0.001}
        """
        return dict(read_params(self._place))

    @property
    def _place(self) -> TrialDirectory:
        """The directory of the winner's files. Raises what `best` raises."""
        assert self.best is not None and self.summary.winner is not None
        return self.summary.winner.place(self._directory)

    @cached_property
    def model(self) -> Any:
        """The winner: a fitted scikit-learn estimator that takes the raw columns, or pictures.

        Raises:
            NoModelError: as `best`.
            WorkspaceError: its files are gone, or cannot be read.

        Example:
            >>> result.model.predict([[5.1, 3.5, 1.4, 0.2]])
            array(['setosa'], dtype=object)
        """
        return problem_class(self.summary.task).load(self._place.models)

    @property
    def classes_(self) -> np.ndarray:
        """Class labels in sorted order, shape (n_classes,): the columns of `predict_proba`.

        Example:
            >>> result.classes_
            array(['setosa', 'versicolor', 'virginica'], dtype=object)
        """
        classes: np.ndarray = self.model.classes_
        return classes

    def predict(self, X: Any) -> np.ndarray:
        """Predicted labels, of the dtype of `classes_`, or values (float64), of the rows of `X`, shape (n,).

        Args:
            X: raw rows as in training, shape (n, d), columns in any order; pictures may be paths, PIL images or arrays.

        Raises:
            DataError: these are other columns than those of training, or there are no rows.
            NoModelError: as `best`.

        Example:
            >>> result.predict([[5.1, 3.5, 1.4, 0.2]])
            array(['setosa'], dtype=object)
        """
        predicted: np.ndarray = self.model.predict(X)
        return predicted

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of each class, float64, shape (n, n_classes), in the order of `classes_`.

        Args:
            X: as for `predict`.

        Raises:
            DataError: as `predict`.
            AttributeError: the task is a regression.

        Example:
            >>> result.predict_proba([[5.1, 3.5, 1.4, 0.2]]).round(2)
            array([[1., 0., 0.]])
        """
        probabilities: np.ndarray = self.model.predict_proba(X)
        return probabilities

    def leaderboard(self) -> pd.DataFrame:
        """Completed trials from best to worst, then the others: rank, trial, algorithm, score, further metrics that
        were asked for, progress (share of the full work that the score is of), spread over folds, fit_seconds,
        predict_seconds, latency (seconds for one row), size in bytes, front, over_limit (where models are limited),
        status.

        Example:
            >>> result.leaderboard()[["rank", "trial", "algorithm", "status"]]
               rank  trial algorithm     status
            0     1      0       lda  COMPLETED
        """
        return leaderboard(read_trials(self._directory), self._objectives)

    def front(self) -> pd.DataFrame:
        """Rows of the leaderboard that no other completed trial beats in all of score, further metrics that were asked
        for, latency and size: those that are reasonable to choose among.

        Example:
            >>> result.front()["trial"].tolist()
            [0]
        """
        board = self.leaderboard()
        return board[board["front"]].reset_index(drop=True)

    @cached_property
    def _objectives(self) -> Objectives:
        known = Objectives.read(self._directory)
        return known or Objectives.simple(self.summary.objective)

    def trials(self) -> pd.DataFrame:
        """Every trial with its status, metrics, parameters and failure.

        Example:
            >>> result.trials()[["algorithm", "status"]]
              algorithm     status
            0       lda  COMPLETED
        """
        return trial_table(self._directory, read_trials(self._directory))

    def register(
        self,
        trial: int | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        data: Any = None,
        metric: Any = None,
        trust: bool = False,
    ) -> RegisteredModel:
        """Register the model of a trial, by default the winner's, as a new version.

        A trial whose models were deleted (``retention``) is fitted again from its record first.

        Args:
            trial: a completed trial's number.
            name: the registered model's name; by default the experiment's registry options, else its name.
            data, metric, trust: for a trial that is fitted again, as for `automl.resume`.

        Raises:
            RegistryError: the registry cannot be reached.
            WorkspaceError: there is no such trial, it did not complete with full work, or it no longer has models
                and cannot be repeated.

        Example:
            >>> result.register(name="flowers").version   # doctest: +SKIP
            '1'
        """
        from automl.config.arguments import functions_of
        from automl.experiment.models.refit import refit_trial
        from automl.experiment.models.registration import register_trial

        number = self.best.number if trial is None else trial
        registered = register_trial(
            self._directory,
            self.summary,
            number,
            name=name,
            description=description,
            refit=lambda: refit_trial(self._directory, number, data=data, metrics=functions_of(metric), trust=trust),
        )
        if trial is None:
            self.summary = self.summary.model_copy(update={"registered": registered, "not_registered": ""})
            self.summary.write(self._directory)
        return registered

    def __repr__(self) -> str:
        return "\n".join(f"{name:>16}: {value}" for name, value in self._lines())

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for name, value in self._lines()
        )
        board = self.leaderboard().head(10).to_html(index=False, border=0, na_rep="")
        return f"<table>{rows}</table>{board}"

    def _lines(self) -> list[tuple[str, str]]:
        summary, winner = self.summary, self.summary.winner
        finished = sum(summary.counts.values())
        counts = ", ".join(f"{count} {Status(status).value.lower()}" for status, count in summary.counts.items())
        lines = [
            ("experiment", f"{summary.experiment}/{summary.id}"),
            ("best", self._best_line()),
            *([("picked because", winner.because)] if winner is not None and winner.because else []),
            ("trials", f"{finished} ({counts})" if counts else "0"),
            ("stopped because", summary.stopped_because),
            ("time", str(summary.budget)),
        ]
        if summary.pruning is not None:
            lines.append(("pruning", str(summary.pruning)))
        if summary.test_metrics:
            name = summary.metric
            lines.append(("test", f"{name} = {summary.test_metrics.get(name, float('nan')):.6g}"))
        registered = summary.registered
        if registered is not None:
            lines.append(("registered", registered.message or f"{registered.name} version {registered.version}"))
        elif summary.not_registered:
            lines.append(("registered", f"no: {summary.not_registered}"))
        lines.append(("directory", str(self.directory)))
        return lines

    def _best_line(self) -> str:
        winner = self.summary.winner
        if winner is None:
            return "none"
        return f"{self.best.algorithm} ({winner.title}): {self.summary.metric} = {winner.value:.6g}"
