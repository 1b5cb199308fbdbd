"""Views as search spaces name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.engine.space.library import shipped_spaces
from automl.engine.space.load import load_space
from automl.errors import SpaceError
from automl.learning.data.kinds import ColumnKind, ImageColumn
from automl.learning.features.views import check_view, find_view_mistakes

SPACE = """
algorithms:
  tree:
    estimator: sklearn.tree.DecisionTreeClassifier
    view: {}
"""


def load(source: object) -> None:
    load_space(source, task="classification", check=find_view_mistakes)  # type: ignore[arg-type]


@pytest.mark.parametrize("file", shipped_spaces().values(), ids=lambda file: file.stem)
def test_the_shipped_spaces_name_views_that_exist(file: Path) -> None:
    load(file)


def test_a_misspelt_view_is_refused_with_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(SPACE.format("nativ"))
    with pytest.raises(SpaceError, match=r"space\.yaml:5: algorithms\.tree\.view: there is no view 'nativ'; did you"):
        load(file)


def test_a_misspelt_view_of_an_inline_space_is_refused_with_its_key() -> None:
    algorithms = {"tree": {"estimator": "sklearn.tree.DecisionTreeClassifier", "view": "raw"}}
    said = r"^search\.space\.algorithms\.tree\.view: there is no view 'raw'; choose one of 'numeric', 'native', 'hog'"
    with pytest.raises(SpaceError, match=said):
        load({"algorithms": algorithms})


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("{name: numeric, max_levls: 9}", r"view\.max_levls: unknown key; did you mean 'max_levels'\?"),
        ("{name: numeric, max_levels: 0}", r"view\.max_levels: must be at least 1, found 0"),
        ("{name: native, max_levels: 9}", r"view\.max_levels: unknown key; the keys here are dates, words"),
        ("{name: native, dates: [days, hours]}", r"view\.dates\[1\]: expected one of days, .*; did you mean 'hour'\?"),
        ("{name: hog, cells: 4}", r"view\.cells: the view 'hog' of pictures has no parameters"),
        ("{name: nativ}", r"view\.name: there is no view 'nativ'; did you mean 'native'\?"),
    ],
)
def test_a_wrong_parameter_is_refused_with_file_line_and_key(tmp_path: Path, view: str, said: str) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(SPACE.format(view))
    with pytest.raises(SpaceError, match=rf"space\.yaml:5: algorithms\.tree\.{said}"):
        load(file)


def test_a_parameter_of_the_view_of_other_rows_is_refused_with_its_key() -> None:
    columns = (ImageColumn("image", ColumnKind.IMAGE, 0, 3, height=8, width=8, channels=1),)
    with pytest.raises(SpaceError, match=r"^view\.max_levels: the view 'numeric' of pictures has no parameters"):
        check_view({"name": "numeric", "max_levels": 9}, columns)
