"""The common part of executors with workers of their own: clocks, stops, deaths, replacement.

A transport (processes, Ray actors) derives `Pool`, and says how to launch a worker, how to hear from all of them,
and, in a `WorkerHandle`, how to speak to one.
"""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from automl.deadline import Deadline
from automl.engine.execution.base import Event, Executor
from automl.engine.execution.ended import ended_without_result
from automl.engine.execution.handle import SubmittedTrial, WorkerHandle
from automl.engine.execution.messages import Broken, Died, Ended, Loaded, Message
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.payload import Payload, pack
from automl.engine.execution.trial_queue import TrialQueue
from automl.engine.trial.capture import rescue_spool
from automl.engine.trial.contract import (
    Device,
    Failure,
    Report,
    Status,
    StopReason,
    TrialContext,
    TrialResult,
    TrialSpec,
)
from automl.engine.trial.execute import host, stop_failure
from automl.errors import ExecutorError

__all__ = ["Pool"]

_FIRST_TRIAL = 0.5
"""Seconds for which the first trial has few cores to itself: a second worker's imports would slow it down."""
_MAX_DEATHS = 3
"""Workers that may die in a row before they could run anything."""
_STEP = 0.2
"""Longest wait without a look at the clock, in seconds."""


@dataclass
class _State:
    """The state of a pool.

    Attributes:
        wanted: workers that there should be, by what they compute on.
        full_at: reading of `time.monotonic()` when every worker of a device that was up had a trial for the last time.
        deaths: workers that have died in a row before they could run anything.
    """

    workers: list[WorkerHandle] = field(default_factory=list)
    queue: TrialQueue = field(default_factory=TrialQueue)
    trials: dict[int, SubmittedTrial] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    wanted: Counter[Device] = field(default_factory=Counter)
    full_at: dict[Device, float] = field(default_factory=lambda: dict.fromkeys(Device, time.monotonic()))
    deaths: int = 0
    any_result: bool = False
    closed: bool = False


