"""Folders with one folder of pictures per class."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from automl.errors import DataError
from automl.learning.data.append import append_rows
from automl.learning.data.guardrails import Guardrail, Verdict
from automl.learning.data.images import sizes
from automl.learning.data.images.detect import holds_images
from automl.learning.data.images.images import Images
from automl.learning.data.images.load import load_images, load_images_like
from automl.learning.data.kinds import ImageColumn
from automl.learning.data.options import DataOptions
from automl.learning.data.table import Table

Folders = Callable[..., Path]


def guardrail(table: Table, name: str) -> Guardrail:
    return next(each for each in table.guardrails if each.name == name)


def shape(table: Table) -> tuple[int, int, int]:
    (column,) = table.columns
    assert isinstance(column, ImageColumn)
    assert isinstance(table.X, Images)
    assert table.X.shape == (table.n_rows, *column.shape)
    return column.shape


def test_a_folder_is_a_class(class_folders: Folders) -> None:
    table = load_images(class_folders({"rose": 4, "tulip": 3}))
    assert (table.name, table.target, shape(table)) == ("flowers", "label", (8, 8, 3))
    assert table.y.tolist() == ["rose"] * 4 + ["tulip"] * 3
    assert table.X.pixels[:, 0, 0].tolist() == [[60 * (i > 3), i if i < 4 else i - 4, 200] for i in range(7)]
    assert table.test is None and table.columns[0].unique == 7


def test_train_and_test_folders_are_recognised(class_folders: Folders, tmp_path: Path) -> None:
    class_folders({"rose": 4, "tulip": 3}, root=tmp_path / "all" / "Train")
    class_folders({"rose": 2, "tulip": 1}, root=tmp_path / "all" / "test")
    table = load_images(tmp_path / "all")
    assert table.n_rows == 7 and table.test is not None
    assert table.test.y.tolist() == ["rose", "rose", "tulip"]
    assert table.test.fingerprint not in ("", table.fingerprint)


def test_a_class_may_be_called_train(class_folders: Folders) -> None:
    table = load_images(class_folders({"bus": 3, "train": 3}))
    assert sorted(set(table.y)) == ["bus", "train"] and table.test is None


def test_a_word_in_front_of_a_part_does_not_matter(class_folders: Folders, tmp_path: Path) -> None:
    class_folders({"rose": 4, "tulip": 3}, root=tmp_path / "all" / "seg_train")
    class_folders({"rose": 2, "tulip": 1}, root=tmp_path / "all" / "seg_test")
    (tmp_path / "all" / "seg_pred").mkdir()
    shutil.copy(tmp_path / "all" / "seg_test" / "rose" / "000.png", tmp_path / "all" / "seg_pred" / "0.png")
    table = load_images(tmp_path / "all")
    assert table.n_rows == 7 and table.test is not None and table.test.n_rows == 3
    assert "they belong to no part: seg_pred" in guardrail(table, "unread_parts").message


def test_parts_are_never_taken_for_classes(class_folders: Folders, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has the parts test, train, and none to train on with a folder per class"):
        load_images(class_folders({"train": 3, "test": 3}))  # their pictures lie right in them
    class_folders({"rose": 4, "tulip": 3}, root=tmp_path / "all" / "test")
    class_folders({"rose": 4, "tulip": 3}, root=tmp_path / "all" / "valid")
    with pytest.raises(DataError, match="has the parts test, valid, and none to train on"):
        load_images(tmp_path / "all")
    for name in ("train", "train_extra"):
        class_folders({"rose": 4, "tulip": 3}, root=tmp_path / "all" / name)
    with pytest.raises(DataError, match="two folders to train with, train and train_extra"):
        load_images(tmp_path / "all")


def test_a_class_may_have_a_part_in_its_name_and_folders_inside(class_folders: Folders, tmp_path: Path) -> None:
    root = class_folders({"local": 3}, root=tmp_path / "rails" / "freight_train")
    class_folders({"bus": 3}, root=root.parent)
    assert sorted(set(load_images(root.parent).y)) == ["bus", "freight_train"]


def test_a_test_picture_that_was_trained_on_is_noticed(class_folders: Folders, tmp_path: Path) -> None:
    class_folders({"rose": 4, "tulip": 3}, root=tmp_path / "all" / "train")
    class_folders({"rose": 2, "tulip": 1}, root=tmp_path / "all" / "test", sizes=((9, 9),))
    assert guardrail(load_images(tmp_path / "all"), "test_pictures").verdict is Verdict.ALERTED
    shutil.rmtree(tmp_path / "all" / "test")
    table = load_images(tmp_path / "all", DataOptions(test=str(tmp_path / "all")))
    assert "7 of 7 test pictures are among those to train on" in guardrail(table, "test_pictures").message
    other = class_folders({"no": 0, "such": 0, "tulip": 2, "rose": 1}, root=tmp_path / "other")
    clean = load_images(tmp_path / "all", DataOptions(test=str(other)))
    assert guardrail(clean, "test_pictures").verdict is Verdict.PASSED


def test_a_validation_folder_tests_where_there_is_no_other(class_folders: Folders, tmp_path: Path) -> None:
    class_folders({"rose": 4, "tulip": 3}, root=tmp_path / "all" / "train")
    class_folders({"rose": 2, "tulip": 1}, root=tmp_path / "all" / "val")
    table = load_images(tmp_path / "all")
    assert table.test is not None and table.test.n_rows == 3
    class_folders({"rose": 1, "tulip": 1}, root=tmp_path / "all" / "test")
    table = load_images(tmp_path / "all")
    assert table.test is not None and table.test.n_rows == 2
    assert guardrail(table, "validation_part").verdict is Verdict.ALERTED


def test_a_folder_around_the_classes_and_folders_inside_them_do_not_count(
    class_folders: Folders, tmp_path: Path
) -> None:
    root = class_folders({"rose": 4, "tulip": 3}, root=tmp_path / "archive" / "flowers")
    (root / "rose" / "garden").mkdir()
    shutil.copy(root / "rose" / "000.png", root / "rose" / "garden" / "0.PNG")
    (tmp_path / "archive" / "__MACOSX" / "x").mkdir(parents=True)
    (root / "rose" / "._000.png").write_bytes(b"of another system")
    (root / "rose" / "README.txt").write_text("roses")
    table = load_images(tmp_path / "archive")
    assert table.y.tolist() == ["rose"] * 5 + ["tulip"] * 3


def test_a_test_folder_of_the_users_own(class_folders: Folders, tmp_path: Path) -> None:
    root = class_folders({"rose": 4, "tulip": 3})
    other = class_folders({"tulip": 2, "rose": 1}, root=tmp_path / "other", sizes=((30, 20),))
    table = load_images(root, DataOptions(test=str(other)))
    assert table.test is not None and shape(table.test) == (8, 8, 3)
    assert table.test.y.tolist() == ["rose", "tulip", "tulip"]


def test_pictures_that_are_alike_keep_their_size_up_to_a_bound(class_folders: Folders, tmp_path: Path) -> None:
    assert shape(load_images(class_folders({"a": 3, "b": 3}, sizes=((40, 100),)))) == (40, 100, 3)
    large = load_images(class_folders({"a": 3, "b": 3}, root=tmp_path / "large", sizes=((256, 512),)))
    assert shape(large) == (64, 128, 3)
    assert "256 x 512 pixels are resized to 64 x 128" in guardrail(large, "image_sizes").message


def test_pictures_of_several_sizes_become_squares(class_folders: Folders, tmp_path: Path) -> None:
    small = load_images(class_folders({"a": 5, "b": 5}, sizes=((20, 30), (24, 50), (90, 26))))
    assert shape(small) == (24, 24, 3)
    assert "20 x 26 to 90 x 50 pixels are resized to 24 x 24" in guardrail(small, "image_sizes").message
    large = class_folders({"a": 5, "b": 5}, root=tmp_path / "large", sizes=((200, 300), (240, 500)))
    assert shape(load_images(large)) == (64, 64, 3)


def test_all_pixels_have_to_fit(class_folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MOST_PIXEL_BYTES", 10 * 10 * 3 * 10)
    assert shape(load_images(class_folders({"a": 5, "b": 5}, sizes=((40, 40),)))) == (10, 10, 3)


@pytest.mark.parametrize(("asked", "expected"), [(16, (16, 16, 3)), ([10, 20], (10, 20, 3))])
def test_a_size_can_be_asked_for(class_folders: Folders, asked: object, expected: tuple[int, int, int]) -> None:
    root = class_folders({"a": 3, "b": 3})
    assert shape(load_images(root, DataOptions.model_validate({"image_size": asked}))) == expected


def test_grey_pictures_have_one_channel(class_folders: Folders) -> None:
    root = class_folders({"a": 3, "b": 3})
    for path in root.glob("*/*.png"):
        Image.open(path).convert("L").save(path)
    assert shape(load_images(root)) == (8, 8, 1)
    Image.new("RGB", (8, 8), "red").save(root / "a" / "colour.png")
    assert shape(load_images(root)) == (8, 8, 3)


def test_a_damaged_picture_among_good_ones_is_named_and_left_out(class_folders: Folders) -> None:
    root = class_folders({"a": 10, "b": 10})
    broken = root / "a" / "005.png"
    broken.write_bytes(broken.read_bytes()[:50])
    for _ in range(2):  # decoded, and from the cache
        table = load_images(root)
        assert table.y.tolist() == ["a"] * 9 + ["b"] * 10
        assert table.X.pixels[5, 0, 0].tolist() == [0, 6, 200]
        found = guardrail(table, "unreadable_pictures")
        assert found.verdict is Verdict.ALERTED
        assert f"1 of 20 pictures cannot be read and are left out: {broken} (damaged" in found.message


def test_a_damaged_test_or_validation_picture_is_named_as_well(class_folders: Folders, tmp_path: Path) -> None:
    class_folders({"a": 10, "b": 10}, root=tmp_path / "all" / "train")
    held = class_folders({"a": 10, "b": 9}, root=tmp_path / "all" / "test")
    (held / "b" / "003.png").write_text("a text file")
    table = load_images(tmp_path / "all")
    assert table.test is not None and table.test.n_rows == 18
    said = [each.message for each in table.guardrails if each.verdict is Verdict.ALERTED]
    sentence = "1 of 19 pictures cannot be read and are left out:"
    assert any(message.startswith(f"Test data: {sentence} {held / 'b' / '003.png'}") for message in said)
    joined = append_rows(table, load_images_like(held, DataOptions(), table))
    assert any(each.message.startswith(f"Validation data: {sentence}") for each in joined.guardrails)


def test_too_many_damaged_pictures_are_an_error(class_folders: Folders) -> None:
    root = class_folders({"a": 10, "b": 10})
    for number in (2, 3):
        (root / "b" / f"00{number}.png").write_text("a text file")
    with pytest.raises(DataError, match=r"2 of 20 pictures cannot be read, and 1 may be left out: .*002.png \(no pic"):
        load_images(root)


def test_a_class_with_one_picture_is_noticed(class_folders: Folders) -> None:
    found = guardrail(load_images(class_folders({"a": 9, "b": 1})), "single_pictures")
    assert found.verdict is Verdict.ALERTED and "'b'" in found.message


def test_weights_of_pictures_that_are_left_out_are_too(class_folders: Folders) -> None:
    root = class_folders({"a": 10, "b": 10})
    (root / "a" / "005.png").write_text("a text file")
    table = load_images(root, DataOptions(weight=np.arange(20.0)))
    assert table.weight is not None
    assert table.weight.tolist() == [i for i in range(20) if i != 5]


def test_the_same_pictures_have_the_same_fingerprint(class_folders: Folders, tmp_path: Path) -> None:
    root = class_folders({"a": 4, "b": 4})
    table = load_images(root)
    shutil.copytree(root, tmp_path / "copy")
    assert load_images(tmp_path / "copy").fingerprint == table.fingerprint
    shutil.copy(root / "a" / "001.png", root / "a" / "000.png")
    assert load_images(root).fingerprint != table.fingerprint


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({}, "is empty"),
        ({"a": 0}, "holds no pictures: neither a folder per class"),
        ({"a": 9}, "pictures in one folder only, 'a'"),
        ({"a": 2, "b": 2}, "4 pictures with a label; at least 5"),
    ],
)
def test_too_little_to_learn_from(class_folders: Folders, tmp_path: Path, counts: dict[str, int], message: str) -> None:
    (tmp_path / "flowers").mkdir()
    with pytest.raises(DataError, match=message):
        load_images(class_folders(counts))


def test_a_folder_of_nothing_but_text_is_an_error(class_folders: Folders) -> None:
    root = class_folders({"a": 5, "b": 5})
    for path in root.glob("*/*.png"):
        path.write_text("a text file")
    with pytest.raises(DataError, match="None of the pictures can be read"):
        load_images(root)


def test_pictures_beside_the_classes_are_an_error(class_folders: Folders) -> None:
    root = class_folders({"a": 5, "b": 5})
    shutil.copy(root / "a" / "000.png", root / "stray.png")
    with pytest.raises(DataError, match=r"pictures beside its folders, such as stray\.png"):
        load_images(root)


def test_labels_cannot_be_chosen_where_the_folder_is_the_label(class_folders: Folders) -> None:
    with pytest.raises(DataError, match=r"target 'colour'.*folder is its label"):
        load_images(class_folders({"a": 5, "b": 5}), DataOptions(target="colour"))


def test_a_folder_that_nobody_may_look_into_says_so(class_folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    root = class_folders({"a": 5, "b": 5})

    def refuse(path: object) -> list[str]:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "listdir", refuse)
    assert holds_images(root), "it may: reading it says why it cannot be read"
    with pytest.raises(DataError, match=r"flowers cannot be read: Permission denied"):
        load_images(root)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_named(class_folders: Folders) -> None:
    root = class_folders({"a": 5, "b": 5})
    (root / "a").chmod(0)
    try:
        with pytest.raises(DataError, match="a cannot be read: Permission denied"):
            load_images(root)
    finally:
        (root / "a").chmod(0o755)
    root.parent.chmod(0)
    try:
        for source, options in ((root, DataOptions()), ("flowers", DataOptions(directory=str(root.parent)))):
            with pytest.raises(DataError, match=r"Cannot read .*flowers: Permission denied"):
                load_images(source, options)
    finally:
        root.parent.chmod(0o755)
