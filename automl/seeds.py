"""Seeds that depend on what they are for and on nothing else: a resumed search draws what it would have drawn."""

from __future__ import annotations

import hashlib

__all__ = ["derive"]


def derive(seed: int, *purpose: str | int) -> int:
    """A seed in [0, 2**31) for `purpose` (such as ``("trial", 7)``), from the experiment's seed."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") >> 1
