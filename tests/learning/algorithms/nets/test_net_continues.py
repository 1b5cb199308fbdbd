from __future__ import annotations

import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from automl.errors import WorkspaceError
from automl.learning.algorithms.base import LearnerError
from automl.learning.algorithms.nets.classifier import NetClassifier
from automl.learning.algorithms.nets.conv import ConvNet
from automl.learning.algorithms.nets.ema import WeightAverage
from automl.learning.algorithms.nets.recipe import OPTIMIZERS

PARAMS = {"width": 8, "dropout": 0.1}


def classifier(**params: Any) -> NetClassifier:
    settings = {"epochs": 4, "batch_size": 32, "device": "cpu", "precision": "float32", "flip": True, "translate": 0.1}
    settings |= params
    return NetClassifier(ConvNet, settings.pop("module_params", PARAMS), **settings)


@pytest.fixture(scope="module")
def data(pictures: Any) -> tuple[np.ndarray, ...]:
    return pictures(300)  # 9 batches of 32 in an epoch


def state(model: NetClassifier) -> list[torch.Tensor]:
    return list(model.state_dict().values())


def all_equal(a: NetClassifier, b: NetClassifier) -> bool:
    return all(torch.equal(left, right) for left, right in zip(state(a), state(b), strict=True))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_killed_training_goes_on_as_if_it_had_never_stopped(
    data: Any, recorder: Any, places: Any, optimizer: str
) -> None:
    X, y = data
    settings = {"optimizer": optimizer, "lr": 0.02}
    whole = classifier(**settings).fit(X, y)
    with pytest.raises(KeyboardInterrupt):  # in the third epoch
        classifier(**settings).fit(X, y, progress=recorder(checkpoints=places("it"), die_after=22))
    again = recorder(checkpoints=places("it"))
    resumed = classifier(**settings).fit(X, y, progress=again)
    assert all_equal(resumed, whole)
    assert again.steps < 36  # not all of them once more
    assert resumed.epochs_ == pytest.approx(4) and resumed.progress_ == 1.0


_FIT = """
import pathlib, sys
import numpy as np, torch
from automl.learning.algorithms.nets.classifier import NetClassifier
from automl.learning.algorithms.nets.conv import ConvNet
from automl.learning.algorithms.progress import Checkpoints


class Follower:
    wanted, seconds_left, anytime, fidelity, predictions = False, float("inf"), False, 1.0, 1.0
    checkpoints = Checkpoints(pathlib.Path(sys.argv[1]))

    def should_stop(self):
        return False


torch.set_num_threads(1)
data = np.load(sys.argv[2])
NetClassifier(ConvNet, {"width": 8, "dropout": 0.1}, epochs=EPOCHS, batch_size=32, device="cpu", precision="float32",
              flip=True, translate=0.1).fit(data["X"], data["y"], progress=Follower())
"""


def test_a_process_that_is_killed_leaves_what_another_goes_on_from(
    data: Any, recorder: Any, places: Any, tmp_path: Path
) -> None:
    X, y = data
    epochs = 300
    np.savez(tmp_path / "data.npz", X=X, y=y)
    own = places("it")
    command = [sys.executable, "-c", _FIT.replace("EPOCHS", str(epochs)), str(own.own), str(tmp_path / "data.npz")]
    with subprocess.Popen(command) as process:
        while not (own.own / "state.pt").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    left = torch.load(own.own / "state.pt", weights_only=True)
    assert 0 < left["progress"] < 1
    again = recorder(checkpoints=own, stop_after=20)
    resumed = classifier(epochs=epochs).fit(X, y, progress=again)
    until = round(left["progress"] * epochs * 9) + 20
    whole = classifier(epochs=epochs).fit(X, y, progress=recorder(stop_after=until))
    assert all_equal(resumed, whole)


@pytest.mark.parametrize("ema", [0.0, 0.99])
def test_a_training_that_was_over_is_not_repeated(data: Any, recorder: Any, places: Any, ema: float) -> None:
    X, y = data
    first = classifier(ema=ema).fit(X, y, progress=recorder(checkpoints=places("it")))
    again = recorder(checkpoints=places("it"))
    second = classifier(ema=ema).fit(X, y, progress=again)
    assert again.steps == 0 and all_equal(first, second)
    assert second.progress_ == 1.0 and second.epochs_ == 4


