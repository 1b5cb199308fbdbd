from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from automl.errors import RegistryError
from automl.registry import tags
from automl.registry.candidate import CHAMPION, Candidate
from automl.registry.list import list_models, show_model
from automl.registry.load import load_model
from automl.registry.register import promote, register
from automl.registry.store import open_client

Make = Callable[..., Candidate]


class Fickle(ClassifierMixin, BaseEstimator):
    """Predicts something else once it was pickled and loaded twice: what a registry must notice."""

    def __init__(self, loads: int = 0) -> None:
        self.loads = loads

    def predict(self, X: Any) -> np.ndarray:
        return np.array(["late" if self.loads > 1 else "early"] * len(X), dtype=object)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, loads=state["loads"] + 1)


def test_the_first_version_is_checked_and_becomes_the_champion(make_candidate: Make, uri: str, table: Any) -> None:
    model = register(make_candidate(tags={"team": "a"}, description="the first"), uri)

    assert (model.name, model.version, model.alias, model.promoted) == ("flowers", "1", CHAMPION, True)
    row = show_model("flowers", uri)[0]
    assert row["aliases"] == [CHAMPION]
    assert (row["metric"], row["value"], row["trial"], row["seed"]) == ("accuracy", 0.9, 3, 7)
    assert (row["data"], row["split_plan"]) == ("d" * 64, "s" * 64)
    assert (row["framework"], row["framework_version"]) == ("scikit-learn", "1.9.1")
    assert row["tags"] == {"team": "a"}
    assert row["description"] == "the first"
    assert list_models(uri)[0]["champion"] == "1"
    loaded = load_model("flowers", uri)
    assert loaded.predict_proba(table[0]).shape == (60, 2)


def test_a_clean_process_loads_the_champion_by_its_alias(make_candidate: Make, uri: str, tmp_path: Path) -> None:
    register(make_candidate(), uri)
    script = """
import mlflow, numpy, pandas, sys
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/flowers@champion")
rows = pandas.DataFrame({"length": [1.5, -2.0], "count": [1, 2], "colour": ["red", None]})
answer = model.predict(rows)
assert isinstance(answer, numpy.ndarray) and answer.ndim == 1, answer
assert answer.tolist() == ["long", "short"], answer
assert model.metadata.signature.inputs.input_names() == ["length", "count", "colour"]
assert list(model.input_example.columns) == ["length", "count", "colour"]
"""
    done = subprocess.run(
        [sys.executable, "-c", script, uri], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_the_champion_changes_only_for_a_better_model_on_the_same_split(make_candidate: Make, uri: str) -> None:
    register(make_candidate(0, value=0.90), uri)

    worse = register(make_candidate(1, value=0.85), uri)
    assert not worse.promoted
    assert "not promoted: accuracy 0.85 does not beat version 1's 0.9" in worse.message
    assert worse.message.endswith("automl models promote flowers 2")
    elsewhere = register(make_candidate(2, value=0.99, split_plan="x" * 64), uri)
    assert not elsewhere.promoted
    assert "another split" in elsewhere.message
    other = register(make_candidate(3, value=0.99, metric="roc_auc"), uri)
    assert not other.promoted
    better = register(make_candidate(4, value=0.95), uri)
    assert better.promoted
    assert open_client(uri).get_registered_model("flowers").aliases == {CHAMPION: 5}


def test_promotion_follows_the_option_and_can_be_done_by_hand(make_candidate: Make, uri: str) -> None:
    never = register(make_candidate(0, promote="never"), uri)
    assert never.alias is None
    always = register(make_candidate(1, value=0.1, promote="always"), uri)
    assert always.promoted
    assert promote("flowers", never.version, uri).alias == CHAMPION
    assert show_model("flowers", uri)[-1]["aliases"] == [CHAMPION]
    with pytest.raises(RegistryError, match="no version 9 of 'flowers'"):
        promote("flowers", 9, uri)


def test_registering_the_same_model_again_gives_the_version_it_has(make_candidate: Make, uri: str) -> None:
    first = register(make_candidate(), uri)
    again = register(make_candidate(), uri)
    assert again.version == first.version
    assert again.alias == CHAMPION
    assert not again.promoted


def test_a_model_that_changes_in_the_registry_leaves_no_version(make_candidate: Make, uri: str) -> None:
    with pytest.raises(RegistryError, match="predicts something else"):
        register(make_candidate(model=Fickle()), uri)
    assert open_client(uri).search_model_versions("name = 'flowers'") == []
    assert list_models(uri) == []


def test_a_model_other_than_the_one_in_memory_is_refused(make_candidate: Make, uri: str) -> None:
    with pytest.raises(RegistryError, match="what the model in memory predicted"):
        register(make_candidate(expected=("long", "long", "long", "long", "nonsense")), uri)


def test_what_a_killed_registration_left_is_ignored_and_removed(make_candidate: Make, uri: str) -> None:
    client = open_client(uri)
    client.create_registered_model("flowers")
    half = {tags.EXPERIMENT: "flowers/killed", tags.VALUE: "1.0"}
    client.create_model_version("flowers", "file:///nowhere", tags=half)
    client.create_model_version("flowers", "file:///a-users-own")
    with pytest.raises(RegistryError, match="never checked"):
        promote("flowers", 1, uri)
    assert [row["version"] for row in show_model("flowers", uri)] == ["2"]

    assert register(make_candidate(), uri).version == "3"
    assert sorted(int(v.version) for v in client.search_model_versions("name = 'flowers'")) == [2, 3]


def test_a_missing_model_is_a_sentence(make_candidate: Make, uri: str) -> None:
    with pytest.raises(RegistryError, match=r"the model .*gone.joblib is not there"):
        register(make_candidate().model_copy(update={"model": "/gone.joblib"}), uri)
    with pytest.raises(RegistryError, match="no registered model 'flowers'"):
        load_model("flowers", uri)
