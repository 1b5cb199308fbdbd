"""A bar where somebody watches, and nothing elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def decode_below(terminal: bool, root: Path, progress: bool) -> str:
    """What a process that decodes pictures writes to standard error, a terminal or a pipe."""
    code = f"from automl.data.images.load import load_images; load_images({str(root)!r}, progress={progress})"
    ours, theirs = os.openpty() if terminal else os.pipe()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen([sys.executable, "-c", code], stderr=theirs, env=environment)
    os.close(theirs)
    written = b""
    while True:
        try:
            block = os.read(ours, 4096)
        except OSError:  # a terminal whose other end is closed
            break
        if not block:
            break
        written += block
    os.close(ours)
    assert process.wait() == 0
    return written.decode()


@pytest.mark.parametrize(("terminal", "progress"), [(True, True), (True, False), (False, True)])
def test_a_bar_is_shown_to_people_who_want_one(
    class_folders: Callable[..., Path], terminal: bool, progress: bool
) -> None:
    written = decode_below(terminal, class_folders({"a": 5, "b": 5}), progress)
    if terminal and progress:
        assert "Decoding pictures" in written
    else:
        assert written == ""
