"""The interface of a sampler to the search: an Optuna sampler, made anew for every ask."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from automl.engine.space.load import install_hint
from automl.engine.space.space import AlgorithmSpace, SearchSpace
from automl.engine.trial.objective import Objective
from automl.errors import MissingExtraError
from automl.options import Options

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from automl.engine.study.proposal import Proposer

__all__ = ["Ask", "Sampler"]


@dataclass(frozen=True, slots=True)
class Ask:
    """The place in the search at which a configuration is asked for; the same after a resume.

    Attributes:
        seed: of this ask alone, from the experiment's seed and the trial's number.
        stream: a seed that all asks of the algorithm share.
        index: how many trials of the algorithm, of any proposer, came before.
        names: all parameters of the algorithm as Optuna knows them, conditional ones included.
    """

    seed: int
    stream: int = 0
    index: int = 0
    names: tuple[str, ...] = ()


class Sampler(ABC):
    """A name that users write below ``search.sampler``, and the Optuna sampler behind it.

    Attributes:
        name: how users call it.
        Settings: its options.
        learns: False if what it proposes depends on the `Ask` alone. The algorithm is then drawn uniformly, too.
        has_final_training: False if it plans all of a search itself: nothing is then kept for a last and longest
            training.
        continues: True if trials continue from the checkpoints of others, which have done a part of the work.
        takes_pruned: False if its Optuna sampler looks at completed trials only. It is then shown a pruned trial as
            one that completed with the score it had reached.
        window: how many finished trials of an algorithm it models at most.
        requires: module that must be installed.

    Raises:
        MissingExtraError: that module is not installed.
    """

    name: ClassVar[str]
    Settings: ClassVar[type[Options]] = Options
    learns: ClassVar[bool] = True
    has_final_training: ClassVar[bool] = True
    continues: ClassVar[bool] = False
    takes_pruned: ClassVar[bool] = True
    window: int = 1_000
    requires: ClassVar[str | None] = None

    def __init__(self, settings: Options) -> None:
        if self.requires is not None and importlib.util.find_spec(self.requires) is None:
            raise MissingExtraError(f"search.sampler: {self.name!r} cannot be used: {install_hint(self.requires)}.")
        self.settings = settings

    @abstractmethod
    def make(self, seed: int) -> BaseSampler:
        """A fresh Optuna sampler: no state between asks, so a resumed search continues with the same bits."""

    def at(self, ask: Ask) -> BaseSampler:
        """The same for one ask, where it matters which."""
        return self.make(ask.seed)

    def proposer(self, space: SearchSpace, *, objective: Objective, seed: int, measured: bool) -> Proposer | None:
        """Return its own proposer, if trials continue from others; None: each configuration is drawn on its own.

        Args:
            objective: the primary metric.
            seed: the experiment's seed.
            measured: measured seconds may decide, so that a run cannot be repeated bit by bit.
        """
        return None

    def layout(self, space: AlgorithmSpace) -> AlgorithmSpace | None:
        """The finite space whose configurations are all gone through instead of drawing from `space`; None: drawn.

        Raises:
            ConfigError: it would be too large.
        """
        return None
