"""Only known estimators are imported, and given what cannot reach outside the process, whatever a file says."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automl.engine.space.load import load_space
from automl.engine.space.space import AlgorithmSpace
from automl.errors import MissingExtraError, SpaceError, TrustError
from automl.learning.algorithms.estimators import make_learner
from automl.learning.algorithms.libraries import Known, known_estimators, plugin_packages
from automl.learning.algorithms.trust import check_estimators, check_trust, resolve_estimator


@pytest.mark.parametrize(
    "path", ["sklearn.linear_model.LogisticRegression", "lightgbm.LGBMClassifier", "sklearn.svm._classes.SVC"]
)
def test_known_estimators_need_no_trust(path: str) -> None:
    assert resolve_estimator(path, trust=False).__name__ == path.split(".")[-1]


@pytest.mark.parametrize("known", known_estimators(), ids=lambda known: known.path)
def test_every_known_estimator_is_there(known: Known) -> None:
    assert inspect.isclass(known.load())


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        ("os.system", TrustError, "outside the allowed packages"),
        ("sklearn_evil.Model", TrustError, "outside the allowed packages"),
        ("automl.AutoMLClassifier", TrustError, "none of the estimators that a file may name"),
        ("automl.estimators.AutoMLRegressor", TrustError, "none of the estimators"),
        ("automl.learning.algorithms.nets.classifier.NetClassifier", TrustError, "none of the estimators"),
        ("automl.api.search.fit", TrustError, "none of the estimators"),
        ("automl.learning.algorithms.ridge.sys", SpaceError, "does not exist"),
        ("sklearn.model_selection.GridSearchCV", TrustError, "none of the estimators"),
        ("sklearn.pipeline.Pipeline", TrustError, "none of the estimators"),
        ("sklearn.ensemble.VotingClassifier", TrustError, "none of the estimators"),
        ("sklearn.preprocessing.FunctionTransformer", TrustError, "none of the estimators"),
        ("sklearn.feature_extraction.text.TfidfVectorizer", TrustError, "none of the estimators"),
        ("sklearn.base.os.system", TrustError, "none of the estimators"),
        ("sklearn.utils._testing.MinimalClassifier", TrustError, "none of the estimators"),
        ("lightgbm.DaskLGBMClassifier", TrustError, "none of the estimators"),
        ("lightgbm.dask.DaskLGBMRegressor", TrustError, "none of the estimators"),
        ("xgboost.dask.DaskXGBClassifier", TrustError, "none of the estimators"),
        ("xgboost.spark.SparkXGBClassifier", TrustError, "none of the estimators"),
        ("catboost.CatBoost", TrustError, "none of the estimators"),
        ("sklearn.linear_model.__builtins__", TrustError, "Python's own"),
        ("sklearn.__loader__.Model", TrustError, "Python's own"),
        ("sklearn.lineer_model.Lasso", TrustError, "did you mean 'sklearn.linear_model.Lasso'"),
        ("sklearn.svm.LinearSVCs", SpaceError, "the module sklearn.svm has no LinearSVCs; did you mean 'LinearSVC'"),
        ("sklearn.svm.tests.test_svm.SVC", SpaceError, "does not exist; write sklearn.svm.SVC"),
        ("LogisticRegression", SpaceError, "not an import path"),
        ("sklearn..svm.SVC", SpaceError, "not an import path"),
        ("", SpaceError, "not an import path"),
    ],
)
def test_refused(path: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        resolve_estimator(path, trust=False)
    assert "sklearn.svm.tests.test_svm" not in sys.modules


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("sklearn.base.clone", "is a function, not an estimator class"),
        ("sklearn.utils.Bunch", "is not an estimator: it has no fit"),
        ("sklearn.preprocessing.StandardScaler", "no predict"),
        ("sklearn.linear_model.LogisticRegresion", "has no LogisticRegresion; did you mean 'LogisticRegression'"),
        ("sklearn.lineer_model.LogisticRegression", "there is no module sklearn.lineer_model"),
    ],
)
def test_with_trust_it_has_to_be_an_estimator(path: str, said: str) -> None:
    with pytest.raises(SpaceError, match=said):
        resolve_estimator(path, trust=True)


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
    with pytest.raises(SpaceError, match="is a function, not an estimator class"):
        resolve_estimator("outside_model.build", trust=True)
    with pytest.raises(MissingExtraError, match="nowhere_at_all is not installed"):
        resolve_estimator("nowhere_at_all.Model", trust=True)
    with pytest.raises(SpaceError, match="part of a script, which workers cannot import: put Model into a module"):
        resolve_estimator("__main__.Model", trust=True)


@pytest.fixture
def plugin(outside: Path, tmp_path: Path) -> Iterator[Path]:
    """The same module, announced by an installed distribution, and what a plugin may have in its package besides."""
    information = tmp_path / "outside_plugin-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: outside-plugin\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[automl.algorithms]\nmodel = outside_model:Model\n")
    with (tmp_path / "outside_model.py").open("a") as file:
        file.write("from automl import AutoMLClassifier\nclass Search(AutoMLClassifier): pass\n")
    plugin_packages.cache_clear()
    yield outside
    plugin_packages.cache_clear()


def test_packages_of_installed_plugins_are_allowed(plugin: Path) -> None:
    assert resolve_estimator("outside_model.Model", trust=False).__name__ == "Model"


@pytest.mark.parametrize(
    ("name", "said"),
    [("AutoMLClassifier", "is defined in automl.estimators"), ("Search", "is itself a search, as AutoML")],
)
def test_a_plugin_does_not_pass_on_what_searches(plugin: Path, name: str, said: str) -> None:
    with pytest.raises(TrustError, match=said):
        resolve_estimator(f"outside_model.{name}", trust=False)


@pytest.mark.parametrize("value", [3, True, None, "l1_ratio-2", [1, "mean"], {"a": {"b": 0.5}}])
def test_a_plugin_is_given_plain_values(plugin: Path, value: Any) -> None:
    check_estimators(space_with(estimator="outside_model.Model", fixed={"anything": value}), trust=False)


@pytest.mark.parametrize(
    ("value", "below"),
    [
        ("/etc/passwd", ""),
        ("os.system", ""),
        ("http:", ""),
        ("a=b", ""),
        (["ok", "../x"], r"\[1\]"),
        ({"a": {"b": "~/x"}}, r"\.a\.b"),
        ({"m.C": 1}, r"\.m\.C"),
    ],
)
def test_but_no_text_that_could_be_a_path(plugin: Path, value: Any, below: str) -> None:
    space = space_with(estimator="outside_model.Model", fixed={"anything": value})
    with pytest.raises(TrustError, match=rf"^search\.space\.algorithms\.a\.fixed\.anything{below}: a file may not set"):
        check_estimators(space, trust=False)
    check_estimators(space, trust=True)


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
        check_trust(misspelt, trust=False)
    with pytest.raises(SpaceError, match=r"^search\.space\.algorithms\.a\.estimator: .*did you mean 'LinearSVC'"):
        check_estimators(misspelt, trust=True)
    with pytest.raises(SpaceError, match=r"algorithms\.a\.estimator: is needed"):
        check_estimators(space_with(), trust=False)
    absent = {"estimator": "not_installed_at_all.Model"}
    with pytest.raises(
        SpaceError, match=r"^search\.space\.algorithms\.a\.estimator: .*if it is yours, run from its folder"
    ):
        check_estimators(space_with(**absent), trust=True)
    check_estimators(
        space_with(**absent, requires="not_installed_at_all"), trust=True
    )  # left out of the search instead
    check_estimators(space_with(estimator="outside_model.Model"), trust=True)
    assert outside.exists()


def test_estimators_of_the_shipped_spaces_are_known_without_importing_them() -> None:
    code = (
        "import sys; from automl.engine.space.load import load_space; "
        "from automl.learning.algorithms.trust import check_estimators; "
        "check_estimators(load_space(None, task='classification'), trust=False); "
        "print([m for m in ('sklearn', 'lightgbm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


CATBOOST, LIGHTGBM, XGBOOST = "catboost.CatBoostClassifier", "lightgbm.LGBMClassifier", "xgboost.XGBClassifier"
FOREST, NEIGHBORS = "sklearn.ensemble.RandomForestClassifier", "sklearn.neighbors.KNeighborsClassifier"
NET = "automl.learning.algorithms.nets.resnet.ResNet"


@pytest.mark.parametrize(
    ("estimator", "argument", "value"),
    [
        (CATBOOST, "train_dir", "/tmp/x"),
        (CATBOOST, "allow_writing_files", True),
        (CATBOOST, "params", {"train_dir": "/tmp/x"}),
        (CATBOOST, "callback", "os.system"),
        (CATBOOST, "devices", "0"),
        (CATBOOST, "loss_function", "evil.Loss"),
        (CATBOOST, "class_weights", {"0": {"train_dir": "/tmp/x"}}),
        (LIGHTGBM, "fs", "/tmp/x"),
        (LIGHTGBM, "forced_splits_file", "/tmp/x"),
        (LIGHTGBM, "mlist", "/tmp/x"),
        (LIGHTGBM, "nodes", "10.0.0.1:12400"),
        (LIGHTGBM, "local_port", 12400),
        (LIGHTGBM, "num_machines", 2),
        (LIGHTGBM, "config", "/tmp/x"),
        (LIGHTGBM, "params", {"machines": "10.0.0.1:12400"}),
        (LIGHTGBM, "objective", "binary forcedsplits_filename=/tmp/x"),
        (LIGHTGBM, "monotone_constraints", [1, "0 fs=/tmp/x"]),
        (XGBOOST, "process_type", "update"),
        (XGBOOST, "updater", "refresh"),
        (XGBOOST, "kwargs", {"updater": "refresh"}),
        (XGBOOST, "callbacks", ["evil.Callback"]),
        (XGBOOST, "interaction_constraints", "[[0, 1]]"),
        (FOREST, "memory", "/tmp/x"),
        (FOREST, "criterion", "evil.Criterion"),
        (FOREST, "class_weight", {"a": "/tmp/x"}),
        (NEIGHBORS, "metric", "evil.distance"),
        (NEIGHBORS, "metric_params", {"func": "evil.distance"}),
        ("sklearn.ensemble.BaggingClassifier", "estimator", "evil.Evil"),
        ("sklearn.gaussian_process.GaussianProcessClassifier", "kernel", "evil.Kernel"),
        (NET, "module", "evil.Evil"),
        (NET, "module_params", {"a": 1}),
        (NET, "optimizer", "evil.Optimizer"),
    ],
)
@pytest.mark.parametrize("part", ["fixed", "params"])
def test_what_reaches_outside_the_process_needs_trust(estimator: str, argument: str, value: Any, part: str) -> None:
    given = value if part == "fixed" else {"type": "categorical", "choices": [value]}
    space = space_with(estimator=estimator, **{part: {argument: given}})
    with pytest.raises(TrustError, match=rf"^search\.space\.algorithms\.a\.{part}\.{argument}.*pass --trust"):
        check_trust(space, trust=False)
    check_trust(space, trust=True)


@pytest.mark.parametrize(
    ("estimator", "fixed"),
    [
        (CATBOOST, {"loss_function": "Focal:focal_alpha=0.5;focal_gamma=1e-1", "allow_writing_files": False}),
        (LIGHTGBM, {"bagging_fraction": 0.5, "lambda_l1": 1, "monotone_constraints": [1, -1], "objective": "binary"}),
        (XGBOOST, {"eta": 0.1, "eval_metric": ["logloss", "auc"], "interaction_constraints": [[0, 1], [2]]}),
        (FOREST, {"class_weight": {0: 1.0, 1: 3.0}, "max_features": "sqrt", "criterion": "entropy"}),
        ("sklearn.neural_network.MLPClassifier", {"hidden_layer_sizes": [64, 32], "activation": "tanh"}),
        (NET, {"device": "cuda:1", "width": "auto", "optimizer": "adamw"}),
    ],
)
def test_what_only_says_how_to_train_needs_none(estimator: str, fixed: dict[str, Any]) -> None:
    check_trust(space_with(estimator=estimator, fixed=fixed), trust=False)


def test_a_misspelt_argument_or_value_names_the_nearest() -> None:
    with pytest.raises(TrustError, match="no argument 'n_estimator' that a file may set; did you mean 'n_estimators'"):
        check_trust(space_with(estimator=FOREST, fixed={"n_estimator": 5}), trust=False)
    with pytest.raises(TrustError, match="'criterion' of RandomForestClassifier to 'ginni'; did you mean 'gini'"):
        check_trust(space_with(estimator=FOREST, fixed={"criterion": "ginni"}), trust=False)


def test_a_record_gives_a_learner_no_more_than_a_file() -> None:
    entry = AlgorithmSpace(estimator=CATBOOST)
    with pytest.raises(TrustError, match="train_dir"):
        make_learner(entry, {"train_dir": "/tmp/x"}, task="classification", seed=0, threads=1, n_classes=2)


_EXPLOIT = """
task: classification
data: iris
limits: {max_trials: 1}
search:
  space:
    algorithms:
      z:
        estimator: %s
        fixed:
          trust: true
          workspace: anywhere
          groups: {search: {space: {algorithms: {z: {estimator: outside_model.Model}}}}}
"""


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("run", "automl.AutoMLClassifier"),
        ("plan", "automl.AutoMLClassifier"),
        ("validate", "automl.estimators.AutoMLClassifier"),
    ],
)
def test_a_search_inside_a_search_is_refused_in_one_sentence(
    command: str, path: str, outside: Path, tmp_path: Path
) -> None:
    file = tmp_path / "nested.yaml"
    file.write_text(_EXPLOIT % path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "automl", command, str(file)],
        capture_output=True, text=True, env=environment, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"nested.yaml:9: search.space.algorithms.z.estimator: {path} is none of" in done.stderr
    assert not outside.exists()
    assert not (tmp_path / "anywhere").exists()
