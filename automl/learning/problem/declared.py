"""The options of an experiment that learning reads."""

from __future__ import annotations

from typing import Protocol

from automl.engine.search.options import SearchOptions
from automl.learning.data.options import DataOptions
from automl.learning.features.options import FeatureOptions
from automl.learning.metrics.options import MetricOptions
from automl.learning.validation.options import ValidationOptions

__all__ = ["Declared"]


class Declared(Protocol):
    """An experiment's configuration, as far as learning is concerned. See the options for what each group holds."""

    @property
    def task(self) -> str: ...

    @property
    def data(self) -> DataOptions: ...

    @property
    def metric(self) -> tuple[MetricOptions, ...]: ...

    @property
    def validation(self) -> ValidationOptions: ...

    @property
    def features(self) -> FeatureOptions: ...

    @property
    def search(self) -> SearchOptions: ...

    @property
    def seed(self) -> int: ...
