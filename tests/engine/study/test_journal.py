"""The study journal: durable at commit, readable by Optuna's own backend, mended after a kill."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.storages.journal._storage import JournalStorageReplayResult
from optuna.trial import TrialState

from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.pruners.registry import make_pruner
from automl.engine.study import storage as study_storage
from automl.engine.study.history import History
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.errors import JournalError

SPACE = {"a.x": FloatDistribution(0.0, 1.0)}


_opened: list[History] = []


@pytest.fixture(autouse=True)
def _close_all() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop()._backend._file.close()


def open_history(path: Path, pruner: str = "none", **options: object) -> History:
    _opened.append(
        History(path, objective=Objective("score"), pruner=make_pruner(ComponentOptions(name=pruner, options=options)))
    )
    return _opened[-1]


def add(history: History, value: float) -> int:
    return history.add("a", {"a.x": value}, SPACE, elapsed=1.5)


def done(number: int, value: float | None = 0.5, status: Status = Status.COMPLETED) -> TrialResult:
    return TrialResult(number=number, algorithm="a", status=status, value=value)


def test_what_was_committed_is_read_back(tmp_path: Path) -> None:
    history = open_history(tmp_path / "j")
    for value in (0.1, 0.2, 0.3):
        add(history, value)
    history.tell(done(0))
    history.tell(done(1, None, Status.FAILED))
    history.close()

    records = open_history(tmp_path / "j").records()
    assert [record.suggested for record in records] == [{"a.x": 0.1}, {"a.x": 0.2}, {"a.x": 0.3}]
    assert [record.state for record in records] == [TrialState.COMPLETE, TrialState.FAIL, TrialState.RUNNING]
    assert records[0].value == 0.5
    assert records[0].elapsed == 1.5


def test_what_was_not_committed_vanishes_and_its_number_is_given_again(tmp_path: Path) -> None:
    history = open_history(tmp_path / "j")
    add(history, 0.1)
    history.commit()
    add(history, 0.2)
    # No commit and no close: the process is gone.
    again = open_history(tmp_path / "j")
    assert again.count == 1
    assert add(again, 0.3) == 1


_FULL = """
import resource, signal, sys
from pathlib import Path
from automl.errors import WorkspaceError
from automl.engine.study.journal import GroupCommitBackend

path = Path(sys.argv[1])
backend = GroupCommitBackend(path)
backend.append({"op_code": 1, "text": "first"})
backend.commit()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, most))
backend.append({"op_code": 1, "text": "no room for all of this"})
try:
    backend.commit()
except WorkspaceError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
backend.commit()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits there")
def test_a_commit_that_finds_no_room_is_made_whole_when_there_is_some(tmp_path: Path) -> None:
    """What the first try had still written is not in its way."""
    command = [sys.executable, "-c", _FULL, str(tmp_path / "j")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Cannot write the study journal" in done.stdout
    lines = (tmp_path / "j").read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["first", "no room for all of this"]


def test_optuna_reads_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "j"
    history = open_history(path)
    history.tell(done(add(history, 0.1), 0.75))
    history.close()

    storage = JournalStorage(JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path))))
    study = optuna.load_study(study_name=None, storage=storage)
    assert study.best_value == 0.75
    assert study.best_params == {"a.x": 0.1}


@settings(max_examples=25, deadline=None)
@given(
    x=st.floats(1e-9, 1.0),
    n=st.integers(1, 9),
    choice=st.sampled_from(["é", None, True, 2]),
    value=st.floats(allow_nan=False, allow_infinity=False),
    status=st.sampled_from([Status.COMPLETED, Status.PRUNED, Status.FAILED]),
)
def test_what_is_in_memory_is_what_optuna_reads(
    tmp_path_factory: pytest.TempPathFactory, x: float, n: int, choice: object, value: float, status: Status
) -> None:
    path = tmp_path_factory.mktemp("same") / "j"
    history = open_history(path)
    distributions = {
        "a.x": FloatDistribution(1e-9, 1.0, log=True),
        "a.n": IntDistribution(1, 9),
        "a.c": CategoricalDistribution(["é", None, True, 2]),
        "a.d": CategoricalDistribution(["é", None, 1, 2]),  # equal to the one before, as Python compares
    }
    suggested = {"a.x": x, "a.n": n, "a.c": choice, "a.d": choice}
    for _ in range(2):
        history.add("a", suggested, distributions, elapsed=1.5, parent=0, fidelity=0.5, notes={"at": (1, 2)})
    history.report(0, 3, value)
    history.tell(done(0, value, status), eligible=False)
    history.close()

    storage = JournalStorage(JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path))))
    read = storage.get_all_trials(storage.get_study_id_from_name("automl"))
    assert history._trials() == read
    assert repr(history._trials()) == repr(read)  # 1 and True, a tuple and a list


