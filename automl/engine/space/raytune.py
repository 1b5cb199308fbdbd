"""Search spaces written with ray.tune's functions, accepted unchanged.

Domains are recognised by their class's name and module: Ray is never imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automl.errors import SpaceError

__all__ = ["translate"]


def translate(value: Any, key: str = "") -> Any:
    """`value` with every ``tune.uniform(...)`` and the like replaced by its definition in our grammar.

    Upper bounds of ray's integers are exclusive and become inclusive.

    Raises:
        SpaceError: ``tune.sample_from``, which a file could not hold either.
    """
    if isinstance(value, Mapping):
        if set(value) == {"grid_search"}:
            return {"type": "categorical", "choices": list(value["grid_search"])}
        return {name: translate(item, f"{key}.{name}" if key else str(name)) for name, item in value.items()}
    if not _is_domain(value):
        return value
    kind = type(value).__name__
    if kind == "Categorical":
        return {"type": "categorical", "choices": list(value.categories)}
    if kind in ("Float", "Integer"):
        return _number(value, kind)
    raise SpaceError("tune.sample_from draws by a function; write a range, or choices with 'when'", key=key)


def _is_domain(value: Any) -> bool:
    """Tell whether `value` is an instance of ray's Domain."""
    return any(cls.__name__ == "Domain" and cls.__module__.startswith("ray.tune.") for cls in type(value).__mro__)


def _number(domain: Any, kind: str) -> dict[str, Any]:
    """A Float or Integer domain: its sampler says the distribution, a Quantized one around it the step."""
    sampler = domain.get_sampler()
    step = getattr(sampler, "q", None)
    sampler = sampler.get_sampler() if step is not None else sampler
    names = {cls.__name__ for cls in type(sampler).__mro__}
    quantum = {} if step is None else {"step": step}
    if "Normal" in names:
        return {"type": "normal", "mu": sampler.mean, "sigma": sampler.sd, **quantum}
    log = {"log": True} if "LogUniform" in names else {}
    if kind == "Float":
        return {"type": "float", "low": domain.lower, "high": domain.upper, **log, **quantum}
    step = int(step or 1)
    low = -(-int(domain.lower) // step) * step  # ray rounds to multiples of q, inwards
    high = int(domain.upper) // step * step if step > 1 else int(domain.upper) - 1
    if low == high:
        return {"type": "categorical", "choices": [low]}
    return {"type": "int", "low": low, "high": high, **log, **({"step": step} if step > 1 else {})}
