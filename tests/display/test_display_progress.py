"""ProgressView views, fed with the states of a search."""

from __future__ import annotations

import io
import math
import time
from dataclasses import replace

import pytest
from rich.console import Console

from automl.display.live import LiveProgress, view
from automl.display.notebook import to_html
from automl.display.plain import PlainProgress
from automl.display.progress import ProgressView
from automl.display.tally import Tally
from automl.display.view import make_progress
from automl.engine.study.state import Finished, RunningTrial, SearchState
from automl.engine.trial.contract import Failure, Partial, Status, TrialResult
from automl.engine.trial.objective import Objective


def ended(number: int, value: float | None = 0.9, status: Status = Status.COMPLETED, message: str = "") -> Finished:
    failure = Failure(kind="ValueError", message=message) if message else None
    return Finished(
        TrialResult(number=number, algorithm="svm", status=status, value=value, seconds=1.5, failure=failure), {}
    )


def state(elapsed: float = 0.0, *, new: tuple[Finished, ...] = (), **fields: object) -> SearchState:
    counts = {status: n for status in Status if (n := sum(f.result.status is status for f in new))}
    values: dict[str, object] = {"counts": counts, "elapsed": elapsed, "new": new, **fields}
    return SearchState(Objective("accuracy"), **values)  # type: ignore[arg-type]


def plain(*states: SearchState, title: str = "") -> list[str]:
    file = io.StringIO()
    with PlainProgress(title, file) as progress:
        for each in states:
            progress.update(each)
    return file.getvalue().splitlines()


def shown(each: SearchState, *, width: int = 100, height: int = 40, since: float = 0.0) -> str:
    tally = Tally()
    tally.add(each)
    console = Console(width=width, height=height, file=io.StringIO(), record=True)
    console.print(view("iris", each, tally, since=since, width=width, height=height))
    return console.export_text()


def test_plain_says_when_the_best_improves() -> None:
    first, second = ended(0, 0.9), ended(1, 0.95)
    lines = plain(state(2, new=(first,), best=first), state(4, new=(second,), best=second))
    assert "best so far: accuracy = 0.9000 (svm, trial 0)" in lines[0]
    assert "best so far: accuracy = 0.9500 (svm, trial 1)" in lines[1]


def test_a_part_of_a_model_is_named_as_what_it_is_where_there_is_no_other() -> None:
    whole = ended(0, 0.9)
    noted = Partial(share=2 / 15, extent="validated on 2 of 15 folds")
    part = replace(whole, result=whole.result.model_copy(update={"status": Status.CANCELLED, "partial": noted}))
    end = plain(state(2, new=(part,), partial=part, stopped_because="time_budget"))[-1]
    assert end.endswith("best accuracy = 0.9000 (svm, trial 0, validated on 2 of 15 folds)")


def test_plain_gathers_improvements_that_follow_quickly() -> None:
    trials = [ended(n, 0.5 + n / 100) for n in range(20)]
    lines = plain(*(state(n / 100, new=(trial,), best=trial) for n, trial in enumerate(trials)))
    assert len(lines) == 2  # the first at once; the others within one second, and then the end
    assert "0.6900" in lines[-1]


def test_plain_says_now_and_then_that_it_goes_on() -> None:
    best = ended(0)
    lines = plain(*(state(float(second), best=best, remaining=60.0 - second) for second in range(60)))
    assert 5 <= len(lines) <= 7  # one for the best, one every ten seconds, one for the end
    assert "left" in lines[2]


def test_plain_tells_each_algorithms_first_failure() -> None:
    failed = [ended(n, None, Status.FAILED, f"no convergence [{n}]\nmore") for n in range(3)]
    lines = plain(*(state(0.1, new=(trial,)) for trial in failed))
    assert [line for line in lines if "FAILED" in line] == [
        "   0.1 s  trial 0 (svm) FAILED: ValueError: no convergence [0]"
    ]


def test_plain_ends_with_why_it_stopped() -> None:
    lines = plain(state(1), state(61, stopped_because="time_budget: spent"), title="iris")
    assert lines[-1] == "iris:     1:01  stopped: time_budget: spent; 0 done; best accuracy = –"


def test_completed_trials_that_may_not_win_are_no_riddle() -> None:
    lines = plain(state(1, new=(ended(0),)), state(2, new=(ended(1),), stopped_because="max_trials: 2"))
    assert lines[-1].endswith("best accuracy = –, no completed trial can win yet")


def test_plain_survives_a_closed_pipe() -> None:
    file = io.StringIO()
    progress = PlainProgress("", file)
    file.close()
    progress.update(state(1, best=ended(0)))
    progress.close()


