"""Files and mappings that become a search space, and what is said about those that do not."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from automl.engine.space.load import available, load_parameters, load_space
from automl.errors import MissingExtraError, SpaceError

SMALL: dict[str, Any] = {
    "algorithms": {
        "tree": {
            "estimator": "sklearn.tree.DecisionTreeClassifier",
            "fixed": {"criterion": "gini"},
            "params": {"max_depth": {"type": "int", "low": 1, "high": 8, "default": 4}},
        },
        "far": {"estimator": "not_installed_at_all.Model", "max_rows": 100},
    },
    "portfolio": [{"algorithm": "tree"}, {"algorithm": "far"}, {"algorithm": "tree", "params": {"max_depth": 2}}],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    import copy

    whole = copy.deepcopy(SMALL)
    *parents, last = path.split("/")
    place: Any = whole
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    place[last] = value
    return whole


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        (changed("algorithms/tree/estimtor", "x.Y"), "algorithms.tree.estimtor: unknown key; did you mean 'estimator'"),
        (changed("algorithms/tree/view", 3), "algorithms.tree.view: expected a text or a mapping, found 3"),
        (changed("algorithms/tree/view", {"levels": 3}), "algorithms.tree.view.name: is needed: the name of a view"),
        (changed("algorithms/tree/cost", 0), "algorithms.tree.cost"),
        (changed("algorithms/tree/estimator", "Tree"), "algorithms.tree.estimator: 'Tree' is not an import path"),
        (changed("algorithms/tree/estimator", "a.b c"), "not an import path"),
        (changed("algorithms/tree/fixed", {"max_depth": 3}), "algorithms.tree.fixed.max_depth: is searched over"),
        (changed("algorithms/tree/params/max_depth/low", 9), r"algorithms.tree.params.max_depth: low \(9\)"),
        (changed("algorithms/tree", None), "algorithms.tree: expected a mapping with keys among estimator, "),
        (changed("algorithms/tree/inherited", ["max_dept"]), r"inherited\[0\]: .*did you mean 'max_depth'"),
        (changed("algorithms", {}), "algorithms: must not be empty"),
        (changed("portfolio/0/algorithm", "tre"), r"portfolio\[0\]\.algorithm: .*did you mean 'tree'"),
        (
            changed("portfolio/0/algoritm", "tree"),
            r"^search\.space\.portfolio\[0\]\.algoritm: unknown key; did you mean 'algorithm'",
        ),
        (
            changed("portfolio/2/params", {"max_dept": 2}),
            r"portfolio\[2\]\.params\.max_dept: .*did you mean 'max_depth'",
        ),
        (changed("portfolio/2/params", {"max_depth": 9}), r"portfolio\[2\]\.params\.max_depth: 9 is outside 1 to 8"),
        (changed("portfolios", []), "portfolios: unknown key; did you mean 'portfolio'"),
        (changed("format_version", 99), "format_version: 99 is newer"),
        ({"tree": {}}, "search.space.algorithms: is needed"),
    ],
)
def test_mistakes_are_named_by_key(definition: dict[str, Any], said: str) -> None:
    with pytest.raises(SpaceError, match=said):
        load_space(definition, task="classification")


def test_the_key_of_a_mistake_begins_where_the_mapping_stands() -> None:
    with pytest.raises(SpaceError) as caught:
        load_space(changed("algorithms/tree/cost", "much"), task="classification")
    assert caught.value.key == "search.space.algorithms.tree.cost"
    with pytest.raises(SpaceError) as caught:
        load_parameters({"x": 1}, key="here")
    assert caught.value.key == "here.x"


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "space.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_mistake_in_a_file_has_file_and_line(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "algorithms:\n  tree:\n    estimator: sklearn.tree.DecisionTreeClassifier\n"
        "    params:\n      max_depth: {type: int, low: 9, high: 3}\n",
    )
    with pytest.raises(SpaceError, match=r"space.yaml:5: algorithms.tree.params.max_depth: low \(9\)") as caught:
        load_space(path, task="classification")
    assert caught.value.line == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"space\.yaml: the file is empty"),
        ("- 1\n- 2\n", r"space\.yaml:1: expected 'key: value' lines"),
        ("a: [1\nb: 2\n", r"space\.yaml:\d: not valid YAML"),
        ("algorithms:\n  a: {}\n  a: {}\n", r"space\.yaml:3: algorithms\.a: given twice, first on line 2"),
        ("algorithms: !!map {}\n", r"space\.yaml:1: the tag !!map is not allowed"),
        (
            "algorithms:\n  a:\n    estimtor: sklearn.svm.SVC\n  b:\n    cost: true\nportfoli: []\n",
            r"space\.yaml:3: .*'estimator'\?\n.*space\.yaml:5: .*found true\.\n.*space\.yaml:6: .*'portfolio'\?",
        ),
    ],
)
def test_files_that_are_no_space(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(SpaceError, match=said):
        load_space(written(tmp_path, text), task="classification")


def test_a_missing_file(tmp_path: Path) -> None:
    written(tmp_path, "algorithms: {}")
    with pytest.raises(SpaceError, match=r"search\.space: There is no file .*spcae\.yaml\. Did you mean 'space\.yaml'"):
        load_space(tmp_path / "spcae.yaml", task="classification")


def test_a_command_space_is_the_mapping_itself(tmp_path: Path) -> None:
    text = "format_version: 1\nlr: {type: float, low: 1e-4, high: 1, log: true}\n"
    assert list(load_parameters(written(tmp_path, text))) == ["lr"]
    with pytest.raises(SpaceError, match=r"space\.yaml:1: format_version: 7 is newer"):
        load_parameters(written(tmp_path, "format_version: 7\n"))


def test_a_task_without_a_shipped_space() -> None:
    with pytest.raises(SpaceError, match="no search space is shipped for the task 'knitting'"):
        load_space(None, task="knitting")


def test_what_is_not_installed_is_left_out_with_one_line() -> None:
    space, out = available(load_space(SMALL, task="classification"))
    assert list(space.algorithms) == ["tree"]
    assert [entry.algorithm for entry in space.portfolio] == ["tree", "tree"]
    assert [(e.algorithm, e.reason) for e in out] == [("far", "far: not_installed_at_all is not installed")]


def test_what_was_asked_for_by_name_must_be_installed() -> None:
    with pytest.raises(MissingExtraError, match="far was asked for, but not_installed_at_all is not installed"):
        available(load_space(SMALL, task="classification"), asked=["far"])


def test_an_extra_is_named_where_it_brings_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "xgboost" else find(name))
    _, out = available(load_space(None, task="regression"))
    assert [e.reason for e in out] == ["xgboost is not installed: pip install 'automl-search[boosters]' to try xgboost"]


def test_algorithms_for_small_tables_are_left_out_of_large_ones_unless_asked_for() -> None:
    space = load_space(None, task="classification")
    small, none_out = available(space, n_rows=1000)
    assert "rbf_svm" in small.algorithms
    assert not none_out
    large, out = available(space, n_rows=30_000)
    assert "rbf_svm" not in large.algorithms
    assert "rbf_svm is tried up to 20,000 rows; there are 30,000" in [e.reason for e in out]
    assert "rbf_svm" in available(space, n_rows=30_000, asked=["rbf_svm"])[0].algorithms


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(SpaceError, match="no algorithm of the search space can run here"):
        available(load_space(SMALL, task="classification").only(["far"]))


def test_restrict() -> None:
    space = load_space(SMALL, task="classification")
    assert list(space.restrict(allow=["tree"]).algorithms) == ["tree"]
    assert list(space.restrict(block=["tree"]).algorithms) == ["far"]
    with pytest.raises(SpaceError, match=r"search\.algorithms\.allow: .*did you mean 'tree'"):
        space.restrict(allow=["tre"])
    with pytest.raises(SpaceError, match="no algorithm is left"):
        space.restrict(allow=["tree"], block=["tree"])


def test_a_portfolio_entry_is_completed_by_defaults() -> None:
    space = load_space(SMALL, task="classification")
    assert [space.configuration(e) for e in space.portfolio] == [{"max_depth": 4}, {}, {"max_depth": 2}]


def test_loading_imports_no_heavy_library() -> None:
    code = (
        "import sys; from automl.engine.space.load import load_space, available; "
        "available(load_space(None, task='classification')); import automl.learning.validation.options; "
        "print([m for m in ('optuna', 'sklearn', 'pandas', 'numpy', 'ray') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
