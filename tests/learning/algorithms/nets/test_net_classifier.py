from __future__ import annotations

import pickle
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from sklearn.base import clone

from automl.errors import DataError, SpaceError
from automl.learning.algorithms.base import LearnerError
from automl.learning.algorithms.nets.classifier import NetClassifier
from automl.learning.algorithms.nets.conv import ConvNet
from automl.learning.algorithms.nets.device import choose_hardware
from automl.learning.algorithms.nets.fast import FastNet
from automl.learning.algorithms.nets.net import make_net
from automl.learning.algorithms.nets.recipe import Recipe


def classifier(**params: Any) -> NetClassifier:
    settings = {"epochs": 4, "batch_size": 32, "device": "cpu", "precision": "float32", **params}
    return NetClassifier(settings.pop("module", ConvNet), settings.pop("module_params", {"width": 8}), **settings)


@pytest.fixture(scope="module")
def data(pictures: Any) -> tuple[np.ndarray, ...]:
    return *pictures(300), *pictures(200, seed=1)


def same_tensors(a: NetClassifier, b: NetClassifier) -> bool:
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_it_learns_and_predicts_labels(data: Any) -> None:
    X, y, X_new, y_new = data
    names = np.array(["flat", "upright", "lying"])
    model = classifier(translate=0.1).fit(X, names[y])
    assert model.score(X_new, names[y_new]) > 0.9  # a third by chance
    probabilities = model.predict_proba(X_new)
    assert probabilities.shape == (200, 3) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert model.progress_ == 1 and model.epochs_ == 4 and not model.is_timed_


@pytest.mark.parametrize("channels", [1, 3])
def test_every_setting_at_once(pictures: Any, channels: int) -> None:
    X, y = pictures(200, channels=channels)
    model = classifier(
        module=FastNet, module_params={"width": 8, "growth": 2}, flip=True, translate=0.1, cutout=0.2,
        label_smoothing=0.1, lr=0.3, clip=1.0, ema=0.99, epochs=12,
    )  # fmt: skip
    assert model.fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize("params", [{"optimizer": "adamw", "lr": 5e-3, "weight_decay": 0.01}, {"optimizer": "muon"}])
def test_other_optimizers_learn_too(data: Any, params: dict[str, Any]) -> None:
    X, y, X_new, y_new = data
    assert classifier(**params).fit(X, y).score(X_new, y_new) > 0.9


