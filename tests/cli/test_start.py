"""A start-up that hangs ends with a sentence, once the budget that the command line or the file names is over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from automl.cli.budget import clock_of

FILE = "experiment: e\ntask: classification\ndata: iris\nlimits: {time_budget: 2s}\n"
HANGS = 600
"""Seconds that the import of a library takes here: nobody waits for them."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder in which the command line never gets past one of its first imports."""
    (tmp_path / "typer.py").write_text(f"import time\ntime.sleep({HANGS})\n")
    (tmp_path / "e.yaml").write_text(FILE)
    return tmp_path


def hanging(place: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "automl", *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(place), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(
        command,
        cwd=Path(__file__).parents[2],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def said(place: Path, *arguments: str) -> str:
    process = hanging(place, *arguments)
    try:
        _, errors = process.communicate(timeout=HANGS / 5)
    finally:
        process.kill()
    assert process.returncode == 2
    assert errors.startswith("automl: Start-up alone took ") and errors.count("\n") == 1
    return errors


def test_the_budget_of_the_file_ends_a_start_that_hangs(place: Path) -> None:
    assert "of a budget of 2 s, so no trial could begin; write a larger --time-budget" in said(
        place, "run", "--trust", str(place / "e.yaml")
    )


@pytest.mark.parametrize("option", [("--time-budget", "1s"), ("--time-budget=1s",)])
def test_the_budget_of_the_command_line_ends_a_start_that_hangs(place: Path, option: tuple[str, ...]) -> None:
    assert "of a budget of 1 s" in said(place, "run", *option, "--workspace", "w", "no-such-file.yaml")


def test_what_earlier_sessions_have_used_counts_for_resume(place: Path) -> None:
    (place / "experiment.yaml").write_text(FILE)
    (place / "clock.json").write_text('{"elapsed": 1.5}')
    errors = said(place, "resume", str(place))
    assert "of a budget of 2 s, of which earlier sessions had used 1.5 s, so no trial could begin" in errors


def test_an_experiment_that_is_resumed_by_its_name_has_a_clock(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = place / "runs" / "slow" / "20261201-000000-abcd"
    experiment.mkdir(parents=True)
    (experiment / "experiment.yaml").write_text(FILE)
    (experiment / "clock.json").write_text('{"elapsed": 0.5}')
    for name in ("slow", experiment.name, f"slow/{experiment.name}"):
        clock = clock_of(["resume", name, "--workspace", str(place / "runs")])
        assert clock is not None and (clock.budget, clock.used) == (2.0, 0.5)
    monkeypatch.setenv("AUTOML_HOME", str(place / "runs"))
    assert clock_of(["resume", "slow"]) is not None
    assert clock_of(["resume", "other"]) is None


@pytest.mark.parametrize("there", ["result.json", "trials/00000/models/fold_0", "trials/00000/completed.json"])
def test_an_experiment_that_may_have_something_to_deliver_is_not_ended(place: Path, there: str) -> None:
    (place / "experiment.yaml").write_text(FILE)
    assert clock_of(["resume", str(place)]) is not None
    (place / there).parent.mkdir(parents=True, exist_ok=True)
    (place / there).touch()
    assert clock_of(["resume", str(place)]) is None


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["run"],
        ["run", "{file}", "--help"],
        ["run", "{file}", "--time-budget", "soon"],
        ["runs", "list", "--time-budget", "2s"],
        ["run", "{pipe}"],
        ["run", "{file}.not"],
        ["resume", "an-experiments-name", "--time-budget", "2s"],
    ],
)
def test_no_other_command_has_a_clock(place: Path, arguments: list[str]) -> None:
    os.mkfifo(place / "pipe")
    assert clock_of([text.format(file=place / "e.yaml", pipe=place / "pipe") for text in arguments]) is None


def test_a_clock_that_says_nothing_is_left_to_resume(place: Path) -> None:
    (place / "experiment.yaml").write_text(FILE)
    for elapsed in ('{"elapsed": -5}', '{"elapsed": NaN}', '{"elapsed": "long"}', "[]", "[" * 9000, "2"):
        (place / "clock.json").write_text(elapsed)
        assert clock_of(["resume", str(place)]) is None


@pytest.mark.parametrize("module", ["rich.console", "automl.cli.commands"])
def test_ctrl_c_while_the_command_line_is_imported_is_one_word(module: str) -> None:
    code = f"""
import os, signal, sys
class Interrupt:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
from automl.cli import main
sys.argv = ["automl", "models", "list"]
main()
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANGS / 5, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "automl: cancelled\n")
