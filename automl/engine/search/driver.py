"""The loop: ask, submit, wait, report, tell, check exits. One thread, one process, the study's only writer."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from automl.deadline import Deadline
from automl.engine.admission.memory import MemoryAdmission
from automl.engine.admission.time import Admission
from automl.engine.execution.base import Executor
from automl.engine.search.finalize import finalize_result
from automl.engine.search.queue import PendingQueue, PendingTrial
from automl.engine.search.submission import Submissions, Terms
from automl.engine.stopping.base import ExitCriterion
from automl.engine.study.history import History, Record, state_of
from automl.engine.study.proposal import Proposer
from automl.engine.study.restore import restore
from automl.engine.study.state import Finished, RunningTrial, SearchState
from automl.engine.trial.contract import Report, Status, StopReason, TrialResult
from automl.engine.trial.partial import discard, keep, read_note
from automl.engine.trial.records import write_result
from automl.engine.workspace.layout import TrialDirectory

__all__ = ["Driver", "Terms"]

log = logging.getLogger("automl")

_TURN_SECONDS = 0.2
"""Longest wait in one turn: a double Ctrl-C and requests from other terminals are noticed this soon."""
_LAST_TURN_SECONDS = 0.02
_PRUNE_GRACE = 5.0
_CANCEL_GRACE = 0.3


class Driver:
    """Runs one search, from its first trial or from where an earlier session was cut off.

    Args:
        terms: what the search is held to.
        proposer: what to try.
        history: the durable study.
        executor: where trials run; started by the caller.
        criteria: reasons to stop; the first that holds wins.
        admission: which trials end in time.
        memory: which trials have room.
        deadline: the experiment's clock.
        reserve: seconds to keep for what comes after the search.
        interrupts: how often the user has asked to stop so far.
    """

    def __init__(
        self,
        terms: Terms,
        *,
        proposer: Proposer,
        history: History,
        executor: Executor,
        criteria: Sequence[ExitCriterion],
        admission: Admission,
        memory: MemoryAdmission,
        deadline: Deadline,
        reserve: Callable[[], float] = lambda: 0.0,
        interrupts: Callable[[], int] = lambda: 0,
    ) -> None:
        self._terms, self._proposer, self._history, self._executor = terms, proposer, history, executor
        self._criteria, self._admission, self._memory = tuple(criteria), admission, memory
        self._deadline = deadline
        self._submissions, self._interrupts = Submissions(terms, history, deadline, reserve), interrupts
        self._running: dict[int, PendingTrial] = {}
        self._waiting = PendingQueue(memory, executor)
        self._new: list[Finished] = []
        self._counts: Counter[Status] = Counter()
        self._best: Finished | None = None
        self._partial: Finished | None = None
        self._out_of_time = False
        self._stopping: ExitCriterion | None = None
        self._because: str | None = None

    def run(self) -> Iterator[SearchState]:
        """Yield what the search looks like, turn by turn. The last state says why it stopped."""
        self._restore()
        while True:
            new, self._new = tuple(self._new), []
            state = self._state(new)
            self._decide(state)
            if self._over():
                self._salvage()
                self._history.commit()
                yield replace(self._state((*new, *self._new)), stopped_because=self._because)
                return
            yield state
            refused = self._submit_more()
            self._cancel_overdue()
            self._take(self._executor.wait(0 if refused else self._turn()) if self._running else [])

    def _turn(self) -> float:
        """Seconds to wait for events: the end of the search's time is noticed when it comes."""
        return min(_TURN_SECONDS, max(_LAST_TURN_SECONDS, self._seconds_left()))

    def _seconds_left(self) -> float:
        """Return the time that the search may still use.

        What a final training was promised stays its own when the reserve grows.
        """
        spent = self._deadline.spent()
        promised = (
            pending.since + (pending.spec.limits.seconds or 0.0) - spent
            for pending in self._running.values()
            if pending.is_final
        )
        return max(self._submissions.seconds_left(), *promised, -math.inf)

    # What earlier sessions left

    def _restore(self) -> None:
        left = restore(self._history, self._terms.directory, self._terms.model_limits.allow)
        for record, _, _ in left.ended:
            self._proposer.restore(record)
        for record, params, attempt in left.open:
            self._proposer.restore(record)
            spec = self._submissions.spec(record, params, attempt + 1)
            self._waiting.add(PendingTrial(spec, record, self._deadline.spent()))
        for record, result, params in left.ended:
            self._note(record, result, params)

    # When to stop

    def _decide(self, state: SearchState) -> None:
        """Check every criterion on every state, since they count what is new; the first that holds wins."""
        for criterion in self._criteria:
            reason = criterion.check(state)
            if reason is not None and self._because is None:
                self._stopping, self._because = criterion, reason
                log.debug("stopping: %s", reason)

    def extend(self, criteria: Sequence[ExitCriterion]) -> bool:
        """Put criteria in the place of those of their kind. False, and nothing is done, once a reason to stop holds."""
        if self._because is not None:
            return False
        new = {type(criterion): criterion for criterion in criteria}
        kept = [new.pop(type(criterion), criterion) for criterion in self._criteria]
        self._criteria = (*kept, *new.values())
        return True

    def _patient(self) -> bool:
        """Tell whether trials that were begun may reach their end."""
        if self._stopping is None:
            return True
        return self._stopping.lets_running_finish and self._interrupts() < 2 and self._seconds_left() > 0

    def _over(self) -> bool:
        """Tell whether the search is over.

        What still waits in the queue was begun in an earlier session; if time is up it waits for the next.
        """
        return self._because is not None and not self._running and not (self._waiting and self._patient())

    def _salvage(self) -> None:
        """End what an earlier session has left unfinished, if the part that it had completed is all there is."""
        if self._best is not None or self._partial is not None:
            return
        for pending in self._waiting.clear():
            if read_note(self._terms.directory.trial(pending.spec.number)) is not None:
                pending.spec = replace(pending.spec, attempt=pending.spec.attempt - 1, keep_partial=True)
                self._running[pending.spec.number] = pending
                self._end(pending, TrialResult.of(pending.spec, Status.CANCELLED))

    def _cancel_overdue(self) -> None:
        if self._because is not None and not self._patient():
            for number in self._running:
                self._executor.stop(number, StopReason.CANCELLED, grace=_CANCEL_GRACE)

    # Submitting

    def _submit_more(self) -> bool:
        """Fill the free slots. Proposals become durable before any of them starts; True if one was refused."""
        ready: list[PendingTrial] = []
        self._out_of_time = False
        slots = self._waiting.slots(learns=self._proposer.learns)
        while len(self._running) + len(ready) < slots:
            pending = self._next(ready)
            if pending is None:
                break
            ready.append(pending)
        for pending in ready:
            self._prepare(pending)
        self._history.commit()
        for pending in ready:
            self._begin(pending)
        return any(pending.refused for pending in ready)

    def _next(self, ready: Sequence[PendingTrial]) -> PendingTrial | None:
        """Take what waits and has room, else a proposal, unless a criterion (``max_trials``, say) holds meanwhile.

        A proposal without room beside what runs waits. Others run meanwhile, until as many wait as could run at once.
        """
        while True:
            if self._waiting and not self._patient():
                return None
            pending = self._waiting.take(beside=(*self._running.values(), *ready))
            if pending is not None or len(self._waiting) >= self._executor.slots or self._is_enough():
                return pending
            proposed = self._propose(ready)
            if proposed is None:
                return None
            self._waiting.add(proposed)

    def _is_enough(self) -> bool:
        state = self._state(new=())
        return self._because is not None or any(criterion.check(state) is not None for criterion in self._criteria)

    def _propose(self, ready: Sequence[PendingTrial]) -> PendingTrial | None:
        left = self._seconds_left()
        full = self._waiting.full((*self._running.values(), *ready))

        def admits(
            algorithm: str,
            params: Mapping[str, Any] | None = None,
            *,
            within: float = math.inf,
            fidelity: float = 1.0,
        ) -> bool:
            if full and self._terms.resources_of(algorithm).device in full:
                return False
            return self._admission.admits(algorithm, min(left, within), params, fidelity=fidelity)

        proposal = self._proposer.propose(self._history.count, admits)
        if proposal is None:
            self._out_of_time = not (self._running or ready or self._proposer.exhausted)
            return None
        record = self._submissions.record(proposal)
        self._proposer.accepted(record.number, proposal)
        pending = PendingTrial(self._submissions.spec(record, proposal.params, 1), record, self._deadline.spent())
        self._prepare(pending)
        return pending

    def _prepare(self, pending: PendingTrial) -> None:
        if not pending.prepared:
            self._submissions.prepare(pending.spec)
            pending.prepared = True

    def _begin(self, pending: PendingTrial) -> None:
        """Submit a trial with the time that is left now, or end one that must not be started."""
        self._running[pending.spec.number] = pending
        if pending.refused is not None:
            self._end(pending, TrialResult.of(pending.spec, Status.OUT_OF_MEMORY, failure=pending.refused))
            return
        # As long as there is no model, any end of a trial is to leave one.
        limits, keep_partial = self._submissions.limits(pending.record), self._best is None
        pending.spec = replace(pending.spec, limits=limits, keep_partial=keep_partial)
        pending.since = self._deadline.spent()
        self._executor.submit(pending.spec)

    # What comes back

    def _take(self, events: Sequence[Report | TrialResult]) -> None:
        for event in events:
            pending = self._running.get(event.number)
            if pending is None or pending.spec.attempt != event.attempt:
                continue
            if isinstance(event, Report):
                self._report(pending, event)
            else:
                self._end(pending, event)

    def _report(self, pending: PendingTrial, report: Report) -> None:
        if not math.isfinite(report.value) or pending.pruned is not None:
            return
        pending.value = report.value
        if self._history.report(report.number, report.step, report.value):
            pending.pruned = report
            self._executor.stop(report.number, StopReason.PRUNED, grace=_PRUNE_GRACE)

    def _end(self, pending: PendingTrial, result: TrialResult) -> None:
        del self._running[result.number]
        if result.status is Status.INTERRUPTED and pending.losses == 0 and self._patient():
            self._try_again(pending, begun=bool(result.started_at))
            return
        result = finalize_result(pending, result, self._terms, self._deadline.spent())
        place = TrialDirectory(pending.spec.directory)
        if pending.spec.keep_partial:
            result = keep(place, result)
        write_result(place, result)
        if pending.spec.keep_partial:
            discard(place)
        self._history.tell(result, eligible=self._terms.model_limits.allow(result))
        record = replace(pending.record, state=state_of(result.status), value=result.value)
        self._note(record, result, pending.spec.params)

    def _try_again(self, pending: PendingTrial, *, begun: bool) -> None:
        """A lost worker is infrastructure: the same trial once more. Twice, if others may have lost it the first."""
        innocent = not begun and pending.spec.attempt == 1  # later attempts have their worker to themselves
        spec = replace(pending.spec, attempt=pending.spec.attempt + 1, limits=self._submissions.limits(pending.record))
        log.warning("trial %d lost its worker and is run again (attempt %d)", spec.number, spec.attempt)
        self._history.forget_reports(spec.number)
        losses = pending.losses + (not innocent)
        self._waiting.add(PendingTrial(spec, pending.record, self._deadline.spent(), losses=losses))

    def _note(self, record: Record, result: TrialResult, params: Mapping[str, Any]) -> None:
        self._counts[result.status] += 1
        self._proposer.observe(record, result)
        self._admission.observe(result, params)
        self._memory.observe(result, params)
        finished = Finished(result, params, result.is_whole and self._terms.model_limits.allow(result))
        self._new.append(finished)
        if result.is_partial and self._terms.model_limits.allow(result) and self._is_more(result):
            self._partial = finished
        if not finished.eligible or result.value is None:
            return
        if (
            self._best is None
            or self._best.result.value is None
            or self._terms.objective.better(result.value, self._best.result.value)
        ):
            self._best = finished

    def _is_more(self, result: TrialResult) -> bool:
        """Tell whether a partial trial has done more of its work than the one known; as much, and better."""
        if self._partial is None:
            return True
        known = self._partial.result
        if result.share != known.share:
            return result.share > known.share
        assert result.value is not None and known.value is not None
        return self._terms.objective.better(result.value, known.value)

    # What it looks like

    def _state(self, new: tuple[Finished, ...]) -> SearchState:
        return SearchState(
            objective=self._terms.objective,
            proposed=self._history.count,
            counts=dict(self._counts),
            best=self._best,
            partial=self._partial if self._best is None else None,
            running=tuple(
                RunningTrial(
                    number,
                    pending.spec.attempt,
                    pending.spec.algorithm,
                    pending.spec.params,
                    pending.since,
                    pending.value,
                    final=pending.is_final,
                )
                for number, pending in sorted(self._running.items())
            ),
            new=new,
            elapsed=self._deadline.spent(),
            remaining=self._seconds_left(),
            slots=self._executor.slots,
            exhausted=self._proposer.exhausted and not self._waiting,
            out_of_time=self._out_of_time,
            interrupts=self._interrupts(),
        )