@pytest.mark.parametrize(
    "changed",
    [
        {"flip": True},
        {"translate": 0.2},
        {"cutout": 0.5},
        {"clip": 1e-3},
        {"label_smoothing": 0.2},
        {"momentum": 0.5},
        {"weight_decay": 0.1},
        {"warm_up": 0.6},
        {"ema": 0.0},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_each_setting_reaches_the_training(data: Any, changed: dict[str, Any]) -> None:
    X, y, *_ = data
    settings = {"epochs": 1, "flip": False}
    usual, other = classifier(**settings).fit(X, y), classifier(**{**settings, **changed}).fit(X, y)
    assert not same_tensors(usual, other)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_weights_decay_and_biases_do_not(optimizer: str) -> None:
    net = make_net(ConvNet, {"width": 8}, (12, 12, 1), n_classes=3)
    settings = {**classifier().get_params(), "optimizer": optimizer, "flip": False, "weight_decay": 0.25}
    made = Recipe(**{name: settings[name] for name in Recipe.__slots__}).make_optimizer(net)
    decays = {p.ndim > 1: group["weight_decay"] for group in made.param_groups for p in group["params"]}
    assert decays == {True: 0.25, False: 0.0}
    assert sum(len(group["params"]) for group in made.param_groups) == len(list(net.parameters()))


class Counts(torch.nn.Module):
    """Writes down how many threads each step has."""

    seen: ClassVar[list[int]] = []

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(n_classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.seen.append(torch.get_num_threads())
        return self.layers(x)


@pytest.mark.parametrize(("deterministic", "sizes"), [(False, {1, 2}), (True, {2})])
def test_a_timed_training_takes_as_many_threads_as_help_and_gives_them_back(
    data: Any, deterministic: bool, sizes: set[int]
) -> None:
    before = torch.get_num_threads()
    Counts.seen.clear()
    torch.set_num_threads(2)
    try:
        settings = {"epochs": None, "seconds": 600.0, "deterministic": deterministic}
        classifier(module=Counts, module_params={}, **settings).fit(data[0][:64], data[1][:64])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(Counts.seen) == sizes


def test_what_fills_its_time_is_timed_however_it_ended(data: Any, recorder: Any) -> None:
    X, y, *_ = data
    progress = recorder(seconds_left=600.0, anytime=True)
    model = classifier(epochs=None).fit(X[:32], y[:32], progress=progress)
    assert model.epochs_ == 200 and model.is_timed_  # without a time it would have been 20


def test_it_is_a_scikit_learn_estimator() -> None:
    model = classifier(lr=0.2)
    copy = clone(model)
    assert copy.get_params() == model.get_params() and copy is not model
    assert copy.set_params(lr=0.3).lr == 0.3


def test_the_same_seed_gives_the_same_bits(data: Any) -> None:
    X, y, *_ = data
    settings = {"flip": True, "translate": 0.1, "cutout": 0.3, "module_params": {"width": 8, "dropout": 0.2}}
    first, second, other = (classifier(**settings, random_state=seed).fit(X, y) for seed in (3, 3, 4))
    assert same_tensors(first, second)
    assert not same_tensors(first, other)


def test_a_fit_leaves_torchs_random_numbers_and_switches_alone(data: Any) -> None:
    X, y, *_ = data
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    model = classifier(epochs=1, deterministic=True).fit(X, y)
    pickle.loads(pickle.dumps(model))
    assert torch.equal(torch.rand(3), expected)
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_pickled_model_predicts_the_same(data: Any) -> None:
    X, y, X_new, _ = data
    model = classifier(flip=True).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X_new), model.predict_proba(X_new))
    assert same_tensors(copy, model)


def test_a_pickle_holds_plain_tensors_and_no_module(data: Any) -> None:
    X, y, *_ = data
    state = classifier(epochs=1).fit(X, y).__getstate__()
    assert not any(isinstance(value, torch.nn.Module) for value in state.values())
    assert isinstance(state["tensors"], bytes)


def test_pictures_may_be_read_only(data: Any) -> None:
    X, y, *_ = data
    X = X.copy()
    X.flags.writeable = False
    before = X.tobytes()
    classifier(epochs=1, cutout=0.5, translate=0.1).fit(X, y)
    assert X.tobytes() == before


def test_weights_decide_what_is_learned(data: Any) -> None:
    X, y, *_ = data
    flipped = np.where(y == 0, 1, y)  # what is flat is called upright ...
    both, labels = np.concatenate([X, X]), np.concatenate([y, flipped])
    weight = np.repeat([1.0, 1e-6], len(X))  # ... by those that count for nothing
    assert classifier().fit(both, labels, weight).score(X, y) > 0.9
    assert classifier().fit(both, labels, weight[::-1]).score(X, flipped) > 0.9


def test_the_two_sides_of_a_picture_are_predicted_alike_where_they_were_trained_alike(data: Any) -> None:
    X, y, X_new, _ = data
    mirrored = np.ascontiguousarray(X_new[:, :, ::-1])
    model = classifier(flip=True, epochs=1).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(mirrored), model.predict_proba(X_new), atol=1e-6)
    model = classifier(flip=False, epochs=1).fit(X, y)
    assert not np.allclose(model.predict_proba(mirrored), model.predict_proba(X_new), atol=1e-6)


def test_a_training_is_fitted_to_the_time_that_it_has(data: Any) -> None:
    X, y, X_new, _ = data
    model = classifier(epochs=1_000_000, seconds=1.5).fit(X, y, valid=X_new)
    assert model.progress_ == 1.0 and model.is_timed_  # the clock ended it, and its schedule is whole nevertheless
    assert model.epochs_ < 1_000_000 and np.isfinite(model.predict_proba(X_new)).all()


def test_a_time_that_is_too_short_still_gives_a_model(data: Any) -> None:
    X, y, X_new, _ = data
    model = classifier(seconds=0.0).fit(X, y)
    assert model.progress_ == 1.0 and np.isfinite(model.predict_proba(X_new)).all()


def test_enough_time_changes_nothing_about_a_number_of_epochs(data: Any) -> None:
    X, y, *_ = data
    model = classifier(epochs=2, seconds=1000.0).fit(X, y)
    assert model.epochs_ == 2 and model.seconds_ < 900


def test_few_pictures_make_a_batch(pictures: Any) -> None:
    X, y = pictures(6)
    y = np.arange(6) % 2
    model = classifier(batch_size=512, epochs=3).fit(X, y)
    assert model.batch_size_ == 6 and model.epochs_ == 3


class Explodes(torch.nn.Module):
    """Its scores are infinite from the 13th call in training on."""

    def __init__(self, in_channels: int, n_classes: int) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(n_classes))
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += self.training
        return self.layers(x) * (float("inf") if self.calls >= 13 else 1.0)


