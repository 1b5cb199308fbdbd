"""What only a GPU shows."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch

from automl.errors import SpaceError
from automl.learning.algorithms.nets.classifier import NetClassifier
from automl.learning.algorithms.nets.conv import ConvNet
from automl.learning.algorithms.nets.device import choose_hardware
from automl.learning.algorithms.nets.resnet import ResNet
from automl.learning.algorithms.nets.resnet9 import ResNet9

has_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def classifier(module: type = ResNet, **params: Any) -> NetClassifier:
    return NetClassifier(
        module, {"width": 8}, **{"epochs": 6, "batch_size": 32, "flip": True, "translate": 0.1, **params}
    )


@has_gpu
@pytest.mark.parametrize("precision", ["auto", "float32", "float16"])
def test_it_learns_on_a_gpu_and_predicts_without_one(pictures: Any, precision: str) -> None:
    (X, y), (X_new, y_new) = pictures(300), pictures(200, seed=1)
    model = classifier(precision=precision).fit(X, y)
    assert next(iter(model.net_.parameters())).is_cuda
    assert model.score(X_new, y_new) > 0.9
    on_cpu = pickle.loads(pickle.dumps(model.set_params(device="cpu", precision="float32")))
    np.testing.assert_allclose(on_cpu.predict_proba(X_new), model.predict_proba(X_new), atol=0.05)


@has_gpu
@pytest.mark.parametrize(("module", "optimizer"), [(ResNet, "sgd"), (ResNet9, "muon"), (ConvNet, "adamw")])
def test_deterministic_means_the_same_bits_on_a_gpu(pictures: Any, module: type, optimizer: str) -> None:
    X, y = pictures(300)
    settings = {"deterministic": True, "optimizer": optimizer, "lr": 0.02}
    first, second = (classifier(module, **settings).fit(X, y).state_dict() for _ in "ab")
    assert all(torch.equal(first[name], second[name]) for name in first)


@has_gpu
def test_a_gpu_keeps_to_its_time(pictures: Any) -> None:
    X, y = pictures(300)
    model = classifier(epochs=1_000_000, seconds=3.0).fit(X, y, valid=X)
    assert model.progress_ == 1.0 and model.is_timed_ and model.epochs_ < 1_000_000


@has_gpu
def test_pictures_that_a_gpu_does_not_hold_stay_in_the_computers_memory(
    pictures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (X, y), (X_new, y_new) = pictures(300), pictures(200, seed=1)
    monkeypatch.setattr("automl.learning.algorithms.nets.pictures._RESIDENT", 0.0)
    assert classifier().fit(X, y).score(X_new, y_new) > 0.9


@has_gpu
def test_a_training_that_is_long_enough_to_be_compiled_gives_a_model_like_any_other(pictures: Any) -> None:
    (X, y), (X_new, y_new) = pictures(300), pictures(200, seed=1)
    model = classifier(epochs=None, seconds=700.0).fit(X, y)
    assert model.score(X_new, y_new) > 0.9
    assert not any("_orig_mod" in name for name in model.state_dict())
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X_new), model.predict(X_new))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_asking_for_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(SpaceError, match="sees no GPU"):
        choose_hardware("cuda")


@has_gpu
def test_what_was_trained_on_the_cpu_leaves_the_gpu_alone(pictures: Any) -> None:
    X, y = pictures(100)
    model = pickle.loads(pickle.dumps(classifier(device="cpu", epochs=1).fit(X, y).set_params(device="auto")))
    model.predict(X)
    assert not next(iter(model.net_.parameters())).is_cuda
