from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from automl.learning.algorithms.nets.augment import Augmentation, gather, holes, mirror_rows, origins

sides = st.integers(2, 20)


def noise(n: int, height: int, width: int, channels: int = 3) -> torch.Tensor:
    return torch.randint(
        256, (n, height, width, channels), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def moved(pictures: torch.Tensor, up: int, left: int, *, flip: bool = False) -> torch.Tensor:
    """All of `pictures`, moved by the same way."""
    n, height, width, _ = pictures.shape
    every = torch.ones(n, dtype=torch.int64)
    flips = torch.full((n,), flip)
    return gather(pictures, torch.arange(n), origins(height, up * every), origins(width, left * every, flips))


@given(sides, sides)
def test_mirrored_twice_is_as_it_was(height: int, width: int) -> None:
    pictures = noise(3, height, width)
    once = moved(pictures, 0, 0, flip=True)
    assert torch.equal(once, pictures.flip(2))
    assert torch.equal(moved(once, 0, 0, flip=True), pictures)


@given(sides, sides, st.data())
def test_a_moved_picture_keeps_its_pixels_and_reflects_at_the_border(
    height: int, width: int, data: st.DataObject
) -> None:
    up = data.draw(st.integers(1 - height, height - 1))
    left = data.draw(st.integers(1 - width, width - 1))
    pictures = noise(2, height, width)
    new = moved(pictures, up, left)
    rows, columns = slice(max(up, 0), height + min(up, 0)), slice(max(left, 0), width + min(left, 0))
    old_rows, old_columns = slice(max(-up, 0), height + min(-up, 0)), slice(max(-left, 0), width + min(-left, 0))
    assert torch.equal(new[:, rows, columns], pictures[:, old_rows, old_columns])
    if up > 0:
        assert torch.equal(new[:, :up, columns], pictures[:, 1 : up + 1, old_columns].flip(1))


@given(sides, sides, st.integers(1, 25))
def test_a_hole_is_a_square_inside_the_picture(height: int, width: int, side: int) -> None:
    mask = holes(40, height, width, side, torch.Generator().manual_seed(1))
    assert (mask.sum(dim=(1, 2)) == min(side, height) * min(side, width)).all()
    assert (mask.any(dim=2).sum(dim=1) == min(side, height)).all()


def test_a_hole_has_the_fill_colour_and_nothing_else_changes() -> None:
    pictures, fill = noise(30, 8, 8) // 2, torch.tensor([200, 201, 202], dtype=torch.uint8)
    cut = Augmentation(cutout=3).batch(pictures, torch.arange(30), None, fill, torch.Generator().manual_seed(0))
    changed = (cut != pictures).any(dim=3)
    assert (changed.sum(dim=(1, 2)) == 9).all()
    assert (cut[changed] == fill).all()


def test_every_picture_is_changed_in_its_own_way() -> None:
    same = noise(1, 8, 8).expand(64, 8, 8, 3)
    rows, fill, generator = torch.arange(64), torch.zeros(3, dtype=torch.uint8), torch.Generator().manual_seed(0)
    new = Augmentation(translate=2, cutout=2).batch(same, rows, None, fill, generator)
    assert len(torch.unique(new.flatten(1), dim=0)) > 48  # of 25 x 49 possible ones


def test_the_same_generator_gives_the_same_pictures() -> None:
    pictures, rows, fill = noise(16, 8, 8), torch.arange(16), torch.zeros(3, dtype=torch.uint8)
    mirrored = mirror_rows(16, 0, torch.Generator().manual_seed(5))
    new, again = (
        Augmentation(True, 2, 2).batch(pictures, rows, mirrored, fill, torch.Generator().manual_seed(3)) for _ in "ab"
    )
    assert torch.equal(new, again)


def test_a_picture_is_mirrored_in_every_other_epoch() -> None:
    first, second, third = (mirror_rows(1000, epoch, torch.Generator().manual_seed(7)) for epoch in range(3))
    assert torch.equal(first, ~second) and torch.equal(first, third)
    assert 400 < first.sum() < 600  # 500 by expectation, with a standard deviation of 16


@pytest.mark.parametrize("channels", [1, 3])
def test_without_changes_the_chosen_rows_come_as_they_are(channels: int) -> None:
    pictures, rows = noise(10, 6, 5, channels), torch.tensor([7, 0, 7])
    new = Augmentation().batch(pictures, rows, None, torch.zeros(channels, dtype=torch.uint8), torch.Generator())
    assert torch.equal(new, pictures[rows])
