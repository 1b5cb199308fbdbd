"""What workers are sent, and where it lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.engine.execution.payload import Mapped, Payload
from automl.errors import ExecutorError


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_is_a_sentence_that_names_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/somewhere")
    payload = Payload(b"", [bytes(3 * 2**20)])
    with (
        open("/dev/full", "wb", buffering=0) as full,
        pytest.raises(ExecutorError, match=r"3 MB, cannot be written to /somewhere: No space left.*TMPDIR"),
    ):
        Mapped.write(payload, full)
