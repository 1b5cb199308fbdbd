"""TPE over a bounded window of trials against TPE over all of them: whether it searches as well.

Standard test functions, the same seeds and numbers of trials for both; the regret is averaged over functions after
each is scaled to random search's median regret on it: below 1 is better than random search.

    python benchmarks/sampler_window.py [--quick] [--json FILE]
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Callable, Sequence

from form import Figure, arguments, machine, publish
from optuna.trial import TrialState

from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.proposers.algorithm_study import AlgorithmStudy
from automl.engine.samplers.registry import make_sampler
from automl.engine.space.space import AlgorithmSpace
from automl.engine.trial.objective import Objective
from automl.seeds import derive

Function = Callable[[Sequence[float]], float]


def sphere(x: Sequence[float]) -> float:
    return sum((v - 0.3) ** 2 for v in x)


def rosenbrock(x: Sequence[float]) -> float:
    z = [4 * v - 2 for v in x]
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in itertools.pairwise(z))


def rastrigin(x: Sequence[float]) -> float:
    z = [10.24 * v - 5.12 - 0.7 for v in x]
    return sum(v * v - 10 * math.cos(2 * math.pi * v) + 10 for v in z)


def ackley(x: Sequence[float]) -> float:
    z = [20 * v - 10 - 1.3 for v in x]
    squares, waves = sum(v * v for v in z) / len(z), sum(math.cos(2 * math.pi * v) for v in z) / len(z)
    return 20 + math.e - 20 * math.exp(-0.2 * math.sqrt(squares)) - math.exp(waves)


def griewank(x: Sequence[float]) -> float:
    z = [100 * v - 50 - 7 for v in x]
    product = math.prod(math.cos(v / math.sqrt(i)) for i, v in enumerate(z, start=1))
    return 1 + sum(v * v for v in z) / 4000 - product


FUNCTIONS: tuple[Function, ...] = (sphere, rosenbrock, rastrigin, ackley, griewank)
SPACE = AlgorithmSpace.model_validate({"params": {f"x{i}": {"type": "float", "low": 0, "high": 1} for i in range(6)}})


def regret(function: Function, sampler: ComponentOptions, seed: int, trials: int) -> float:
    """The smallest value found; every function's minimum is 0."""
    model = AlgorithmStudy("f", SPACE, make_sampler(sampler), objective=Objective("score", maximize=False))
    best = math.inf
    for number in range(trials):
        proposal, local = model.ask(derive(seed, "sampler", number))
        value = function([proposal.params[f"x{i}"] for i in range(6)])
        model.bind(number, local)
        model.observe(number, proposal.suggested, proposal.distributions, TrialState.COMPLETE, value)
        best = min(best, value)
    return best


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--trials", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    options = parser.parse_args()
    trials, seeds = (400, 1) if options.quick else (options.trials, options.seeds)
    small = max(20, trials // 4)
    samplers = {
        "random": ComponentOptions(name="random"),
        "tpe_all": ComponentOptions(name="tpe", options={"window": 10**9}),
        f"tpe_window_{trials // 2}": ComponentOptions(name="tpe", options={"window": trials // 2}),
        f"tpe_window_{small}": ComponentOptions(name="tpe", options={"window": small}),
    }
    scaled: dict[str, list[float]] = {name: [] for name in samplers}
    seconds: dict[str, float] = dict.fromkeys(samplers, 0.0)
    for function in FUNCTIONS:
        found = {}
        for name, sampler in samplers.items():
            begin = time.perf_counter()
            found[name] = [regret(function, sampler, seed, trials) for seed in range(seeds)]
            seconds[name] += time.perf_counter() - begin
        unit = statistics.median(found["random"])
        for name, values in found.items():
            scaled[name] += [value / unit for value in values]
    figures = [Figure(f"regret_{name}", math.exp(statistics.fmean(map(math.log, v)))) for name, v in scaled.items()]
    figures += [Figure(f"ms_per_trial_{n}", 1e3 * s / trials / seeds / len(FUNCTIONS)) for n, s in seconds.items()]
    about = {
        "what": f"{trials} trials, 6 parameters, {len(FUNCTIONS)} functions, seeds 0 to {seeds - 1}; "
        "regret: geometric mean, in units of random search's median",
        "machine": machine(["optuna", "numpy"]),
    }
    publish("TPE over a window of trials", figures, about=about, file=options.json)


if __name__ == "__main__":
    main()
