"""Views as search spaces name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.engine.space.library import shipped_spaces
from automl.engine.space.load import load_space
from automl.errors import SpaceError
from automl.learning.data.kinds import Column, ColumnKind, ImageColumn
from automl.learning.features.views import ViewChoice, check_view, find_view_mistakes

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


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution whose view cannot be imported."""
    information = tmp_path / "site" / "broken_view-1.0.dist-info"
    information.mkdir(parents=True)
    (tmp_path / "site" / "broken_view.py").write_text("raise RuntimeError('no licence')")
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-view\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[automl.views]\nbroken = broken_view:View\n")
    monkeypatch.syspath_prepend(tmp_path / "site")


@pytest.mark.usefixtures("broken")
def test_a_plugin_that_cannot_be_imported_is_said_where_it_is_asked_for_alone(tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(SPACE.format("{name: broken, size: 3}"))
    with pytest.raises(SpaceError, match=r"space\.yaml:5: .*the view 'broken' of broken_view:View .*no licence"):
        load(file)
    table = (Column("x", ColumnKind.NUMERIC, 0, 0),)
    with pytest.raises(SpaceError, match="no view 'raw'; choose one of 'numeric', 'native'"):
        check_view("raw", table)


def test_a_parameter_of_the_view_of_other_rows_is_refused_with_its_key() -> None:
    columns = (ImageColumn("image", ColumnKind.IMAGE, 0, 3, height=8, width=8, channels=1),)
    with pytest.raises(SpaceError, match=r"^view\.max_levels: the view 'numeric' of pictures has no parameters"):
        check_view({"name": "numeric", "max_levels": 9}, columns)


PLUGIN = """
from automl.learning.features.native import NativeView
from automl.options import Options

class Settings(Options):
    power: int

class Powered(NativeView):
    Settings = Settings

class Wilful(NativeView):
    def __init__(self, columns, settings=None):
        raise RuntimeError("not today")

class NoView: ...
"""


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("powered", r"^view\.power: is needed, but missing"),
        ({"name": "powered"}, r"^view\.power: is needed, but missing"),
        ("wilful", r"^view: the view 'wilful' cannot be made: not today"),
        ("no_view", r"^view: the view 'no_view' of odd_views:NoView is not a View"),
    ],
)
def test_a_plugin_that_makes_no_view_is_refused_with_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: ViewChoice, said: str
) -> None:
    information = tmp_path / "odd-1.0.dist-info"
    information.mkdir()
    (tmp_path / "odd_views.py").write_text(PLUGIN)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    points = "powered = odd_views:Powered\nwilful = odd_views:Wilful\nno_view = odd_views:NoView\n"
    (information / "entry_points.txt").write_text(f"[automl.views]\n{points}")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SpaceError, match=said):
        check_view(view, (Column("x", ColumnKind.NUMERIC, 0, 0),))
