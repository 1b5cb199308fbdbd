from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor

from automl.engine.space.space import AlgorithmSpace
from automl.engine.workspace.layout import TrialDirectory
from automl.errors import DataError, WorkspaceError
from automl.learning.algorithms.estimators import make_learner
from automl.learning.algorithms.pipeline import FittedPipeline
from automl.learning.data.columns import detect_columns
from automl.learning.ensemble.bag import ClassifierBag, RegressorBag, load_bag
from automl.learning.features.views import make_features
from automl.learning.training.oof import model_name, save_model

CLASSES = np.array(["cold", "hot", "mild"], dtype=object)


@pytest.fixture(scope="module")
def weather() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"degrees": rng.normal(15, 10, 120), "sky": rng.choice(["clear", "cloudy"], 120)})
    X["sky"] = X["sky"].astype("str")
    return X, np.array([0, 2, 1])[np.digitize(X["degrees"], [10, 20])]


def pipelines(X: pd.DataFrame, y: np.ndarray, classes: np.ndarray | None) -> list[FittedPipeline]:
    """Two, of different views, each trained on one half."""
    kind = "Classifier" if classes is not None else "Regressor"
    columns = detect_columns(X)
    models = []
    for view, rows in (("numeric", slice(0, 60)), ("native", slice(60, 120))):
        space = AlgorithmSpace(estimator=f"sklearn.tree.DecisionTree{kind}", view=view, fixed={"max_depth": 3})
        task = "classification" if classes is not None else "regression"
        learner = make_learner(space, {}, task=task, seed=0, threads=1, n_classes=None if classes is None else 3)
        features = make_features(view, columns)
        learner.fit(features.fit_transform(X[rows]), y[rows])
        models.append(FittedPipeline(features, learner, columns, classes))
    return models


@pytest.fixture(scope="module")
def classifier(weather: Any) -> ClassifierBag:
    X, y = weather
    return ClassifierBag(pipelines(X, y, CLASSES))


@pytest.fixture(scope="module")
def regressor(weather: Any) -> RegressorBag:
    X, _ = weather
    return RegressorBag(pipelines(X, X["degrees"].to_numpy() * 2, None))


def test_a_classifier_averages_probabilities(classifier: ClassifierBag, weather: Any) -> None:
    X, y = weather
    p = classifier.predict_proba(X)
    np.testing.assert_allclose(p, (classifier.models[0].predict(X) + classifier.models[1].predict(X)) / 2)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert classifier.score(X, CLASSES[y]) > 0.9
    assert is_classifier(classifier)


def test_labels_are_the_original_ones(classifier: ClassifierBag, weather: Any) -> None:
    X, _ = weather
    assert classifier.classes_.tolist() == ["cold", "hot", "mild"]
    labels = classifier.predict(X)
    assert labels.shape == (120,)
    assert set(labels) == set(CLASSES)


def test_a_regressor_averages_values(regressor: RegressorBag, weather: Any) -> None:
    X, _ = weather
    both = [model.predict(X) for model in regressor.models]
    np.testing.assert_allclose(regressor.predict(X), np.mean(both, axis=0))
    assert regressor.score(X, 2 * X["degrees"]) > 0.8
    assert is_regressor(regressor)


def test_weights_are_shares(regressor: RegressorBag, weather: Any) -> None:
    X, _ = weather
    first, second = (model.predict(X) for model in regressor.models)
    np.testing.assert_allclose(RegressorBag(regressor.models, [3, 1]).predict(X), 0.75 * first + 0.25 * second)
    np.testing.assert_array_equal(RegressorBag(regressor.models, [0, 2]).predict(X), second)


def test_columns_may_be_reordered_and_more(regressor: RegressorBag, weather: Any) -> None:
    X, _ = weather
    wider = X.assign(extra="x")[["extra", "sky", "degrees"]].set_axis(range(5, 125))
    np.testing.assert_array_equal(regressor.predict(wider), regressor.predict(X))


def test_an_array_of_the_same_width_is_taken_by_position(regressor: RegressorBag, weather: Any) -> None:
    X, _ = weather
    np.testing.assert_array_equal(regressor.predict(X.to_numpy(dtype=object)), regressor.predict(X))
    with pytest.raises(DataError):
        regressor.predict(X.to_numpy(dtype=object)[:, :1])


def test_a_missing_column_is_named(classifier: ClassifierBag, weather: Any) -> None:
    X, _ = weather
    with pytest.raises(DataError, match="degrees"):
        classifier.predict(X.drop(columns="degrees"))


def test_no_rows_are_refused(classifier: ClassifierBag, weather: Any) -> None:
    X, _ = weather
    with pytest.raises(DataError, match="no rows"):
        classifier.predict(X[:0])


def test_strange_cells_still_give_predictions(classifier: ClassifierBag) -> None:
    rows = pd.DataFrame({"degrees": [None, 1e300], "sky": ["green", None]})
    assert np.isfinite(classifier.predict_proba(rows)).all()


def test_raw_columns_are_described(classifier: ClassifierBag) -> None:
    assert classifier.feature_names_in_.tolist() == ["degrees", "sky"]
    assert classifier.n_features_in_ == 2


def test_a_bag_clones_pickles_and_stays_fitted(classifier: ClassifierBag, weather: Any) -> None:
    X, y = weather
    expected = classifier.predict_proba(X)
    for copy in (clone(classifier), pickle.loads(pickle.dumps(classifier)), clone(classifier).fit(X, y)):
        np.testing.assert_array_equal(copy.predict_proba(X), expected)


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_bag_is_loaded_from_the_models_of_a_trial(
    kind: str, tmp_path: Path, weather: Any, request: pytest.FixtureRequest
) -> None:
    X, _ = weather
    bag = request.getfixturevalue(kind)
    for fold, model in enumerate(bag.models):
        save_model(TrialDirectory(tmp_path), model_name(fold), model)
    loaded = load_bag(tmp_path / "models")
    assert type(loaded) is type(bag)
    np.testing.assert_array_equal(loaded.predict(X), bag.predict(X))


def test_a_directory_without_models_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="holds no models"):
        load_bag(tmp_path)
    (tmp_path / "fold_00.joblib").write_bytes(b"broken")
    with pytest.raises(WorkspaceError, match="Cannot read the model"):
        load_bag(tmp_path)
