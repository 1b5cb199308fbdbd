"""Progress as lines: for files, pipes and logs of continuous integration."""

from __future__ import annotations

from typing import IO

from automl.display.figures import clock, score
from automl.display.progress import ProgressView
from automl.display.tally import FINAL, Tally, best_line, counts_line, time_line
from automl.engine.study.state import Finished, SearchState
from automl.visible import visible

__all__ = ["PlainProgress"]


class PlainProgress(ProgressView):
    """A line when the best improves, when an algorithm fails for the first time, when the final training begins, and
    every `every` seconds.

    Args:
        title: the experiment's name.
        file: where the lines go.
        every: seconds of the experiment's clock between two lines that say that the search is running.
        at_most: seconds of that clock within which a further improvement does not merit a line.
    """

    def __init__(self, title: str, file: IO[str], *, every: float = 10.0, at_most: float = 1.0) -> None:
        self._title, self._file, self._every, self._at_most = title, file, every, at_most
        self._tally = Tally()
        self._last: SearchState | None = None
        self._said = -at_most
        self._unsaid = False
        self._failed: set[str] = set()
        self._final_training: int | None = None
        self._closed = self._broken = False

    def update(self, state: SearchState) -> None:
        first = self._last is None
        self._last = state
        self._unsaid = self._tally.add(state) or self._unsaid
        for finished in state.new:
            self._report_failure(finished, state)
        self._report_final_training(state)
        since = state.elapsed - self._said
        if self._unsaid and since >= self._at_most:
            self._line(state, f"best so far: {best_line(state)}, after {counts_line(state)}")
        elif since >= self._every and not first:
            self._line(state, f"{counts_line(state)}; best {best_line(state)}; {time_line(state)}")

    def say(self, message: str) -> None:
        self._write(message)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._last is not None:
            reason = self._last.stopped_because
            end = f"stopped: {reason}" if reason else "ended"
            self._line(self._last, f"{end}; {counts_line(self._last)}; best {best_line(self._last)}")

    def _report_failure(self, finished: Finished, state: SearchState) -> None:
        result = finished.result
        if not result.status.is_failure or result.algorithm in self._failed:
            return
        self._failed.add(result.algorithm)
        self._write(f"{clock(state.elapsed):>8}  trial {result.number} ({result.algorithm}) {outcome(finished)}")

    def _report_final_training(self, state: SearchState) -> None:
        final = next((trial for trial in state.running if trial.final), None)
        if final is not None and final.number != self._final_training:
            self._final_training = final.number
            self._write(f"{clock(state.elapsed):>8}  {FINAL}: {final.algorithm}, {clock(state.remaining)}")

    def _line(self, state: SearchState, text: str) -> None:
        self._said, self._unsaid = state.elapsed, False
        self._write(f"{clock(state.elapsed):>8}  {text}")

    def _write(self, line: str) -> None:
        if self._broken:
            return
        try:
            print(visible(f"{self._title}: {line}" if self._title else line), file=self._file, flush=True)
        except (OSError, ValueError):  # a closed pipe: the search is worth more than its progress
            self._broken = True


def outcome(finished: Finished) -> str:
    """Say in a few words how a trial ended: its score, or its status and the first line of why."""
    result = finished.result
    if result.failure is None:
        return score(result.value)
    why = next(iter(result.failure.message.splitlines()), "")
    kind = "" if result.failure.kind == result.status.value else f"{result.failure.kind}: "
    return f"{result.status.value}: {kind}{why}"
