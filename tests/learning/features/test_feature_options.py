from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from automl.learning.data.kinds import ColumnKind
from automl.learning.features.options import FeatureOptions


def test_options_take_kinds_and_columns_to_drop() -> None:
    options = FeatureOptions(columns={"zip": "categorical"}, drop=["id"])
    assert options.columns == {"zip": "categorical"}
    assert options.drop == ("id",)


def test_every_kind_that_can_be_declared_is_one_of_a_columns() -> None:
    for kind in ("numeric", "categorical", "boolean", "date", "text"):
        assert ColumnKind(FeatureOptions(columns={"a": kind}).columns["a"]).is_used


@pytest.mark.parametrize("wrong", [{"mode": "deep"}, {"columns": {"a": "number"}}, {"dropped": ["a"]}])
def test_what_does_nothing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FeatureOptions(**wrong)


def test_options_import_no_heavy_library() -> None:
    heavy = "{'numpy', 'pandas', 'sklearn'}"
    code = f"import sys, automl.learning.features.options; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
