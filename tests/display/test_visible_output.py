"""Names and labels are shown as they are, whatever a terminal would make of them."""

from __future__ import annotations

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from automl.display.leaderboard import print_leaderboard
from automl.display.listing import print_listing
from automl.display.plain import PlainProgress
from automl.display.plan import print_plan
from automl.display.terminal import VisibleConsole, only_visible, print_json
from automl.visible import visible

EVIL = "a\x1b]0;owned\x07\x9b31m\u202eb\rc\nd"
SHOWN = r"a\x1b]0;owned\x07\x9b31m\u202eb\rc\nd"
COMMANDS = "\x1b\x07\x9b\u202e\r"


def printed(show) -> str:
    file = io.StringIO()
    show(VisibleConsole(file=file, width=200, force_terminal=False))
    return file.getvalue()


@pytest.mark.parametrize(
    "show",
    [
        lambda console: print_plan({"classes": [EVIL], "columns": [{EVIL: 1, "kind": EVIL}]}, console),
        lambda console: print_plan({"found": [{"name": "x", "verdict": "alerted", "message": EVIL}]}, console),
        lambda console: print_listing([{"name": EVIL, "best": 1.0}], console=console),
        lambda console: print_leaderboard([{"rank": 1, "trial": 0, "algorithm": EVIL, "score": 1.0}], console=console),
    ],
    ids=["plan", "guardrails", "listing", "leaderboard"],
)
def test_every_report_shows_what_it_does_not_send(show) -> None:
    text = printed(show)
    assert SHOWN in text
    assert not set(COMMANDS) & set(text)


def test_a_live_terminal_obeys_rich_alone() -> None:
    file = io.StringIO()
    VisibleConsole(file=file, width=200, force_terminal=True, color_system="standard").print(
        Text("evil \x1b[31m", style="green")
    )
    assert "\x1b[32m" in file.getvalue()  # its own colour
    assert r"evil \x1b[31m" in file.getvalue()


def test_progress_in_lines_is_visible() -> None:
    file = io.StringIO()
    PlainProgress("name\x1b[2J", file).say("reading \x1b[31m")
    assert file.getvalue() == "name\\x1b[2J: reading \\x1b[31m\n"


def test_prints_are_visible_and_json_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    with only_visible():
        print("evil \x1b[31m")
        print("evil \x1b[31m", file=sys.stderr)
        print_json({"label": EVIL})
    out, err = capsys.readouterr()
    assert out.startswith("evil \\x1b[31m\n") and err == "evil \\x1b[31m\n"
    assert json.loads(out.partition("\n")[2]) == {"label": EVIL}


@given(st.text())
def test_what_is_visible_commands_nothing_and_changes_no_more(text: str) -> None:
    shown = visible(text, lines=False)
    assert shown.isprintable() or not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)
    assert visible(shown, lines=False) == shown
    shown.encode()  # no half of a surrogate pair is left