class Pool(Executor):
    """Trials wait in one queue for the first worker that is free and computes on what they ask for.

    It takes several at once where trials end within milliseconds. A single worker never does: what is known when a
    trial is proposed must not depend on timing there. There are as many workers as trials have needed at once; those
    that nothing has needed for `idle_timeout` are ended, but for `min_workers`. A worker either has GPUs, and runs the
    trials that ask for some, or sees none.

    Args:
        options: `min_workers`, `max_workers`, `idle_timeout`, `cpus_per_trial`, `gpus_per_trial`.
        deadline: of the experiment.
    """

    def __init__(self, options: ComputeOptions | None = None, deadline: Deadline | None = None) -> None:
        self.options = options or ComputeOptions()
        self.deadline = deadline or Deadline.after(None)
        self._payload: Any = None
        self._imports: tuple[str, ...] = ()
        self._devices: tuple[Device, ...] = (Device.CPU,)
        self._gpu_memory: dict[str, int] = {}
        self._state = _State()

    @property
    def _storage(self) -> str | None:
        """The URL of `compute.storage`, for workers that use it."""
        return None

    @abstractmethod
    def _gpus_of_each(self) -> float:
        """GPUs of each trial that can use one. Called once, at the start.

        Raises:
            ExecutorError: there are not as many as were declared, and none will join.
        """

    @abstractmethod
    def most_on(self, device: Device) -> int:
        """Workers that there may be for `device`, one of `_devices`."""

    @abstractmethod
    def _launch(self, device: Device) -> WorkerHandle:
        """Begin to start a worker: it imports `_imports`, and loads `_payload` if that is known already."""

    @abstractmethod
    def _prepare(self, payload: Payload) -> Any:
        """Return what each worker's `load` gets: called once."""

    @abstractmethod
    def _kill(self, workers: Sequence[WorkerHandle]) -> Sequence[tuple[WorkerHandle, Message]]:
        """End workers with all that they have started; return what they had said and `_poll` has not given."""

    @abstractmethod
    def _poll(self, timeout: float) -> Sequence[tuple[WorkerHandle, Message]]:
        """Return what workers have said, each one's messages in order; wait up to `timeout` seconds for the first."""

    @abstractmethod
    def _may_launch(self, starting: int, first: bool) -> bool:
        """Tell whether another worker may start while `starting` others do; `first`: in the time of the first trial."""

    def prestart(self, imports: Sequence[str] = ()) -> None:
        self._imports = tuple(dict.fromkeys((*self._imports, *imports)))
        self._want(1, Device.CPU)

    def start(self, context: TrialContext) -> None:
        self._imports = tuple(dict.fromkeys((*self._imports, *context.imports)))
        self.options = self.options.with_gpus(self._gpus_of_each() if Device.GPU in context.devices else 0.0)
        self._devices = tuple(sorted(context.devices, reverse=True)) if self.options.gpus_per_trial else (Device.CPU,)
        self._payload = self._prepare(pack(context))
        for worker in list(self._state.workers):
            if worker.device in self._devices:
                worker.load(self._payload)
            else:
                self._remove(worker)
        for device in self._devices:
            self._want(max(1, self.options.min_workers), device)

    @property
    def gpus_per_trial(self) -> float:
        return self.options.gpus_per_trial or 0.0

    @property
    def gpu_memory(self) -> int | None:
        return min(self._gpu_memory.values(), default=None)

    @property
    def most(self) -> int:
        """Workers that there may be."""
        return sum(map(self.most_on, self._devices))

    @property
    def slots(self) -> int:
        return sum(map(self.slots_on, self._devices))

    def slots_on(self, device: Device) -> int:
        return self.most_on(device) if device in self._devices else 0

    @property
    def ahead(self) -> int:
        return self.slots * (self._state.queue.portion - 1) if self.most > 1 else 0

    @property
    def in_flight(self) -> int:
        """Trials whose results `wait` has not given yet."""
        return len(self._state.trials) + sum(isinstance(event, TrialResult) for event in self._state.events)

    @property
    def local_workers(self) -> Collection[int] | None:
        here = host()
        places = [worker.address.rpartition(":") for worker in self._state.workers if worker.ready]
        return [int(pid) for _, _, pid in places] if all(name == here for name, _, _ in places) else None

    def submit(self, spec: TrialSpec) -> None:
        state, device = self._state, spec.resources.device
        if device not in self._devices:
            raise ExecutorError(f"Trial {spec.number} computes on a {device}, and no worker here does.")
        trial = state.trials[spec.number] = SubmittedTrial(spec)
        state.queue.add(trial)
        self._want(self._submitted_on()[device], device)

    def wait(self, timeout: float) -> list[Event]:
        state, ends = self._state, time.monotonic() + timeout
        while True:
            now = time.monotonic()
            self._enforce(now)
            self._dispatch()
            self._shrink(now)
            pause = 0.0 if state.events else min(ends - now, self._next_clock() - now, _STEP)
            for worker, message in self._poll(max(0.0, pause)):
                self._take(worker, message)
            if state.events or time.monotonic() >= ends:
                events, state.events = state.events, []
                return events

    def stop(self, number: int, reason: StopReason, *, grace: float = 1.0) -> None:
        trial = self._state.trials.get(number)
        if trial is None:
            return
        if trial.worker is None:
            self._state.queue.remove(trial)
            self._end(trial, reason.status, stop_failure(reason, trial.spec, killed=False))
        else:
            trial.stop(reason, grace)

    def close(self) -> None:
        state, self._state = self._state, _State(closed=True)
        self._kill(state.workers)
        for worker in state.workers:
            latest = worker.last if worker.running is None else worker.running.spec
            if latest is not None:
                rescue_spool(latest.directory, worker.mark, keep=worker.running is not None)

    def _submitted_on(self) -> Counter[Device]:
        """Count the trials in flight by what they compute on."""
        return Counter(trial.spec.resources.device for trial in self._state.trials.values())

    def _crew(self, device: Device) -> list[WorkerHandle]:
        """The workers for `device`."""
        return [worker for worker in self._state.workers if worker.device is device]

    def _want(self, workers: int, device: Device) -> None:
        """Have at least `workers` workers for `device`, but no more than there may be."""
        wanted = self._state.wanted
        wanted[device] = max(wanted[device], min(workers, self.most_on(device)))
        self._start_workers()

    def _start_workers(self) -> None:
        for device in self._devices:
            self._start_crew(device)

    def _start_crew(self, device: Device) -> None:
        state = self._state
        while len(self._crew(device)) < state.wanted[device] and not state.closed:
            starting = sum(not worker.ready for worker in state.workers)
            busy = [w.running.started for w in state.workers if w.running is not None]
            first = not state.any_result and time.monotonic() - min(busy, default=math.inf) < _FIRST_TRIAL
            if state.workers and not self._may_launch(starting, first):
                return
            state.workers.append(self._launch(device))

    def _dispatch(self) -> None:
        for device in self._devices if self._state.queue else ():
            free = [worker for worker in self._crew(device) if not worker.trials]
            for worker in [worker for worker in free if worker.ready]:
                if trials := self._state.queue.take(device, len(free)):
                    worker.take(trials)
                free.remove(worker)
        self._start_workers()

    def _shrink(self, now: float) -> None:
        """End workers that nothing has needed for a while, also those that still wait for a place."""
        state, submitted = self._state, self._submitted_on()
        latest = now - self.options.idle_timeout
        for device in self._devices:
            crew = self._crew(device)
            if submitted[device] and submitted[device] >= sum(worker.ready for worker in crew):
                state.full_at[device] = now
            spare = len(crew) - max(self.options.min_workers, submitted[device])
            for worker in [w for w in crew if w.running is None][: max(0, spare)]:
                if (worker.free_since if worker.ready else state.full_at[device]) < latest:
                    self._remove(worker)
                    state.wanted[device] = len(self._crew(device))

    def _next_clock(self) -> float:
        return min((trial.kill_at for trial in self._state.trials.values()), default=math.inf)

    def _enforce(self, now: float) -> None:
        """Kill the workers of trials whose time is over."""
        for trial in [trial for trial in self._state.trials.values() if trial.kill_at <= now]:
            if trial.worker is None:
                continue
            worker = trial.worker
            self._remove(worker)
            if worker.running is trial:  # else its result came with the kill
                trial.reason = trial.reason or StopReason.TIMED_OUT
            self._end_all(worker, Died("its worker was killed for the trial before it"), trial)

    def _take(self, worker: WorkerHandle, message: Message) -> None:
        state = self._state
        if isinstance(message, Ended):
            self._finish(worker, message)
        elif isinstance(message, Report):
            trial = state.trials.get(message.number)
            if trial is not None and trial.worker is worker:
                trial.last = message
                state.events.append(message)
        elif isinstance(message, Loaded):
            worker.ready, worker.address, worker.free_since = True, message.address, time.monotonic()
            state.deaths = 0
            self._note_gpus(message.gpus)
        elif isinstance(message, Broken):
            raise ExecutorError(f"What the trials should do cannot be loaded by a worker:\n{message.reason}")
        else:
            self._bury(worker, message)

    def _finish(self, worker: WorkerHandle, finished: Ended) -> None:
        state, trial = self._state, worker.ended(finished.result.number)
        state.any_result = True
        worker.free_since = time.monotonic()
        if trial is not None and state.trials.pop(trial.spec.number, None) is not None:
            if trial.has_begun:
                state.queue.observe(finished.result.seconds)
            self._deliver(trial.spec, finished)
        if finished.worn:
            unbegun = list(worker.trials)
            worker.trials.clear()
            self._remove(worker)
            self._put_back(unbegun)

    def _put_back(self, trials: Sequence[SubmittedTrial]) -> None:
        """Have other workers run what the worker that it was given to will not begin."""
        for trial in trials:
            trial.release()
            if trial.reason is not None:
                self._end(trial, trial.reason.status, stop_failure(trial.reason, trial.spec, killed=False))
        self._state.queue.put_back([trial for trial in trials if trial.reason is None])

    def _note_gpus(self, free: Mapping[str, int]) -> None:
        """Note what trials may hold: the most that was free, since the first worker to look saw the GPU without any."""
        for gpu, size in free.items():
            self._gpu_memory[gpu] = max(size, self._gpu_memory.get(gpu, 0))

    def _bury(self, worker: WorkerHandle, death: Died) -> None:
        self._remove(worker)
        if worker.trials:
            self._end_all(worker, death, worker.running)
        elif not worker.ready:
            self._state.deaths += 1
            if self._state.deaths >= _MAX_DEATHS:
                raise ExecutorError(f"{_MAX_DEATHS} workers in a row have died at their start: {death.reason}")

    def _remove(self, worker: WorkerHandle) -> None:
        """Kill a worker. A result that it had sent just before counts."""
        if worker in self._state.workers:
            self._state.workers.remove(worker)
            for source, message in self._kill([worker]):
                self._take(source, message)
            if worker.running is None and worker.last is not None:
                rescue_spool(worker.last.directory, worker.mark, keep=False)

    def _deliver(self, spec: TrialSpec, finished: Ended) -> None:
        """Hand on what a worker says about a trial's end."""
        self._state.events.append(finished.result)

    def _end_all(self, worker: WorkerHandle, death: Died, culprit: SubmittedTrial | None) -> None:
        """End what a dead worker may have begun, and have other workers run the rest.

        Args:
            culprit: the trial that it has died of. Any other is said not to have begun: it is not to blame.
        """
        trials = list(worker.trials)
        worker.trials.clear()
        unbegun = [t for t in trials if not t.has_begun and (worker.says_at_once or t.reason is not None)]
        for trial in [trial for trial in trials if trial not in unbegun]:
            if trial.reason is not None:  # it was asked to stop, and has not got round to it
                self._end(trial, trial.reason.status, stop_failure(trial.reason, trial.spec, killed=True))
            else:
                trial.started = trial.started if trial is culprit else math.inf
                status = death.status if trial is culprit else Status.INTERRUPTED
                self._end(trial, status, Failure(kind="WorkerDied", message=death.reason))
        self._put_back(unbegun)

    def _end(self, trial: SubmittedTrial, status: Status, failure: Failure) -> None:
        """Give a trial the result that its worker could not give."""
        self._state.trials.pop(trial.spec.number, None)
        if trial.worker is not None:
            if trial.reason is StopReason.CANCELLED:  # the search is over: its worker is not replaced
                device = trial.spec.resources.device
                self._state.wanted[device] = len(self._crew(device))
            rescue_spool(trial.spec.directory, trial.worker.mark)
        self._state.events.append(ended_without_result(trial, status, failure, storage=self._storage))
