"""The steps at which trials report, and what they say of the work behind them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Steps"]


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a whole trial.

    Work that comes in parts compares best at their ends, where all trials have the same parts behind them. Inside a
    part, trials of different kinds may be further, or less far, than they seem.

    Attributes:
        whole: the step at which a whole trial makes its last report.
        part: steps of each part; `whole` where there is one part only.
    """

    whole: int
    part: int

    def share(self, step: int) -> float:
        """Return the share of the work that is done at `step`; 1 at the end."""
        return step / self.whole

    def inside(self, step: int) -> bool:
        """Tell whether `step` lies inside a part, and not at its end."""
        return step % self.part != 0

    def first_rung(self, factor: int) -> int:
        """The first step at which successive halving compares trials, where its user names none.

        It is the end of the first part of several; of a single one, a step with room for two more rungs.

        Args:
            factor: of which each rung keeps one.
        """
        return self.part if self.whole > self.part else max(1, self.whole // factor**2)
