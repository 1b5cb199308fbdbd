"""Inputs of an experiment beside its configuration. Light to import: workers start before all else."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Inputs"]


@dataclass(frozen=True)
class Inputs:
    """Inputs of any experiment; a kind of problem has its own beside them.

    Attributes:
        trust: let the file name any code and set any argument of it.
        progress: show how far it is, where something takes long.
    """

    trust: bool = False
    progress: bool = True
