from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from automl.learning.algorithms.nets.muon import Muon, orthogonal


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8 * 4, 2))


def step(net: nn.Module, optimizer: torch.optim.Optimizer, *, loud: float = 1.0) -> None:
    pictures = torch.randn(16, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    optimizer.zero_grad()
    (loud * net(pictures)[:, 0].square().mean()).backward()
    optimizer.step()


@pytest.mark.parametrize("shape", [(8, 27), (27, 8), (16, 16), (1, 9)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    values = torch.linspace(0.3, 1, min(shape))  # of a gradient's the small ones stay small: the iterations are few
    left, _ = torch.linalg.qr(torch.randn(shape[0], len(values), generator=torch.Generator().manual_seed(0)))
    right, _ = torch.linalg.qr(torch.randn(shape[1], len(values), generator=torch.Generator().manual_seed(1)))
    made = orthogonal(1e-4 * left @ torch.diag(values) @ right.T)
    assert made.shape == shape
    found = torch.linalg.svdvals(made)
    assert found.min() > 0.6 and found.max() < 1.3


def test_a_gradient_of_zeros_moves_nothing() -> None:
    assert not orthogonal(torch.zeros(4, 9)).any()


def test_the_step_of_a_filter_does_not_depend_on_how_steep_the_loss_is() -> None:
    banks: list[Tensor] = []
    for loud in (1.0, 1000.0):
        model = net()
        step(model, Muon(model, lr=0.1, momentum=0.9, weight_decay=0.0), loud=loud)
        banks.append(model[0].weight.detach())
    torch.testing.assert_close(banks[0], banks[1])


def test_a_bank_is_no_longer_than_the_root_of_its_filters() -> None:
    model = net()
    optimizer = Muon(model, lr=0.1, momentum=0.9, weight_decay=0.0)
    with torch.no_grad():
        model[0].weight.mul_(100)
    step(model, optimizer)
    assert model[0].weight.norm() < 8**0.5 * 1.2
    with torch.no_grad():
        model[0].weight.zero_()
    step(model, optimizer)
    assert 0 < model[0].weight.norm() < 8**0.5 * 0.2  # what begins at zero is free to leave it


def test_what_is_no_filter_goes_the_way_of_sgd() -> None:
    model = net()
    model[0].weight.requires_grad_(False)
    twin = copy.deepcopy(model)
    muon = Muon(model, lr=0.05, momentum=0.9, weight_decay=0.01)
    groups = [
        {"params": [twin[3].weight], "weight_decay": 0.01},
        {"params": [twin[1].weight, twin[1].bias, twin[3].bias], "weight_decay": 0.0},
    ]
    sgd = torch.optim.SGD(groups, lr=6 * 0.05, momentum=0.9, nesterov=True)
    for _ in range(3):
        step(model, muon)
        step(twin, sgd)
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
