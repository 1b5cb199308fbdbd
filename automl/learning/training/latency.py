"""The time that a model needs to answer for a single row: what a request to a server waits for."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from automl.learning.algorithms.pipeline import FittedPipeline
from automl.learning.data.rows import as_rows

if TYPE_CHECKING:
    from automl.learning.data.table import Features

__all__ = ["Latency"]

log = logging.getLogger("automl")

_READINGS, _CALLS = 2, 5
"""Timed calls in a trial: about 4 ms of a small model. Of several the least counts, as the documentation of `timeit`
advises: what else runs on the machine only adds to the time of a call, and trials run side by side."""


class Latency:
    """The time to predict one row, measured on the folds of a trial.

    The time per row of a large batch says little about a request: of a single row, most is overhead of each call. All
    fold models together are the model, so one request asks each of them: the latency is the time to read the raw row
    plus the number of folds times the time of one fold model. The measure depends on the machine, and on what else
    runs on it meanwhile.

    Args:
        folds: how many models answer together.
    """

    def __init__(self, folds: int) -> None:
        self._folds = folds
        self._reading: list[float] = []
        self._predicting: list[float] = []
        self._broken = False

    def measure(self, pipeline: FittedPipeline, row: Features) -> None:
        """Time one fold's model, unless enough were timed; of few folds each is timed more than once.

        Args:
            pipeline: it has predicted already: nothing of it is used for the first time.
            row: a single row of raw columns, with the dtypes of training.
        """
        if self._broken:
            return
        calls = min(-(-_CALLS // self._folds), _CALLS - len(self._predicting))
        try:
            for _ in range(calls):
                if len(self._reading) < _READINGS:
                    self._reading.append(_seconds(partial(as_rows, row, pipeline.columns)))
                self._predicting.append(_seconds(partial(pipeline.predict, row)))
        except Exception as error:  # the model has a score; that it cannot be timed must not cost it
            self._broken = True
            log.warning("the time for a single row is unknown: %s: %s", type(error).__name__, error)

    @property
    def seconds(self) -> float | None:
        """Seconds for one row; None where nothing could be measured."""
        return self.of(self._folds)

    def of(self, folds: int) -> float | None:
        """The same where only `folds` models answer."""
        if self._broken or not self._predicting:
            return None
        return min(self._reading) + folds * min(self._predicting)


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
