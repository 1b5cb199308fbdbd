from __future__ import annotations

import time
from typing import Any

import pytest
import torch

from automl.learning.algorithms.nets.compiling import choose_forward, faster
from automl.learning.algorithms.nets.conv import ConvNet
from automl.learning.algorithms.nets.device import choose_hardware
from automl.learning.algorithms.nets.net import Net, make_net

HARDWARE = choose_hardware("cpu", "float32")
BATCH, TARGET = torch.randint(256, (8, 8, 8, 1), dtype=torch.uint8), torch.arange(8) % 2


@pytest.fixture
def net() -> Net:
    return make_net(ConvNet, {"width": 8}, (8, 8, 1), n_classes=2)


def slowed(net: Net) -> Any:
    def forward(batch: torch.Tensor) -> torch.Tensor:
        time.sleep(0.02)  # it stands for a slow form of the net, whose own step takes about a millisecond
        return net(batch)

    return forward


def test_the_faster_form_is_taken(net: Net) -> None:
    assert faster(net, slowed(net), BATCH, TARGET, HARDWARE) is net
    slow = make_net(ConvNet, {"width": 8}, (8, 8, 1), n_classes=2)
    slow.forward = slowed(net)
    assert faster(slow, net, BATCH, TARGET, HARDWARE) is net


def test_one_that_fails_is_left_aside(net: Net) -> None:
    def broken(batch: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("no compiler here")

    assert faster(net, broken, BATCH, TARGET, HARDWARE) is net


def test_trying_leaves_no_trace(net: Net) -> None:
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    faster(net, lambda batch: net(batch), BATCH, TARGET, HARDWARE)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())


def test_nothing_is_compiled_for_a_cpu(net: Net) -> None:
    assert choose_forward(net, BATCH, TARGET, HARDWARE, 1e6) is net
