"""Options that users write below ``retention:``."""

from __future__ import annotations

from pydantic import Field

from automl.options import Options

__all__ = ["RetentionOptions"]


class RetentionOptions(Options):
    models: int | None = Field(
        default=20,
        ge=0,
        description="completed trials whose models stay, the best ones and the winner; null keeps all. Records, "
        "predictions and outputs stay in any case, and a trial without models is fitted again when it is registered",
    )
