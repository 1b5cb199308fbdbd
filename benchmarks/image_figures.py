"""The results of an image benchmark's runs: figures and a plot."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from form import Figure

__all__ = ["ImageBenchmark", "Run", "figures", "plot"]


@dataclass(frozen=True)
class ImageBenchmark:
    """The measurements on one dataset.

    Attributes:
        name: of the dataset, and of its folder.
        budget: seconds by default, on CPU and on a GPU.
        quick: seconds with --quick: enough to read the data, and for a first model.
        gaps: largest gap to the reference that meets the goal, by budget in seconds.
        without_torch: the accuracy to reach without nets, by budget in seconds.
        on_gpu: the accuracy to reach on a GPU.
        beside: who else takes part with the first seed: "random", "tutorial".
        milestone: a validation accuracy, the time to which is taken on a GPU.
    """

    name: str
    title: str
    budget: Mapping[str, float]
    gaps: Mapping[float, float]
    on_gpu: float
    quick: float = 20.0
    without_torch: Mapping[float, float] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    milestone: float | None = None


@dataclass(frozen=True)
class Run:
    """One training or search.

    Attributes:
        accuracy: on the test part.
        wall: seconds that it took.
        climb: (seconds, best validation accuracy so far) whenever it rose; searches alone have it.
        trials: of a search.
        utilization: share of the time of its trials in which their GPU computed; None where it was not measured.
        about: its outcome, in words.
    """

    who: str
    seed: int
    budget: float
    device: str
    accuracy: float
    wall: float
    climb: tuple[tuple[float, float], ...] = ()
    trials: int = 0
    utilization: float | None = None
    about: str = ""

    @property
    def key(self) -> tuple[str, int, float, str]:
        return self.who, self.seed, self.budget, self.device

    def reaches(self, accuracy: float) -> float | None:
        """Seconds until the best validation accuracy was at least `accuracy`."""
        return next((seconds for seconds, best in self.climb if best >= accuracy), None)

    def __str__(self) -> str:
        return f"{self.who:10} seed {self.seed}: {self.accuracy:.4f} on the test part, {self.wall:.1f} s; {self.about}"


def standard_error(accuracy: float, rows: int) -> float:
    """Of the accuracy on `rows` test rows."""
    return math.sqrt(accuracy * (1.0 - accuracy) / rows)


def figures(runs: Sequence[Run], benchmark: ImageBenchmark, rows: int) -> list[Figure]:
    ours = [run for run in runs if run.who == "ours"]
    reference = {run.seed: run.accuracy for run in runs if run.who == "reference"}
    budget, device = ours[0].budget, ours[0].device
    accuracy = statistics.fmean(run.accuracy for run in ours)
    overrun, tolerance = max(run.wall for run in ours) - budget, max(0.5, 0.02 * budget)
    goal = benchmark.on_gpu if device == "cuda" else benchmark.without_torch.get(budget) if not reference else None
    found = [
        Figure("test_accuracy", accuracy, *_at_least(accuracy, goal)),
        Figure("test_accuracy_min", min(run.accuracy for run in ours)),
        Figure("standard_error", standard_error(accuracy, rows)),
    ]
    if reference:
        gap = statistics.fmean(reference[run.seed] - run.accuracy for run in ours)
        allowed = benchmark.gaps.get(budget) if device == "cpu" else None
        verdict = () if allowed is None else (f"<= {allowed:g}", gap <= allowed)
        found += [
            Figure("reference_accuracy", statistics.fmean(reference.values())),
            Figure("gap_to_reference", gap, *verdict),
        ]
    for who in benchmark.beside:
        found += [Figure(f"{run.who}_accuracy", run.accuracy) for run in runs if run.who == who]
    shares = [run.utilization for run in ours if run.utilization is not None]
    if shares:
        found.append(Figure("gpu_utilization", statistics.fmean(shares)))
    if device == "cuda" and benchmark.milestone is not None:
        times = [seconds for run in ours if (seconds := run.reaches(benchmark.milestone)) is not None]
        if len(times) == len(ours):
            found.append(Figure(f"time_to_{100 * benchmark.milestone:.0f}_s", statistics.median(times)))
    return [
        *found,
        Figure("trials", statistics.fmean(run.trials for run in ours)),
        Figure("overrun_s", overrun, f"<= {tolerance:g}", overrun <= tolerance),
    ]


def _at_least(value: float, goal: float | None) -> tuple[str, bool] | tuple[()]:
    return () if goal is None else (f">= {goal:g}", value >= goal)


def plot(runs: Sequence[Run], benchmark: ImageBenchmark, file: Path) -> None:
    """Best validation accuracy against time, as lines; test accuracies, each at its run's end, as marks."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    colours = {"ours": "C0", "random": "C1", "reference": "black", "tutorial": "C2"}
    for run in runs:
        first = run is next(other for other in runs if other.who == run.who)
        if run.climb:
            seconds, best = zip(*run.climb, (run.wall, run.climb[-1][1]), strict=True)
            label = f"{run.who}: best on validation rows" if first else None
            axes.step(seconds, best, where="post", color=colours[run.who], alpha=0.8, label=label)
        label = f"{run.who}: test part" if first else None
        axes.scatter([run.wall], [run.accuracy], color=colours[run.who], marker="x", label=label, zorder=3)
    axes.set(title=f"{benchmark.title}, {runs[0].budget:g} s", xlabel="seconds", ylabel="accuracy")
    lowest = min(run.accuracy for run in runs if run.who in ("ours", "reference"))
    axes.set_ylim(bottom=max(0.0, lowest - 2 * (1.0 - lowest)))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    figure.savefig(file, dpi=150)
    pyplot.close(figure)
