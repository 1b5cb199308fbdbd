from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from automl.client import Run, current_run
from automl.engine.space.load import available, load_space
from automl.engine.space.space import AlgorithmSpace, SearchSpace
from automl.errors import MissingExtraError, SpaceError, TrustError
from automl.learning.algorithms.base import Learner
from automl.learning.algorithms.estimators import make_learner
from automl.learning.algorithms.trust import resolve_estimator

CONV = "automl.learning.algorithms.nets.conv.ConvNet"
QUICK = {"width": 8, "epochs": 3, "batch_size": 32, "device": "cpu"}


def learner(
    path: str = CONV, *, n_classes: int | None = 3, trust: bool = False, seed: int = 0, threads: int = 1, **params: Any
) -> Learner:
    space = AlgorithmSpace(estimator=path, view="pixels", requires="torch", fixed=QUICK if path == CONV else {})
    task = "regression" if n_classes is None else "classification"
    return make_learner(space, params, task=task, seed=seed, threads=threads, n_classes=n_classes, trust=trust)


def test_parameters_go_to_the_training_or_to_the_module(pictures: Any) -> None:
    X, y = pictures(100)
    made = learner(lr=0.07, depth=2)
    made.fit(X, y)
    assert made.model.lr == 0.07 and made.model.module_params == {"width": 8, "depth": 2}
    assert made.model.random_state == 0


def test_a_net_takes_the_threads_of_its_trial(pictures: Any) -> None:
    before = torch.get_num_threads()
    try:
        learner(epochs=1, threads=before + 1).fit(*pictures(50))
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"widht": 8}, "ConvNet has no parameter 'widht'; did you mean 'width'?"),
        ({"label_smoothin": 0.1}, "ConvNet has no parameter 'label_smoothin'; did you mean 'label_smoothing'?"),
        ({"zzz": 1}, "ConvNet has no parameter 'zzz', and its training has none."),
        ({"in_channels": 4}, "ConvNet is given in_channels by the pictures: leave it out."),
    ],
)
def test_a_wrong_name_is_refused(pictures: Any, params: dict[str, Any], message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        learner(**params).fit(*pictures(50))
    assert caught.value.message == message


def test_a_class_that_the_training_rows_lack_has_no_probability(pictures: Any, recorder: Any) -> None:
    X, y = pictures(150)
    codes = np.array([0, 2, 4])[y]
    seen = recorder()
    made = learner(n_classes=5, epochs=10)
    made.fit(X, codes, valid=X[:10], progress=seen)
    predicted = made.predict(X)
    assert predicted.shape == (150, 5) and predicted.dtype == np.float64
    assert (predicted[:, [1, 3]] == 0).all() and (predicted.argmax(axis=1) == codes).mean() > 0.8
    assert seen.reports and all(scores.shape == (10, 5) for _, scores in seen.reports)


def test_a_learner_survives_pickling(pictures: Any) -> None:
    X, y = pictures(100)
    made = learner()
    made.fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(made)).predict(X), made.predict(X))


def test_seeds_decide(pictures: Any) -> None:
    X, y = pictures(100)

    def predicted(seed: int) -> np.ndarray:
        made = learner(seed=seed, epochs=1)
        made.fit(X, y)
        return made.predict(X)

    np.testing.assert_array_equal(predicted(1), predicted(1))
    assert not np.array_equal(predicted(1), predicted(2))


def test_a_fit_says_whether_the_clock_has_led_it(pictures: Any, recorder: Any) -> None:
    X, y = pictures(100)
    timed, counted = learner(epochs=None), learner()
    timed.fit(X, y, progress=recorder(seconds_left=1.0, anytime=True))
    counted.fit(X, y, progress=recorder())
    assert timed.timed and not counted.timed


def test_a_trials_run_gets_loss_and_accuracy(pictures: Any, recorder: Any, tmp_path: Path) -> None:
    run = Run(tmp_path, number=3)
    with current_run(run):
        learner(epochs=2).fit(*pictures(100), progress=recorder())
    assert {"train_loss", "train_accuracy"} <= run.metrics.keys()
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert len([line for line in lines if '"train_loss"' in line]) == 2


