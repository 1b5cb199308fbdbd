"""Population based training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from automl.engine.samplers.base import Sampler
from automl.engine.space.space import SearchSpace
from automl.engine.trial.objective import Objective
from automl.options import Options

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from automl.engine.study.proposal import Proposer

__all__ = ["PopulationBasedTraining"]


class PopulationSettings(Options):
    population: int = Field(default=10, ge=2, description="members of a population")
    generations: int = Field(default=5, ge=1, description="trials of a member: each adds an equal part of the work")
    quantile: float = Field(default=0.2, gt=0, le=0.5, description="share of members replaced, and of those copied")
    resample_probability: float = Field(default=0.25, ge=0, le=1, description="of drawing a copied parameter anew")
    perturb: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(0.8, 1.2), min_length=1, description="copied numbers are multiplied by one of these"
    )


class PopulationBasedTraining(Sampler):
    """Members are trained in parts; between them the worst continue from copies of the best (arXiv:1711.09846).

    What continues is the checkpoint that a trial leaves (`Run.checkpoint`, `Run.parent_checkpoint`). Work that leaves
    none is done from its start with a growing fidelity. Only a member's last trial does the full work.

    There is no final training: what a population is good for is its schedule of hyperparameters, which a new training
    with the last of them would not have. So anytime algorithms train for as long as their parameters say, whatever the
    time budget is.
    """

    name = "pbt"
    has_final_training = False
    continues = True
    Settings = PopulationSettings

    def make(self, seed: int) -> BaseSampler:
        """Return the sampler that draws a member's first configuration."""
        from automl.engine.samplers.uniform import UniformSampler

        return UniformSampler(seed)

    def proposer(self, space: SearchSpace, *, objective: Objective, seed: int, measured: bool) -> Proposer:
        from automl.engine.samplers.population import PopulationProposer, Rules

        settings = self.settings
        assert isinstance(settings, PopulationSettings)
        rules = Rules(
            members=settings.population,
            generations=settings.generations,
            quantile=settings.quantile,
            resample=settings.resample_probability,
            factors=settings.perturb,
        )
        return PopulationProposer(space, rules, objective=objective, seed=seed)
