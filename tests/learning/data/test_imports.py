"""What reading options and Iris must not import."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        (
            "import automl.learning.data.options, automl.learning.data.catalogue",
            {"pandas", "numpy", "sklearn", "fsspec"},
        ),
        ("import automl.learning.data.load", {"pandas", "sklearn", "fsspec"}),
        (
            "from automl.learning.data.load import load_table; load_table('iris', task='classification')",
            {"sklearn", "scipy", "fsspec", "polars"},
        ),
    ],
)
def test_nothing_heavy_is_imported(code: str, unwanted: set[str]) -> None:
    script = f"import sys; {code}; print(sorted({unwanted!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
