"""Leaderboard, plan, report and figures as people see them."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from automl.display.figures import clock, latency, score, size
from automl.display.leaderboard import leaderboard_table, print_leaderboard
from automl.display.listing import print_listing
from automl.display.plan import print_plan
from automl.display.report import _print_lines, print_choice, print_experiment, print_result, print_trial
from automl.display.terminal import print_json, terminal
from automl.display.versions import print_versions


def row(rank: int | None, **fields: Any) -> dict[str, Any]:
    values = {"rank": rank, "trial": 7, "algorithm": "svm", "score": 0.98, "spread": 0.01, "fit_seconds": 0.2}
    return {**values, "predict_seconds": 0.01, "size": 2048, "status": "COMPLETED", **fields}


def board_text(rows: Any, width: int = 120, **options: Any) -> list[str]:
    console = Console(file=io.StringIO(), width=width, record=True)
    print_leaderboard(rows, console=console, **options)
    return console.export_text().splitlines()


def text_of(print_something: Any, *args: Any) -> str:
    file = io.StringIO()
    print_something(*args, console=terminal(file))
    return file.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1:00"),
        (3599.7, "1:00:00"),
        (math.inf, "∞"),
    ],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KB"), (3 * 2**40, "3072 GB")])
def test_size(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.97333, "0.9733"), (0.0, "0.0000"), (1e-5, "1e-05"), (1234567.0, "1.23457e+06"), (None, "–")]
)
def test_score(value: float | None, text: str) -> None:
    assert score(value) == text


def test_a_wide_leaderboard_shows_everything() -> None:
    lines = board_text([row(1), row(None, status="OUT_OF_MEMORY", score=math.nan)], metric="accuracy")
    assert lines[0].split() == ["rank", "trial", "algorithm", "accuracy", "spread", "fit", "predict", "size", "status"]
    assert lines[1].split() == ["1", "7", "svm", "0.9800", "±0.0100", "0.2", "s", "0.0", "s", "2.0", "KB", "completed"]
    assert "out of memory" in lines[2]


@pytest.mark.parametrize("width", [30, 50, 80])
def test_a_narrow_leaderboard_leaves_columns_out(width: int) -> None:
    lines = board_text([row(1)], width=width)
    assert max(map(len, lines)) <= width
    assert "0.9800" in lines[1]
    assert "svm" in lines[1]


def test_a_long_leaderboard_is_cut_and_says_so() -> None:
    lines = board_text([row(rank) for rank in range(1, 31)], limit=10)
    assert len(lines) == 12
    assert lines[-1] == "and 20 more"


def test_an_empty_leaderboard_has_a_head() -> None:
    assert board_text([])[0].split()[:3] == ["rank", "trial", "algorithm"]


def test_a_data_frame_with_missing_ranks() -> None:
    board = pd.DataFrame([row(1), row(None)]).astype({"rank": "Int64"})
    board.loc[1, "rank"] = pd.NA
    lines = board_text(board)
    assert lines[1].split()[0] == "1"
    assert lines[2].split()[0] == "7"  # no rank: the trial's number comes first


def test_without_a_terminal_there_are_no_escapes_and_no_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    file = io.StringIO()
    print_leaderboard([row(1, algorithm="a" * 60)], console=terminal(file))
    assert "\x1b" not in file.getvalue()
    assert "a" * 60 in file.getvalue()


def test_a_plan() -> None:
    text = text_of(
        print_plan,
        {
            "experiment": "iris",
            "left out": [],
            "limits": {"time_budget": 600.0, "model_size": 2048, "predict_time": 0.5},
            "data": {"rows": 150, "classes": ["a", "b"], "columns": [{"name": "x[0]", "kind": "numeric"}] * 60},
            "algorithms": [{"algorithm": "svm", "configurations": "infinite"}],
            "guardrails": [
                {"name": "missing_values", "verdict": "passed", "message": "none"},
                {"name": "imbalance", "verdict": "alerted", "message": "class 'b' is rare"},
            ],
        },
    )
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "experiment iris" in lines
    assert "left out" not in text
    assert {"time budget 600 s", "model size 2.0 KB", "predict time 0.5 s"} <= set(lines)
    assert not any(line.endswith(" ") for line in text.splitlines())
    assert "classes a, b" in lines
    assert "x[0] numeric" in lines
    assert "and 10 more" in lines
    assert lines.index("! imbalance: class 'b' is rare") < lines.index("✓ missing values: none")


@pytest.mark.parametrize(
    ("width", "says", "without"),
    [
        (160, "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis", ""),
        (100, " QuadraticDiscriminantAnalysis", ""),
        (80, " QuadraticDiscriminantAnalysis", "configurations"),
    ],
)
def test_the_estimators_of_a_plan_are_never_folded(width: int, says: str, without: str) -> None:
    path = "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis"
    rows = [
        {"algorithm": name, "estimator": path, "parameters": 12, "configurations": "infinite", "cost": 1.5}
        for name in ("qda", "hist_gradient_boosting")
    ]
    file = io.StringIO()
    print_plan({"algorithms": rows}, console=Console(file=file, width=width))
    _title, head, *lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert len(lines) == 2
    assert all(says in line for line in lines)
    assert max(map(len, [head, *lines])) <= width
    assert [name for name in rows[0] if name not in head.split()] == ([without] if without else [])


@pytest.mark.parametrize("width", [80, 100])
def test_a_record_has_short_hashes_and_units(width: int) -> None:
    record = {
        "fingerprint": "4c264dc0715f648279032481c34476198892173e" * 2,
        "split_plan": "ab" * 32,
        "peak_memory": 230_969_344,
        "outputs": [{"path": "confusion_matrix.json", "size": 20, "sha256": "cd" * 32}],
    }
    file = io.StringIO()
    print_trial(record, console=Console(file=file, width=width))
    text = " ".join(file.getvalue().split())
    assert "fingerprint 4c264dc0715f… split plan abababababab… peak memory 220 MB" in text
    assert text.endswith("confusion_matrix.json 20 cdcdcdcdcdcd…")


def test_a_result() -> None:
    result = SimpleNamespace(
        summary=SimpleNamespace(
            metric="accuracy", winner=SimpleNamespace(title="trial 7", trial=7, because="It is fast."), pruning=None
        ),
        stopped_because="max_trials: 2 trials were run",
        budget="3.1 s (search 2.0 s)",
        registered_model=SimpleNamespace(name="iris", version=3, message="iris version 3 is the champion."),
        guardrails=(SimpleNamespace(name="imbalance", verdict="alerted", message="class 'b' is rare"),),
        test_metrics={"accuracy": 0.95},
        directory=Path("/runs/iris/1"),
        leaderboard=lambda: pd.DataFrame([row(1)]),
    )
    lines = text_of(print_result, result).splitlines()
    assert lines[0] == "! imbalance: class 'b' is rare"
    assert [" ".join(line.split()) for line in lines[-6:]] == [
        "picked trial 7. It is fast.",
        "stopped because max_trials: 2 trials were run",
        "time 3.1 s (search 2.0 s)",
        "test accuracy = 0.9500",
        "registered iris version 3 is the champion.",
        "directory /runs/iris/1",
    ]


def test_sentences_are_folded_between_words_and_paths_stay_whole() -> None:
    path = "/runs/" + "long/" * 20
    described = {
        "leaderboard": [row(1, front=True)],
        "metric": "accuracy",
        "winner": {
            "title": "trial 7",
            "trials": [7],
            "because": "Within one standard error of the best score, and much faster than that.",
        },
    }
    file = io.StringIO()
    console = Console(file=file, width=40)
    print_choice(described, console=console)
    _print_lines([("directory", f"in {path}")], console)
    lines = file.getvalue().splitlines()
    assert "         picked  trial 7. Within one" in lines
    assert "                 standard error of the" in lines
    assert f"                 {path}" in lines


def test_the_front_and_what_is_over_a_limit_are_marked() -> None:
    rows = [
        row(1, latency=0.0042, front=True, over_limit=""),
        row(None, latency=0.25, front=False, over_limit="predict_time, model_size"),
    ]
    lines = board_text(rows, metric="accuracy")
    assert "4.2 ms" in lines[1]
    assert "*" in lines[1]
    assert "latency, size" in lines[2]
    assert lines[-1] == "* no other trial is as good in score, latency and size, and better in one"


def test_the_picked_trial_stands_out_wherever_it_ranks() -> None:
    table = leaderboard_table([row(1, trial=3), row(2, trial=9)], picked=9)
    assert [str(line.style) for line in table.rows] == ["", "bold green"]


def test_a_picked_trial_that_is_not_the_first_is_marked_and_never_cut_off() -> None:
    rows = [row(rank, trial=100 + rank) for rank in range(1, 31)]
    lines = board_text(rows, picked=120, limit=3)
    assert [line.split()[:3] for line in lines[1:5]] == [
        ["1", "101", "svm"], ["2", "102", "svm"], ["3", "103", "svm"], [">", "20", "120"],
    ]  # fmt: skip
    assert lines[5] == "and 26 more"
    assert not any(">" in line for line in board_text(rows, picked=101, limit=3))


@pytest.mark.parametrize("width", [40, 80, 160])
def test_a_score_of_a_part_of_the_work_says_so(width: int) -> None:
    rows = [
        row(1, progress=1.0),
        row(None, progress=0.2, score=0.99, status="PRUNED", size=0),
        row(None, progress=1 / 3, score=0.5),
        row(None, progress=math.nan, score=0.6, status="CANCELLED"),
        row(None, progress=None, score=None, status="CANCELLED"),
    ]
    lines = board_text(rows, width=width)
    done = lines[0].index("done")
    assert [line[done : done + 4].strip() for line in lines[1:6]] == ["", "20%", "33%", "part", ""]
    assert "0 B" not in lines[2]
    assert " ".join(" ".join(lines[6:]).split()).startswith("done: the score is of this share of the work only")
    assert "done" not in "".join(board_text(rows[:1]))


def test_a_listing_keeps_names_and_ids_whole() -> None:
    listed = [{"experiment": "breast_cancer" * 2, "id": "20261121-145025-0c81", "best": 0.9949008, "seconds": 19.8}] * 2
    for width, columns in ((120, ["experiment", "id", "best", "seconds"]), (50, ["experiment", "id"])):
        file = io.StringIO()
        print_listing(listed, dropped=("seconds", "best"), console=Console(file=file, width=width))
        lines = file.getvalue().splitlines()
        assert lines[0].split() == columns
        assert lines[1].split()[:2] == ["breast_cancer" * 2, "20261121-145025-0c81"]
    narrow = io.StringIO()
    print_listing(listed, dropped=("seconds", "best"), console=Console(file=narrow, width=20))
    assert "20261121-145025-0c81" in narrow.getvalue().splitlines()[1]


def test_versions_of_a_model_are_blocks() -> None:
    version = {
        "name": "breast_cancer", "version": "2", "aliases": ["champion"], "metric": "roc_auc", "value": 0.99371,
        "data": "4c264dc0715f648279032481c34476198892173e", "split_plan": None, "run_id": "ab" * 16,
        "packages": {"numpy": "2.4.6", "pandas": "3.1.1"}, "tags": {}, "description": None,
    }  # fmt: skip
    file = io.StringIO()
    foreign = {**version, "version": "1", "aliases": [], "data": None, "metric": None, "value": None, "packages": {}}
    print_versions([version, foreign], console=Console(file=file, width=80))
    assert [" ".join(line.split()) for line in file.getvalue().splitlines()] == [
        "breast_cancer/2, champion",
        "score roc_auc = 0.9937",
        f"run id {'ab' * 16}",
        "data 4c264dc0715f…",
        "packages numpy 2.4.6, pandas 3.1.1",
        "",
        "breast_cancer/1",
        f"run id {'ab' * 16}",
    ]


@pytest.mark.parametrize("terminal_like", [True, False])
def test_a_path_in_a_record_stays_whole_and_sentences_are_folded(terminal_like: bool) -> None:
    path = "/runs/" + "long/" * 20
    file = io.StringIO()
    console = Console(file=file, width=40, force_terminal=terminal_like, color_system=None)
    record = {"directory": path, "registered": {"message": "iris version 3 is the champion: 0.95 beats 0.94."}}
    print_trial(record, console=console)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert lines[0] == f"directory  {path}"
    assert lines[2:] == ["  message  iris version 3 is the", "           champion: 0.95 beats 0.94."]


def test_a_leaderboard_without_trials_says_so() -> None:
    described = {"leaderboard": [], "metric": "accuracy", "winner": None}
    assert text_of(print_choice, described) == "no trial has ended yet\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.00025, "0.25 ms"), (0.005, "5 ms"), (0.0123, "12.3 ms"), (0.25, "250 ms"), (0.9996, "1 s"), (1.25, "1.25 s")],
)
def test_latency(seconds: float, text: str) -> None:
    assert latency(seconds) == text


def test_an_experiment_has_its_leaderboard_first() -> None:
    text = text_of(print_experiment, {"experiment": "iris", "metric": "accuracy", "leaderboard": [row(1)], "seed": 0})
    assert text.splitlines()[0].split()[3] == "accuracy"
    assert "seed" in text


def test_a_failed_trial_ends_with_its_traceback() -> None:
    failure = {"kind": "ValueError", "message": "bad [x]", "traceback": "Traceback:\n  File [y]\nValueError: bad [x]"}
    text = text_of(print_trial, {"number": 3, "status": "FAILED", "failure": failure})
    assert text.endswith("Traceback:\n  File [y]\nValueError: bad [x]\n")
    assert text.count("bad [x]") == 2


def test_json_is_what_every_parser_takes() -> None:
    file = io.StringIO()
    print_json({"a": math.nan, "b": np.float64(1.5), "c": pd.NA, "d": Path("x"), 1: (True, np.int64(2))}, file)
    assert json.loads(file.getvalue()) == {"a": None, "b": 1.5, "c": None, "d": "x", "1": [True, 2]}


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


def nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)


NESTED = st.recursive(PLAIN, nested, max_leaves=8)


@given(st.dictionaries(st.text(max_size=4), NESTED, max_size=4))
def test_whatever_is_described_can_be_printed(described: dict[str, Any]) -> None:
    text_of(print_plan, described)
    print_json(described, io.StringIO())