def test_nothing_is_printed_outside_a_trial(pictures: Any, recorder: Any, capsys: Any) -> None:
    learner(epochs=1).fit(*pictures(100), progress=recorder())
    assert capsys.readouterr().out == ""


def test_a_net_is_no_regressor(pictures: Any) -> None:
    X, y = pictures(50)
    with pytest.raises(SpaceError, match="classification alone"):
        learner(n_classes=None).fit(X, y.astype(float))


def test_a_table_is_refused_with_the_view_to_write() -> None:
    with pytest.raises(SpaceError, match="write 'view: pixels'"):
        learner().fit(np.zeros((10, 4)), np.arange(10) % 3)


# --- a module of the user's own

OWN = """
import torch


class Mine(torch.nn.Module):
    def __init__(self, n_classes, hidden=4):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(hidden), torch.nn.ReLU())
        self.last = torch.nn.Linear(hidden, n_classes)

    def forward(self, x):
        return self.last(self.layers(x))
"""


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_nets_for_test.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    yield "my_nets_for_test.Mine"
    sys.modules.pop("my_nets_for_test", None)


def test_a_module_of_the_users_joins_with_trust(pictures: Any, own_module: str) -> None:
    X, y = pictures(200)
    made = learner(own_module, trust=True, hidden=16, epochs=10, batch_size=32, lr=0.05, device="cpu")
    made.fit(X, y)
    assert (made.predict(X).argmax(axis=1) == y).mean() > 0.8
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(made)).predict(X), made.predict(X))


def test_without_trust_it_is_refused(own_module: str) -> None:
    with pytest.raises(TrustError, match="outside the allowed packages"):
        learner(own_module)
    assert "my_nets_for_test" not in sys.modules


def test_a_class_that_is_neither_estimator_nor_module_is_refused() -> None:
    with pytest.raises(SpaceError, match="is not an estimator"):
        resolve_estimator("automl.learning.algorithms.nets.recipe.Recipe", trust=True)


# --- without torch

_HIDE = """
import importlib.util, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name.split(".")[0] == "torch" else found(name, *rest)
sys.modules["torch"] = None
"""


def test_without_torch_nets_are_left_out_with_one_line_each(tmp_path: Path) -> None:
    code = _HIDE + textwrap.dedent("""
        from automl.engine.space.load import available, load_space
        from automl.learning.algorithms.trust import check_estimators
        space, left_out = available(load_space(None, task="image_classification"))
        check_estimators(space, trust=False)
        assert not any(a.requires == "torch" for a in space.algorithms.values()) and len(space.algorithms) > 3
        assert {e.algorithm for e in left_out} >= {"convnet", "resnet", "fastnet"}
        assert all("pip install 'automl-search[torch]'" in e.reason for e in left_out)
        assert not any(name.startswith("automl.learning.algorithms.nets") for name in sys.modules)
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_asking_for_a_net_without_torch_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    space = SearchSpace(algorithms={"mine": AlgorithmSpace(estimator=CONV, requires="no_such_torch", view="pixels")})
    with pytest.raises(MissingExtraError, match="no_such_torch is not installed"):
        available(space, asked=["mine"])


# --- the shipped space


def test_the_shipped_nets_are_anytime_and_see_pixels() -> None:
    space = load_space(None, task="image_classification")
    nets = {name: entry for name, entry in space.algorithms.items() if entry.requires == "torch"}
    assert {"convnet", "resnet", "resnet9", "fastnet"} <= nets.keys()
    assert all(entry.anytime and entry.view == "pixels" for entry in nets.values())
    assert any(entry.algorithm in nets for entry in space.portfolio)


@pytest.mark.parametrize("name", ["convnet", "resnet", "resnet9", "fastnet"])
def test_both_ends_of_a_shipped_nets_ranges_train(pictures: Any, name: str) -> None:
    space = load_space(None, task="image_classification").algorithms[name]
    X, y = pictures(16, size=(8, 8))
    for edge in ("low", "high"):
        params = {key: getattr(value, edge, None) for key, value in space.params.items()}
        params = {key: value for key, value in params.items() if value is not None}
        made = make_learner(
            space, {**params, "epochs": 1, "device": "cpu"}, task="classification", seed=0, threads=1, n_classes=3
        )
        made.fit(X, y)
        assert np.isfinite(made.predict(X)).all()