def test_a_loss_that_is_no_number_ends_the_training_with_its_step(data: Any) -> None:
    X, y, *_ = data  # 300 pictures: 9 batches of 32 in an epoch
    with pytest.raises(LearnerError, match=r"The loss is (nan|inf) in epoch 2, step 13"):
        classifier(module=Explodes, module_params={}, epochs=5).fit(X, y)


class Hungry(torch.nn.Module):
    """Out of memory for more than 8 pictures at a time."""

    def __init__(self, in_channels: int, n_classes: int) -> None:
        super().__init__()
        self.net = ConvNet(in_channels, n_classes, width=8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > 8:
            raise torch.OutOfMemoryError(f"no room for {len(x)}")
        return self.net(x)


def test_out_of_memory_halves_the_batch_and_keeps_the_steps(data: Any) -> None:
    X, y, X_new, y_new = data
    logged: list[tuple[str, float, int]] = []
    model = classifier(module=Hungry, module_params={}).fit(X, y, log=lambda *entry: logged.append(entry))
    assert model.batch_size_ == 8 and model.epochs_ == 4
    assert ("batch_size", 8, 1) in logged
    assert model.score(X_new, y_new) > 0.9


def test_gradients_of_halves_are_those_of_the_whole(pictures: Any) -> None:
    X, y = pictures(64)

    def fit(module: type) -> dict[str, torch.Tensor]:
        return classifier(module=module, module_params={}, epochs=1, batch_size=16).fit(X, y).state_dict()

    whole, halves = fit(_Plain), fit(_PlainHungry)
    for name, tensor in whole.items():
        torch.testing.assert_close(halves[name], tensor, rtol=1e-4, atol=1e-6)


class _Plain(torch.nn.Module):
    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(144, n_classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


class _PlainHungry(_Plain):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > 8:
            raise torch.OutOfMemoryError
        return self.layers(x)


class Starving(Hungry):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            raise torch.OutOfMemoryError("nothing left")
        return self.net(x)


def test_no_memory_at_all_is_an_error_of_memory(data: Any) -> None:
    X, y, *_ = data
    with pytest.raises(MemoryError, match="two pictures"):
        classifier(module=Starving, module_params={}).fit(X, y)


def test_loss_and_accuracy_are_logged_after_each_epoch(data: Any) -> None:
    X, y, *_ = data
    logged: list[tuple[str, float, int]] = []
    classifier(epochs=3).fit(X, y, log=lambda *entry: logged.append(entry))
    series = {name: [(value, step) for other, value, step in logged if other == name] for name, *_ in logged}
    assert series.keys() == {"train_loss", "train_accuracy"}
    assert [step for _, step in series["train_loss"]] == [1, 2, 3]
    assert series["train_loss"][2][0] < series["train_loss"][0][0]
    assert 0.3 < series["train_accuracy"][2][0] <= 1


def test_without_an_average_the_last_weights_predict(data: Any) -> None:
    X, y, X_new, y_new = data
    assert classifier(ema=0.0).fit(X, y, valid=X_new).score(X_new, y_new) > 0.9


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"lr": 0}, "lr is 0, and has to be above 0"),
        ({"epochs": 0}, "epochs is 0, and has to be at least 1"),
        ({"optimizer": "sdg"}, "choose sgd or adamw or muon"),
        ({"label_smoothing": 1.0}, "label_smoothing is 1.0"),
        ({"device": "tpu"}, "device 'tpu' is unknown"),
        ({"precision": "int8"}, "precision 'int8' is unknown"),
        ({"module_params": {"width": 8, "breadth": 2}}, "breadth"),
    ],
)
def test_a_wrong_setting_is_refused(data: Any, params: dict[str, Any], message: str) -> None:
    X, y, *_ = data
    with pytest.raises(SpaceError, match=message):
        classifier(**params).fit(X, y)


def test_what_is_no_picture_is_refused(data: Any) -> None:
    X, y, *_ = data
    with pytest.raises(DataError, match=r"uint8 of shape \(n, height, width, channels\); these are float64"):
        classifier().fit(X / 255.0, y)
    model = classifier(epochs=1).fit(X, y)
    with pytest.raises(DataError, match=r"\(n, 12, 12, 1\); these are uint8 \(300, 6, 12, 1\)"):
        model.predict(X[:, :6])


def test_short_numbers_are_taken_only_where_they_are_native() -> None:
    native = any(getattr(torch.cpu, f"_is_{name}_supported")() for name in ("avx512_bf16", "amx_tile"))
    assert choose_hardware("cpu").half is (torch.bfloat16 if native else None)
    assert choose_hardware("cpu", "float32").half is None
    assert choose_hardware("cpu", "bfloat16").half is torch.bfloat16
