"""Kills at random points, with real SIGKILLs: whatever is hit, nothing is lost, repeated or broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.testing.chaos import ChaosResult, ChaosRun, Fault, draw_faults
from automl.testing.invariants import Ledger, examine

EXPERIMENT = """
experiment: flowers
task: classification
data: iris
metric: accuracy
limits: {{max_trials: {trials}}}
search:
  algorithms: {{allow: [logistic_regression, lda, naive_bayes, decision_tree]}}
  portfolio: false
compute: {{executor: {executor}, max_workers: 2}}
"""


def endure(place: Path, faults: tuple[Fault, ...], *, seed: int, executor: str = "process") -> ChaosResult:
    """The faults, and more trials than they wait for: at most three each, and what ends meanwhile."""
    file = place / "flowers.yaml"
    file.write_text(EXPERIMENT.format(trials=4 * len(faults) + 4, executor=executor))
    return ChaosRun(file, place / "workspace", seed=seed).run(faults)


def assert_unharmed(endured: ChaosResult) -> None:
    findings = endured.findings
    assert endured.completed, findings.problems
    assert endured.survived == len(endured.kills)
    assert (findings.lost, findings.repeated, findings.broken, findings.problems) == ((), (), (), ())


SOME = (
    Fault("driver", "preparation"),
    Fault("worker", "trials"),
    Fault("mirror", "trials"),
    Fault("everything", "registration"),
    # Whether there is more to be killed depends on how far the registration had come.
    Fault("follower", "following"),
)
MANY = (
    Fault("driver", "preparation"),
    Fault("worker", "trials"),
    Fault("driver", "trials"),
    Fault("mirror", "trials"),
    Fault("everything", "trials"),
    Fault("worker", "trials"),
    Fault("driver", "trials"),
    Fault("everything", "registration"),
    Fault("driver", "delivery"),
    Fault("everything", "half a version"),
    Fault("follower", "following"),
)


@pytest.mark.parametrize(
    ("faults", "certain"), [pytest.param(SOME, 4, id="some"), pytest.param(MANY, 8, id="many", marks=pytest.mark.slow)]
)
def test_an_experiment_that_is_killed_in_every_phase_comes_to_its_end_unharmed(
    tmp_path: Path, faults: tuple[Fault, ...], certain: int
) -> None:
    endured = endure(tmp_path, faults, seed=7)
    assert [kill.fault for kill in endured.kills][:certain] == list(faults)[:certain]
    assert_unharmed(endured)

    # The proof is worth something only if damage is found.
    directory = endured.directory
    assert directory is not None
    ledger = Ledger()
    ledger.note(directory)
    with directory.journal.open("ab") as journal:
        journal.truncate(len(directory.journal.read_bytes()) // 2)
    result = directory.trial(0).result.read_text()
    directory.trial(0).result.write_text(result.replace('"attempt":', '"attempt": '))
    next(directory.workspace.registry.rglob("fold_00.joblib")).write_bytes(b"half")
    found = examine(directory, ledger)
    assert found.lost
    assert found.repeated == (0,)
    assert len(found.broken) == 1


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["process", "ray"])
def test_random_kills_harm_nothing(tmp_path: Path, executor: str) -> None:
    kills = 0
    seed = 100
    while kills < 25:  # for each of two executors: fifty in all
        place = tmp_path / str(seed)
        place.mkdir()
        endured = endure(place, draw_faults(executor, 10, seed), seed=seed, executor=executor)
        assert_unharmed(endured)
        kills += len(endured.kills)
        seed += 1
