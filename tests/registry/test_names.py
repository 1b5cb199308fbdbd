from __future__ import annotations

import pytest

from automl.registry.names import check_name, folder_name

ODD = [
    "../up",
    "a/b",
    "a\\b",
    ".",
    "..",
    "",
    "con:",
    "naïve",
    "a" * 200,
    "Iris",
    "iris",
    "IRIS",
    "x y",
    "x%20y",
    "x y ",
]


def test_every_name_has_a_folder_of_its_own_that_any_file_system_takes() -> None:
    folders = [folder_name(name) for name in ODD]
    assert len({folder.lower() for folder in folders}) == len(ODD)
    for folder in folders:
        assert folder
        assert not set(folder) & set('/\\:?*"<>|')
        assert not folder.startswith(".")
        assert len(folder) <= 120
    assert folder_name("iris") == "iris"  # a plain name is its own folder


@pytest.mark.parametrize("name", ["", " iris", "iris ", "a/b", "a:b", "../x", "é", "x" * 201])
def test_a_name_that_mlflow_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a registered model"):
        check_name(name)
