"""Only estimators of known packages are imported, whatever a file says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automl.errors import MissingExtraError, SpaceError, TrustError
from automl.space import trust as trust_module
from automl.space.load import load_space
from automl.space.trust import check_estimators, check_trust, resolve_estimator


@pytest.mark.parametrize(
    "path", ["sklearn.linear_model.LogisticRegression", "lightgbm.LGBMClassifier", "sklearn.svm._classes.SVC"]
)
def test_estimators_of_allowed_packages(path: str) -> None:
    assert resolve_estimator(path, trust=False).__name__ == path.split(".")[-1]


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        ("os.system", TrustError, "outside the allowed packages"),
        ("sklearn_evil.Model", TrustError, "outside the allowed packages"),
        ("sklearn.calibration.signature", TrustError, "is a function, no estimator class"),
        ("sklearn.base.clone", TrustError, "is a function"),
        ("sklearn.os", TrustError, "is a module, no estimator class"),
        ("sklearn.base.os.system", SpaceError, "does not exist"),
        ("sklearn.externals.os.system", SpaceError, "does not exist"),
        ("sklearn.datasets._base.Path", TrustError, "outside the allowed packages"),
        ("sklearn.linear_model.__builtins__", TrustError, "Python's own"),
        ("sklearn.__loader__.Model", TrustError, "Python's own"),
        ("sklearn.utils.Bunch", SpaceError, "is no estimator: it has no fit"),
        ("sklearn.preprocessing.StandardScaler", SpaceError, "no predict"),
        ("sklearn.linear_model.LogisticRegresion", SpaceError, "has no LogisticRegresion"),
        ("sklearn.lineer_model.LogisticRegression", SpaceError, "there is no module sklearn.lineer_model"),
        ("LogisticRegression", SpaceError, "no import path"),
        ("sklearn..svm.SVC", SpaceError, "no import path"),
        ("", SpaceError, "no import path"),
    ],
)
def test_refused(path: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        resolve_estimator(path, trust=False)


def test_os_system_through_an_allowed_package_is_found_and_refused() -> None:
    import sklearn.datasets._base as reached

    holder = next(name for name, value in vars(reached).items() if value is sys.modules["os"])
    assert holder == "os"
    with pytest.raises(TrustError, match="is a module"):
        resolve_estimator("sklearn.datasets._base.os", trust=False)
    with pytest.raises(SpaceError, match="does not exist"):
        resolve_estimator("sklearn.datasets._base.os.system", trust=False)


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module outside the allowed packages that leaves a mark when it is imported."""
    mark = tmp_path / "imported"
    (tmp_path / "outside_model.py").write_text(
        f"open({str(mark)!r}, 'w').close()\n"
        "class Model:\n"
        "    def fit(self, X, y): return self\n"
        "    def predict(self, X): return X\n"
        "    def get_params(self, deep=True): return {}\n"
        "def build(): return Model()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield mark
    sys.modules.pop("outside_model", None)


def test_nothing_outside_is_imported_without_trust(outside: Path) -> None:
    with pytest.raises(TrustError, match=r"pass --trust \(in Python trust=True\)"):
        resolve_estimator("outside_model.Model", trust=False)
    assert not outside.exists()


def test_with_trust_it_is_but_must_still_be_an_estimator(outside: Path) -> None:
    assert resolve_estimator("outside_model.Model", trust=True).__name__ == "Model"
    with pytest.raises(SpaceError, match="is a function, no estimator class"):
        resolve_estimator("outside_model.build", trust=True)
    with pytest.raises(MissingExtraError, match="nowhere_at_all is not installed"):
        resolve_estimator("nowhere_at_all.Model", trust=True)
    with pytest.raises(SpaceError, match="part of a script, which workers cannot import: put Model into a module"):
        resolve_estimator("__main__.Model", trust=True)


def test_packages_of_installed_plugins_are_allowed(
    outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    information = tmp_path / "outside_plugin-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: outside-plugin\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[automl.algorithms]\nmodel = outside_model:Model\n")
    trust_module._plugin_packages.cache_clear()
    try:
        assert resolve_estimator("outside_model.Model", trust=False).__name__ == "Model"
    finally:
        trust_module._plugin_packages.cache_clear()


def space_with(**algorithm: Any) -> Any:
    return load_space({"algorithms": {"a": algorithm}}, task="classification")


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_shipped_spaces_need_no_trust(task: str) -> None:
    check_trust(load_space(None, task=task), trust=False)


def test_a_space_is_checked_without_importing(outside: Path) -> None:
    with pytest.raises(TrustError, match=r"algorithms.a.estimator: outside_model.Model is outside"):
        check_trust(space_with(estimator="outside_model.Model"), trust=False)
    check_trust(space_with(estimator="outside_model.Model"), trust=True)
    assert not outside.exists()


def test_estimators_are_looked_for_before_the_search(outside: Path) -> None:
    misspelt = space_with(estimator="sklearn.svm.LinearSVCs")
    with pytest.raises(SpaceError, match=r"^search\.space\.algorithms\.a\.estimator: .*did you mean 'LinearSVC'"):
        check_estimators(misspelt, trust=False)
    with pytest.raises(SpaceError, match=r"algorithms\.a\.estimator: is needed"):
        check_estimators(space_with(), trust=False)
    absent = {"estimator": "not_installed_at_all.Model"}
    with pytest.raises(
        SpaceError, match=r"^search\.space\.algorithms\.a\.estimator: .*run where it lies if it is yours"
    ):
        check_estimators(space_with(**absent), trust=True)
    check_estimators(
        space_with(**absent, requires="not_installed_at_all"), trust=True
    )  # left out of the search instead
    check_estimators(space_with(estimator="outside_model.Model"), trust=True)
    assert outside.exists()


def test_estimators_of_the_shipped_spaces_are_known_without_importing_them() -> None:
    code = (
        "import sys; from automl.space.load import load_space; from automl.space.trust import check_estimators; "
        "check_estimators(load_space(None, task='classification'), trust=False); "
        "print([m for m in ('sklearn', 'lightgbm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("argument", ["train_dir", "machines", "memory"])
def test_arguments_that_reach_outside_the_process_need_trust(argument: str) -> None:
    space = space_with(estimator="catboost.CatBoostClassifier", fixed={argument: "/tmp/x"})
    with pytest.raises(TrustError, match=rf"algorithms.a.fixed.{argument}: .*reaches files or other machines"):
        check_trust(space, trust=False)
    check_trust(space, trust=True)
