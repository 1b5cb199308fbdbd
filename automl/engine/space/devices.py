"""The devices that trials compute on."""

from __future__ import annotations

from collections.abc import Iterable

from automl.engine.space.space import AlgorithmSpace
from automl.engine.trial.contract import Device

__all__ = ["devices_of"]


def devices_of(algorithms: Iterable[AlgorithmSpace]) -> frozenset[Device]:
    """Return the devices that trials of these compute on where every kind is available."""
    return frozenset(Device.GPU if algorithm.gpu else Device.CPU for algorithm in algorithms)