def test_the_view_shows_running_and_finished_trials() -> None:
    running = RunningTrial(7, 1, "lightgbm", {}, since=2.0, value=0.8)
    text = shown(
        state(10, new=(ended(3), ended(4, 0.7, Status.PRUNED)), running=(running,), best=ended(3), remaining=20)
    )
    assert "10 s, 20 s left" in text
    assert "1 done, 1 pruned, 1 running" in text
    assert "accuracy = 0.9000 (svm, trial 3)" in text
    rows = [line.split() for line in text.splitlines()[-3:]]
    assert rows[0] == ["7", "lightgbm", "running", "8.0", "s", "0.8000"]
    assert rows[1][:3] == ["4", "svm", "pruned"]  # the latest first


def test_seconds_pass_between_states() -> None:
    text = shown(state(10, running=(RunningTrial(0, 1, "svm", {}, since=8.0),), remaining=20.0), since=5.0)
    assert "15 s, 15 s left" in text
    assert "7.0 s" in text


def test_a_message_is_no_markup() -> None:
    text = shown(state(1, new=(ended(0, None, Status.FAILED, "got [red]shape[/red]"),)))
    assert "got [red]shape[/red]" in text


@pytest.mark.parametrize(("width", "height"), [(40, 8), (60, 12), (200, 50)])
def test_the_view_fits_the_screen(width: int, height: int) -> None:
    running = tuple(RunningTrial(n, 1, "hist_gradient_boosting_with_a_long_name", {}, since=0.0) for n in range(30))
    new = tuple(ended(n, None, Status.FAILED, "why " * 50) for n in range(30, 60))
    lines = shown(state(5, new=new, running=running, remaining=math.inf), width=width, height=height).splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_ctrl_c_is_acknowledged() -> None:
    assert "Ctrl-C again stops now" in shown(state(1, interrupts=1))


def test_live_draws_on_a_terminal_and_leaves_a_summary() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=90, height=24)
    best = ended(0)
    with LiveProgress("iris", console) as progress:
        progress.say("5 folds")
        progress.update(state(1, new=(best,), best=best))
        progress.update(
            state(2, best=best, counts={Status.COMPLETED: 1}, stopped_because="max_trials: 1 trials were run")
        )
    text = file.getvalue()
    assert "\x1b[" in text
    assert "5 folds" in text
    assert text.rstrip().endswith("stopped: max_trials: 1 trials were run")


def test_an_update_is_cheap() -> None:
    console = Console(file=io.StringIO(), force_terminal=True)
    with LiveProgress("iris", console) as progress:
        begin = time.process_time()
        for number in range(2000):
            progress.update(state(number / 100, new=(ended(number),)))
        # A search makes hundreds of trials a second: at 1 ms the view would be what it waits for.
        assert (time.process_time() - begin) / 2000 < 0.001


@pytest.mark.parametrize(
    ("show", "terminal", "kind"),
    [(False, True, ProgressView), (True, False, PlainProgress), (True, True, LiveProgress)],
)
def test_the_view_suits_the_output(
    show: bool, terminal: bool, kind: type[ProgressView], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    console = Console(file=io.StringIO(), force_terminal=terminal)
    assert type(make_progress(show, title="iris", console=console)) is kind


def test_the_quiet_view_takes_everything() -> None:
    with ProgressView() as progress:
        progress.say("nothing")
        progress.update(state(1, new=(ended(0),)))
        progress.close()


def test_html_escapes_what_it_shows() -> None:
    tally = Tally()
    each = state(1, new=(ended(0, None, Status.FAILED, "a < b <script>"),))
    tally.add(each)
    html = to_html(view("iris", each, tally))
    assert "&lt;script&gt;" in html
    assert "<script>" not in html


def test_a_long_path_in_a_message_stays_whole_in_the_live_view() -> None:
    path = "/runs/" + "long/" * 20
    file = io.StringIO()
    progress = LiveProgress("iris", Console(file=file, width=40, force_terminal=True, color_system=None))
    progress.say(f"kept in {path}")
    progress.close()
    assert file.getvalue() == f"kept in {path}\n"


def test_the_final_training_has_a_line_of_its_own() -> None:
    final = RunningTrial(7, 1, "fast_net", {}, since=30.0, final=True)
    lines = plain(*(state(30.0 + n, running=(final,), remaining=412.0 - n) for n in range(3)))
    assert [line for line in lines if "final training" in line] == ["    30 s  final training: fast_net, 6:52"]
    assert "final training" in shown(state(31.0, running=(final,), remaining=400.0))
    assert "final training" not in shown(state(31.0, running=(RunningTrial(7, 1, "fast_net", {}, since=30.0),)))