def test_a_state_of_other_settings_is_left_alone(data: Any, recorder: Any, places: Any) -> None:
    X, y = data
    classifier(lr=0.2).fit(X, y, progress=recorder(checkpoints=places("it")))
    assert all_equal(classifier().fit(X, y, progress=recorder(checkpoints=places("it"))), classifier().fit(X, y))


def test_a_damaged_state_is_named_and_left_alone(data: Any, recorder: Any, places: Any, caplog: Any) -> None:
    X, y = data
    (places("it").own / "state.pt").write_bytes(b"torn")
    model = classifier().fit(X, y, progress=recorder(checkpoints=places("it")))
    assert "state.pt cannot be read, so the training starts again" in caplog.text
    assert all_equal(model, classifier().fit(X, y))


def test_parts_of_a_training_in_a_row_are_the_whole(data: Any, recorder: Any, places: Any) -> None:
    X, y = data
    parent = None
    for generation, share in enumerate((0.25, 0.5, 0.75, 1.0)):
        follower = recorder(checkpoints=places(str(generation), parent), fidelity=share)
        model = classifier().fit(X, y, progress=follower)
        assert model.progress_ == share and model.epochs_ == pytest.approx(4 * share)
        parent = str(generation)
    assert all_equal(model, classifier().fit(X, y))


def test_a_child_goes_on_with_settings_of_its_own(data: Any, recorder: Any, places: Any) -> None:
    X, y = data
    parent = classifier().fit(X, y, progress=recorder(checkpoints=places("parent"), fidelity=0.5))
    child = classifier(lr=0.02, momentum=0.8, batch_size=64, weight_decay=0.0).fit(
        X, y, progress=recorder(checkpoints=places("child", "parent"))
    )
    assert child.progress_ == 1.0 and not all_equal(parent, child)
    assert child.score(X, y) > 0.9


def test_a_parent_that_has_ended_its_schedule_gives_its_weights(data: Any, recorder: Any, places: Any) -> None:
    X, y = data
    parent = classifier().fit(X, y, progress=recorder(checkpoints=places("parent")))
    seen = recorder(checkpoints=places("child", "parent"), stop_after=1)
    child = classifier(lr=1e-6).fit(X, y, progress=seen)  # one step that changes no weight by much
    np.testing.assert_allclose(child.predict_proba(X), parent.predict_proba(X), atol=0.1)


def test_a_parent_of_another_shape_is_refused_with_advice(data: Any, recorder: Any, places: Any) -> None:
    X, y = data
    classifier().fit(X, y, progress=recorder(checkpoints=places("parent"), fidelity=0.5))
    wider = classifier(module_params={"width": 16})
    with pytest.raises(LearnerError, match=r"its shape is different.*in the algorithm's 'inherited'"):
        wider.fit(X, y, progress=recorder(checkpoints=places("child", "parent")))


def test_a_parent_without_a_state_is_refused(data: Any, recorder: Any, places: Any) -> None:
    X, y = data
    places("parent")
    with pytest.raises(LearnerError, match=r"parent cannot be read"):
        classifier().fit(X, y, progress=recorder(checkpoints=places("child", "parent")))


def test_a_training_on_time_goes_on_where_it_was(data: Any, recorder: Any, places: Any) -> None:
    X, y = data
    settings = {"seconds_left": 600.0, "anytime": True}
    with pytest.raises(KeyboardInterrupt):
        classifier(epochs=50).fit(X, y, progress=recorder(checkpoints=places("it"), die_after=100, **settings))
    done = torch.load(places("it").own / "state.pt", weights_only=True)["epochs"]
    again = recorder(checkpoints=places("it"), **settings | {"seconds_left": 1.0})
    model = classifier(epochs=50).fit(X, y, progress=again)
    assert model.progress_ == 1.0 and done >= 1
    assert model.epochs_ == pytest.approx(done + (again.steps + 1) / 9)


def test_a_checkpoint_that_cannot_be_written_does_not_end_a_training(
    data: Any, recorder: Any, places: Any, caplog: Any
) -> None:
    X, y = data
    place = places("it")
    place.own.rmdir()
    place.own.write_text("a file where the folder should be")
    model = classifier().fit(X, y, progress=recorder(checkpoints=place))
    assert all_equal(model, classifier().fit(X, y))
    assert caplog.text.count("The training continues without a checkpoint") == 1
    with pytest.raises(WorkspaceError):  # whoever goes on from here would have nothing to go on from
        classifier().fit(X, y, progress=recorder(checkpoints=place, fidelity=0.5))


