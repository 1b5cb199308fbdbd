"""Views as search spaces name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.engine.space.library import shipped_spaces
from automl.engine.space.load import load_space
from automl.errors import SpaceError
from automl.learning.features.views import find_view_mistakes

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
