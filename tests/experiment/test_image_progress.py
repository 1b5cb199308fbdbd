"""A bar where somebody watches, and nothing elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image


def decode_below(terminal: bool, root: Path, progress: bool) -> str:
    """What a process that prepares an experiment on pictures writes to standard error, a terminal or a pipe."""
    code = f"""
from automl.config.reader import build_config
from automl.learning.problem.inputs import LearningInputs
from automl.learning.problem.problem import LearningProblem
config = build_config({{"task": "image_classification", "data": {str(root)!r}}})
LearningProblem.prepare(config, LearningInputs(progress={progress}))
"""
    ours, theirs = os.openpty() if terminal else os.pipe()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen([sys.executable, "-c", code], stderr=theirs, env=environment)
    os.close(theirs)
    written = b""
    while True:
        try:
            block = os.read(ours, 4096)
        except OSError:  # a terminal whose other end is closed
            break
        if not block:
            break
        written += block
    os.close(ours)
    assert process.wait() == 0
    return written.decode()


@pytest.mark.parametrize(("terminal", "progress"), [(True, True), (True, False), (False, True)])
def test_a_bar_is_shown_to_people_who_want_one(tmp_path: Path, terminal: bool, progress: bool) -> None:
    for number in range(10):
        file = tmp_path / "shapes" / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (12, 12), 20 * number).save(file)
    written = decode_below(terminal, tmp_path / "shapes", progress)
    if terminal and progress:
        assert "Decoding pictures" in written
    else:
        assert written == ""