# --- reports


def test_it_reports_at_tenths_of_its_way(data: Any, recorder: Any) -> None:
    X, y = data
    seen = recorder()
    classifier(epochs=20).fit(X, y, valid=X[:30], progress=seen)
    fractions = [fraction for fraction, _ in seen.reports]
    assert fractions == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    assert all(scores.shape == (30, 3) for _, scores in seen.reports)


def test_it_reports_inside_an_epoch_where_epochs_are_long(data: Any, recorder: Any) -> None:
    X, y = data
    seen = recorder()
    classifier(epochs=1, batch_size=8).fit(X, y, valid=X[:5], progress=seen)
    assert len(seen.reports) >= 7


def test_reports_cost_no_more_than_a_tenth(data: Any, recorder: Any) -> None:
    X, y = data
    seen = recorder()
    classifier(epochs=4).fit(X, y, valid=X, progress=seen)  # predicting 300 is as training on 100, of 1,152
    assert len(seen.reports) == 1


def test_it_does_not_report_where_nobody_wants_it(data: Any, recorder: Any) -> None:
    X, y = data
    seen = recorder(wanted=False)
    classifier().fit(X, y, valid=X[:5], progress=seen)
    assert seen.reports == []


def test_reports_do_not_change_the_training(data: Any, recorder: Any) -> None:
    X, y = data
    for ema in (0.0, 0.99):
        told = classifier(ema=ema).fit(X, y, valid=X[:5], progress=recorder())
        assert all_equal(told, classifier(ema=ema).fit(X, y))


def test_it_stops_between_steps(data: Any, recorder: Any) -> None:
    X, y = data
    seen = recorder(stop_after=5)
    model = classifier().fit(X, y, progress=seen)
    assert seen.steps == 5 and model.progress_ == pytest.approx(5 / 36)


def test_a_fit_that_is_only_limited_does_not_fill_its_time(data: Any, recorder: Any) -> None:
    X, y = data
    X, y = X[:64], y[:64]
    model = classifier(epochs=None).fit(X, y, progress=recorder(seconds_left=1000.0))
    assert model.epochs_ == 20
    model = classifier(epochs=None).fit(X, y, progress=recorder(seconds_left=math.inf, anytime=True))
    assert model.epochs_ == 20


# --- the average of the weights


def linear(value: float) -> torch.nn.Module:
    net = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False), torch.nn.BatchNorm1d(1))
    torch.nn.init.constant_(net[0].weight, value)
    return net


def moved(net: Any, value: float) -> None:
    with torch.no_grad():
        net[0].weight.fill_(value)
        net[1].running_mean.fill_(value)
        net[1].num_batches_tracked.fill_(int(value))


def test_the_average_forgets_where_it_began() -> None:
    net = linear(1000.0)
    average = WeightAverage(net, 0.999)
    for _ in range(200):
        moved(net, 1.0)
        average.update()
    assert float(average.net[0].weight) == pytest.approx(1.0, abs=1e-6)


def test_the_average_looks_back_and_takes_statistics_along() -> None:
    net = linear(0.0)
    average = WeightAverage(net, 0.9)
    for value in range(100):
        moved(net, float(value))
        average.update()
    mean = sum(0.1 * 0.9**age * (99 - age) for age in range(100))
    assert float(average.net[0].weight) == pytest.approx(mean, abs=0.2)
    assert float(average.net[1].running_mean) == pytest.approx(float(average.net[0].weight))
    assert int(average.net[1].num_batches_tracked) == 99


def test_without_decay_the_average_is_the_net() -> None:
    net = linear(0.0)
    assert WeightAverage(net, 0.0).net is net


def test_pictures_at_a_time_are_as_many_as_they_were(data: Any, recorder: Any, places: Any) -> None:
    """What a GPU's memory held for the parent it holds for a child, whose batches may be smaller."""
    X, y = data
    classifier().fit(X, y, progress=recorder(checkpoints=places("parent"), fidelity=0.5))
    path = places("parent").own / "state.pt"
    torch.save({**torch.load(path, weights_only=True), "pieces": 16}, path)  # of 32: two pictures each
    child = classifier(batch_size=8).fit(X, y, progress=recorder(checkpoints=places("child", "parent")))
    assert child.batch_size_ == 2
