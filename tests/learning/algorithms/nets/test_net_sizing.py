"""A width that follows from the time that there is."""

from __future__ import annotations

import math
import pickle
import time
from typing import Any

import pytest
import torch

from automl.errors import SpaceError
from automl.learning.algorithms.nets.classifier import NetClassifier
from automl.learning.algorithms.nets.conv import ConvNet
from automl.learning.algorithms.nets.device import choose_hardware
from automl.learning.algorithms.nets.net import Net, make_net
from automl.learning.algorithms.nets.sizing import sized

HARDWARE = choose_hardware("cpu", "float32")
SHAPE = (2, 2, 1)
BATCH, TARGET = torch.zeros((4, *SHAPE), dtype=torch.uint8), torch.arange(4) % 2


class Sleeper(torch.nn.Module):
    """A step takes `width` milliseconds."""

    WIDTHS = (1, 40, 400)

    def __init__(self, width: int = 7) -> None:
        super().__init__()
        self.width = width
        self.scores = torch.nn.Linear(4, 2)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        if self.training:
            time.sleep(0.001 * self.width)
        return self.scores(pictures.flatten(1))


class Shapeless(Sleeper):
    WIDTHS = ()


class Greedy(Sleeper):
    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        if self.training and self.width == 400:
            raise torch.OutOfMemoryError("no room for it")
        return super().forward(pictures)


def found(seconds: float, module: type = Sleeper, width: Any = "auto", steps: int = 10) -> dict[str, Any]:
    def make(params: Any) -> Net:
        return make_net(module, params, SHAPE, n_classes=2)

    return sized(
        module, {"width": width}, make, BATCH, TARGET, HARDWARE, ends=time.monotonic() + seconds, steps_per_epoch=steps
    )  # fmt: skip


@pytest.mark.parametrize(("seconds", "width"), [(0.0, 1), (0.05, 1), (20.0, 40), (60.0, 400)])
def test_the_widest_that_sees_every_picture_often_enough(seconds: float, width: int) -> None:
    assert found(seconds) == {"width": width}


def test_trying_a_width_never_takes_much_of_the_time() -> None:
    assert found(8.0, steps=1) == {"width": 40}  # 400 has the time for twenty steps, three of which would be tries


def test_a_width_for_which_there_is_no_memory_is_left_aside() -> None:
    assert found(60.0, Greedy) == {"width": 40}


def test_without_a_limit_of_time_the_module_decides() -> None:
    assert found(math.inf) == {}


def test_a_number_stays() -> None:
    assert found(60.0, width=5) == {"width": 5}


def test_a_module_that_does_not_say_how_wide_it_can_be() -> None:
    with pytest.raises(SpaceError, match=r"Shapeless does not say in WIDTHS .*: give a number"):
        found(60.0, Shapeless)


def classifier(**settings: Any) -> NetClassifier:
    return NetClassifier(ConvNet, {"width": "auto"}, **{"batch_size": 32, "device": "cpu", **settings})


def test_a_net_has_the_width_that_was_found_and_says_so(pictures: Any) -> None:
    said: list[tuple[str, float, int]] = []
    X, y = pictures(100)
    model = classifier(seconds=2.0).fit(X, y, log=lambda *line: said.append(line))
    width = model.module_params_["width"]
    assert width in ConvNet.WIDTHS and ("width", width, 1) in said
    assert model.module_params == {"width": "auto"}
    assert pickle.loads(pickle.dumps(model)).score(X, y) == model.score(X, y)


def test_a_number_of_epochs_leaves_it_to_the_module(pictures: Any) -> None:
    model = classifier(epochs=1).fit(*pictures(40))
    assert model.module_params_ == {}


def test_what_goes_on_is_as_wide_as_it_was(pictures: Any, recorder: Any, places: Any) -> None:
    X, y = pictures(100)
    parent = NetClassifier(ConvNet, {"width": 24}, batch_size=32, device="cpu", epochs=2)
    parent.fit(X, y, progress=recorder(checkpoints=places("parent"), fidelity=0.5))
    child = classifier(epochs=2).fit(X, y, progress=recorder(checkpoints=places("child", "parent")))
    assert child.module_params_ == {"width": 24}
    with pytest.raises(KeyboardInterrupt):
        classifier().fit(
            X, y,
            progress=recorder(seconds_left=60.0, anytime=True, checkpoints=places("own"), die_after=60),
        )  # fmt: skip
    wide = torch.load(places("own").own / "state.pt", weights_only=True)["params"]
    again = recorder(seconds_left=0.5, anytime=True, checkpoints=places("own"))
    assert classifier().fit(X, y, progress=again).module_params_ == wide
    assert wide["width"] == ConvNet.WIDTHS[-1]
