from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from automl.errors import SpaceError
from automl.learning.algorithms.nets.blocks import halvings
from automl.learning.algorithms.nets.conv import ConvNet
from automl.learning.algorithms.nets.fast import FastNet, Whitening
from automl.learning.algorithms.nets.net import make_net
from automl.learning.algorithms.nets.resnet import ResNet
from automl.learning.algorithms.nets.resnet9 import ResNet9
from automl.learning.algorithms.nets.small import SmallNet

MODULES = {
    SmallNet: {},
    ConvNet: {"width": 8},
    ResNet: {"width": 8},
    ResNet9: {"width": 4},
    FastNet: {"width": 8, "growth": 2},
}
SHAPES = [(28, 28, 1), (32, 32, 3), (64, 48, 3), (8, 8, 1), (9, 17, 3), (100, 90, 3)]


@pytest.mark.parametrize(("module", "shape"), itertools.product(MODULES, SHAPES))
def test_a_net_takes_pictures_of_any_size_and_learns_from_them(module: type, shape: tuple[int, int, int]) -> None:
    net = make_net(module, MODULES[module], shape, n_classes=7)
    pixels = torch.randint(256, (4, *shape), dtype=torch.uint8)
    net.learn(pixels, seed=0)
    net.train()
    torch.nn.functional.cross_entropy(net(pixels), torch.tensor([0, 6, 3, 3])).backward()
    gradients = [parameter.grad for parameter in net.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    assert sum(float(gradient.abs().sum()) for gradient in gradients) > 0


def test_the_small_net_is_the_tutorials() -> None:
    sizes = [tuple(parameter.shape) for parameter in SmallNet().parameters() if parameter.ndim > 1]
    assert sizes == [(6, 3, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)]


def test_a_net_grows_with_its_width_and_depth() -> None:
    def size(module: type, **params: int) -> int:
        return sum(parameter.numel() for parameter in module(3, 10, (32, 32), **params).parameters())

    for module in (ConvNet, ResNet):
        assert size(module, width=16, depth=1) < size(module, width=32, depth=1) < size(module, width=32, depth=2)
    assert size(ResNet9, width=8) < size(ResNet9, width=16) == 412_944
    assert size(FastNet, width=16, growth=2) < size(FastNet, width=32, growth=2) < size(FastNet, width=32, growth=4)


def test_large_pictures_are_halved_to_the_size_of_small_ones() -> None:
    assert [halvings(size) for size in ((28, 28), (40, 40), (41, 8), (64, 48), (224, 224))] == [0, 0, 1, 1, 3]


def test_pictures_are_standardised_by_what_the_training_pictures_have() -> None:
    net = make_net(SmallNet, {}, (16, 16, 3), n_classes=2)
    rng = np.random.default_rng(0)
    pixels = torch.from_numpy(rng.normal((50, 100, 150), (10, 20, 30), (200, 16, 16, 3)).astype(np.uint8))
    net.learn(pixels, seed=0)
    standard = net._standardised(pixels)
    torch.testing.assert_close(standard.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(standard.std(dim=(0, 2, 3)), torch.ones(3), atol=1e-3, rtol=0)
    assert standard.is_contiguous(memory_format=torch.channels_last)


def test_a_channel_without_any_variation_stays_finite() -> None:
    net = make_net(FastNet, {"width": 8}, (8, 8, 1), n_classes=2)
    net.learn(torch.full((5, 8, 8, 1), 7, dtype=torch.uint8), seed=0)
    assert net(torch.full((2, 8, 8, 1), 9, dtype=torch.uint8)).isfinite().all()


def test_whitened_patches_are_uncorrelated() -> None:
    smooth = torch.nn.functional.avg_pool2d(torch.randn(200, 3, 20, 20), 3, stride=1)  # neighbours are correlated
    layer = Whitening(3, kernel=2)
    layer.learn(smooth)
    half = layer(smooth)[:, : layer.outputs // 2, 1:-1, 1:-1]
    flat = half.permute(1, 0, 2, 3).flatten(1)
    covariance = flat @ flat.T / flat.shape[1]
    off = covariance - torch.diag(covariance.diagonal())
    assert covariance.diagonal().min() > 0.7 and covariance.diagonal().max() < 1.1  # less than 1 by the floor alone
    assert off.abs().max() < 0.1


class WithoutClasses(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def test_a_net_with_another_number_of_classes_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"WithoutClasses gives \(2, 10\) for 2 pictures and 3 classes"):
        make_net(WithoutClasses, {}, (8, 8, 1), n_classes=3)


def test_a_net_for_pictures_of_another_size_is_refused() -> None:
    with pytest.raises(SpaceError, match="WithoutClasses does not take pictures of 12 x 12 x 1"):
        make_net(WithoutClasses, {}, (12, 12, 1), n_classes=10)
