"""A machine that is busy with something else: loops of pure Python, beside what is measured."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["busy"]

_LOOP = """
import os, sys
while os.getppid() == int(sys.argv[1]):  # the benchmark may be killed: nothing of it stays
    for _ in range(10**6): pass
"""


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """Keep `loops` processes busy for the length of a `with` block."""
    started = [subprocess.Popen([sys.executable, "-S", "-c", _LOOP, str(os.getpid())]) for _ in range(loops)]
    try:
        yield
    finally:
        for loop in started:
            loop.kill()
            loop.wait()
