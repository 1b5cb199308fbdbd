"""Files in a storage that fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec import AbstractFileSystem

from automl.engine.execution.storage import Storage, StorageError


class Failing(AbstractFileSystem):  # type: ignore[misc]
    """Fails to take files, for as long as there are `errors` to raise."""

    protocol = "failing"
    errors: ClassVar[list[Exception]] = []
    taken: ClassVar[list[str]] = []

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        pass

    def put_file(self, lpath: str, rpath: str, **_: Any) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.taken.append(rpath)


fsspec.register_implementation("failing", Failing)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "name" / "a" / "trials" / "00000"
    place.mkdir(parents=True)
    (place / "model.bin").write_bytes(b"automl")
    Failing.errors, Failing.taken = [], []
    return place


def test_what_fails_for_a_moment_is_tried_again(folder: Path) -> None:
    Failing.errors = [ConnectionResetError("a moment's trouble")]
    assert Storage("failing://place").upload(folder, folder) == ("model.bin",)
    assert Failing.taken == ["place/name/a/trials/00000/model.bin"]


def test_a_refusal_is_final(folder: Path) -> None:
    Failing.errors = [PermissionError("no"), PermissionError("still no")]
    with pytest.raises(StorageError, match=r"failing://place: PermissionError: no\."):
        Storage("failing://place").upload(folder, folder)
    assert len(Failing.errors) == 1
