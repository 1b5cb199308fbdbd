"""The device that a net is trained on, and the numbers that it computes with."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch

from automl.errors import SpaceError

__all__ = ["DEVICES", "PRECISIONS", "Hardware", "choose_hardware", "is_here", "settings"]

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class Hardware:
    """A device, and the short floating-point numbers that it computes with.

    Attributes:
        half: type of autocast; None for float32 throughout.
    """

    device: Any
    half: Any = None

    @property
    def is_cuda(self) -> bool:
        return bool(self.device.type == "cuda")

    @property
    def scales(self) -> bool:
        """True if gradients would vanish in the numbers' short range unless the loss is scaled."""
        return self.half is torch.float16 and self.is_cuda

    @property
    def exact(self) -> Hardware:
        """The same device with float32: what a model predicts then hardly depends on where it does."""
        return replace(self, half=None)

    def autocast(self) -> AbstractContextManager[Any]:
        if self.half is None:
            return nullcontext()
        context: AbstractContextManager[Any] = torch.autocast(self.device.type, dtype=self.half)
        return context


def choose_hardware(device: str = "auto", precision: str = "auto") -> Hardware:
    """Return what `device` and `precision` mean on this machine.

    ``auto`` is the first GPU that can be seen, else the CPU; and the shortest numbers that the device computes with
    natively: a CPU that has to emulate bfloat16 is ten times slower with it.

    Raises:
        SpaceError: there is no such device or precision.
    """
    for name, value, known in (("device", device, DEVICES), ("precision", precision, PRECISIONS)):
        if value.partition(":")[0] not in known:
            raise SpaceError(f"{name} {value!r} is unknown: choose {', '.join(known)}.", key=name)
    has_cuda = torch.cuda.is_available()
    if device.startswith("cuda") and not has_cuda:
        raise SpaceError(
            "device 'cuda' was asked for, and torch sees no GPU here: choose 'auto' or 'cpu'.", key="device"
        )
    chosen = torch.device(("cuda" if has_cuda else "cpu") if device == "auto" else device)
    if chosen.type == "cuda" and chosen.index is None:
        chosen = torch.device("cuda", torch.cuda.current_device())
    if precision != "auto":
        return Hardware(chosen, None if precision == "float32" else getattr(torch, precision))
    return Hardware(chosen, _native_half(chosen))


def is_here(device: str) -> bool:
    """Tell whether this machine has the device that a training elsewhere had."""
    kind, _, index = device.partition(":")
    if kind == "cuda":
        return bool(int(index or 0) < torch.cuda.device_count())
    return kind != "mps" or bool(torch.backends.mps.is_available())


def _native_half(device: Any) -> Any:
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float16
    if device.type == "cpu" and _cpu_has_bfloat16():
        return torch.bfloat16
    return None


def _cpu_has_bfloat16() -> bool:
    tests = (getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile"))
    return any(test is not None and test() for test in tests)


@contextmanager
def settings(hardware: Hardware, *, seed: int, deterministic: bool) -> Iterator[None]:
    """Torch's switches for the length of one training; afterwards they, and its random numbers, are as they were.

    Args:
        deterministic: only algorithms that give the same bits each time, slower on a GPU.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=[hardware.device] if hardware.is_cuda else []))
        torch.manual_seed(seed)
        stack.callback(torch.set_num_threads, torch.get_num_threads())  # a training may find that fewer are faster
        stack.callback(torch.set_flush_denormal, False)
        torch.set_flush_denormal(True)  # they are a hundred times slower, and worth nothing here
        if hardware.is_cuda:
            stack.callback(torch.set_float32_matmul_precision, torch.get_float32_matmul_precision())
            torch.set_float32_matmul_precision("high")
            stack.callback(setattr, torch.backends.cudnn, "benchmark", torch.backends.cudnn.benchmark)
            torch.backends.cudnn.benchmark = not deterministic
        if deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS repeats its sums only then
            stack.callback(torch.use_deterministic_algorithms, torch.are_deterministic_algorithms_enabled())
            torch.use_deterministic_algorithms(True)
        yield