@pytest.mark.parametrize("known", [True, False])
def test_an_optuna_that_is_made_otherwise_goes_its_own_way_to_the_same_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    study_storage._are_as_known.cache_clear()
    if not known:
        monkeypatch.delattr(JournalStorageReplayResult, "_trial_exists_and_updatable")
        assert not study_storage._are_as_known()
        monkeypatch.undo()
    history = open_history(tmp_path / "j")
    for value in (0.1, 0.2, 0.3):
        assert add(history, value) == round(10 * value) - 1
    history.tell(done(0))
    history.tell(done(1, None, Status.FAILED))
    history.close()
    assert study_storage._are_as_known() is known
    study_storage._are_as_known.cache_clear()
    states = [(record.number, record.state, record.value) for record in open_history(tmp_path / "j").records()]
    assert states == [(0, TrialState.COMPLETE, 0.5), (1, TrialState.FAIL, None), (2, TrialState.RUNNING, None)]


@settings(max_examples=25, deadline=None)
@given(cut=st.integers(min_value=1, max_value=400))
def test_a_journal_torn_anywhere_opens_and_goes_on(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("torn") / "j"
    history = open_history(path)
    history.tell(done(add(history, 0.1)))
    add(history, 0.2)
    history.close()
    content = path.read_bytes()
    path.write_bytes(content[: max(0, len(content) - cut)])

    again = open_history(path)
    before = again.count
    number = add(again, 0.9)
    again.close()
    assert number == before
    assert open_history(path).records()[-1].suggested == {"a.x": 0.9}


def test_damage_before_the_last_line_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "j"
    history = open_history(path)
    add(history, 0.1)
    history.close()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"{broken\n", *lines[1:]]))
    with pytest.raises(JournalError, match=r"j:2: the study journal is damaged"):
        open_history(path)


def test_a_median_pruner_stops_what_is_worse_than_half(tmp_path: Path) -> None:
    history = open_history(tmp_path / "j", "median", n_startup_trials=3, n_min_trials=1)
    for value in (0.7, 0.8, 0.9):
        number = add(history, value)
        assert history.report(number, 100, value) is False
        history.tell(done(number, value))
    assert history.report(add(history, 0.1), 100, 0.1) is True
    assert history.report(add(history, 0.95), 100, 0.95) is False


def test_reports_before_delay_evaluation_are_never_judged(tmp_path: Path) -> None:
    history = open_history(tmp_path / "j", "median", n_startup_trials=1, n_min_trials=1, delay_evaluation=2)
    good = add(history, 0.9)
    for step in (1, 2, 3):
        history.report(good, step, 0.9)
    history.tell(done(good, 0.9))
    bad = add(history, 0.1)
    assert [history.report(bad, step, 0.1) for step in (1, 2, 3)] == [False, False, True]


def test_asha_stops_all_but_the_best_third_at_a_rung(tmp_path: Path) -> None:
    history = open_history(tmp_path / "j", "asha", min_resource=1, reduction_factor=3)
    stopped = [history.report(add(history, value), 1, value) for value in (0.9, 0.5, 0.4, 0.3, 0.95)]
    assert stopped == [False, True, True, True, False]


def test_a_completed_trial_without_a_finite_score_is_no_success(tmp_path: Path) -> None:
    history = open_history(tmp_path / "j")
    history.tell(done(add(history, 0.1), float("inf")))
    assert history.records()[0].state is TrialState.FAIL
