"""Nothing that a file can give a known estimator leads to an import, a path or a socket."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from automl.learning.algorithms.libraries import Known, known_estimators

pytest.importorskip("catboost")
pytest.importorskip("torch")

HOSTILE: list[Any] = [
    "/etc/passwd",
    "./file",
    "~/file",
    "file.txt",
    "os.system",
    "evil",
    "http://127.0.0.1:9/",
    "127.0.0.1:12400",
    "1 forcedsplits_filename=/etc/passwd",
    "a=b",
    "a;b=c",
    "",
    ["/etc/passwd"],
    [[1, ["os.system"]]],
    {"train_dir": "/tmp/x"},
    {"a": {"b": ["/etc/passwd"]}},
    {"/etc/passwd": 1},
]


@pytest.mark.parametrize("known", known_estimators(), ids=lambda known: known.path)
def test_no_argument_is_given_a_text_that_its_library_does_not_list(known: Known) -> None:
    for name, argument in known.arguments().items():
        for value in HOSTILE:
            assert argument.refused(value) is not None, (name, value)


@pytest.mark.parametrize("known", known_estimators(), ids=lambda known: known.path)
def test_no_list_of_texts_holds_a_path_or_an_address(known: Known) -> None:
    for name, argument in known.arguments().items():
        for word in argument.words:
            assert not set(word) & set("/\\.=~") and "://" not in word, (name, word)


@pytest.mark.parametrize("every", [101, pytest.param(1, marks=pytest.mark.slow)])
def test_fitting_with_hostile_values_reaches_nothing(every: int, tmp_path: Path) -> None:
    """Without the judgement of texts: so that an argument that takes a path by another name would be found."""
    script = Path(__file__).with_name("watched.py")
    done = subprocess.run(
        [sys.executable, str(script), str(every), str(tmp_path)],
        capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *found, count, control = done.stdout.splitlines()
    assert found == []
    tried, fitted = (int(text.split()[0]) for text in count.split(","))
    assert tried > 10_000 / every  # every class and argument, with words, numbers and what wants to get out
    assert 0 < fitted < tried
    assert "open" in control and "left" in control  # it would have been seen
