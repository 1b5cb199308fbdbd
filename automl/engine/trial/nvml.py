"""NVIDIA's management library, as far as a record needs it.

It comes with the driver, so it is there where a GPU can be used, and it answers without a CUDA context, which
would cost some hundred megabytes of the GPU. (The package nvidia-ml-py is the same calls; torch does not bring it.)
Signatures: https://docs.nvidia.com/deploy/nvml-api
"""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

__all__ = ["Gpu", "gpu", "gpu_count"]

_LIBRARY = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
_UUID = 96
"""Characters of a UUID, the closing zero included (NVML_DEVICE_UUID_V2_BUFFER_SIZE)."""


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class _Utilization(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU of this machine.

    Attributes:
        handle: NVML's.
    """

    handle: Any

    @property
    def uuid(self) -> str | None:
        """Its name, which no other GPU has; None if it does not say."""
        text = ctypes.create_string_buffer(_UUID)
        done = _ask("nvmlDeviceGetUUID", self.handle, text, ctypes.c_uint(_UUID))
        return text.value.decode("ascii") if done else None

    @property
    def free_memory(self) -> int | None:
        """Bytes that no process holds at present; None if it does not say."""
        memory = _Memory()
        return int(memory.free) if _ask("nvmlDeviceGetMemoryInfo", self.handle, ctypes.byref(memory)) else None

    @property
    def utilization(self) -> float | None:
        """Share of the last second or less in which it computed, for any process; None if it does not say."""
        rates = _Utilization()
        return rates.gpu / 100 if _ask("nvmlDeviceGetUtilizationRates", self.handle, ctypes.byref(rates)) else None


def gpu_count() -> int:
    """GPUs of this machine, whatever CUDA_VISIBLE_DEVICES says; 0 without a driver."""
    count = ctypes.c_uint()
    return count.value if _ask("nvmlDeviceGetCount_v2", ctypes.byref(count)) else 0


def gpu(name: str) -> Gpu | None:
    """The GPU that CUDA_VISIBLE_DEVICES calls `name`; None if there is no such GPU.

    A number is that of the PCI bus's order, in which CUDA counts too where CUDA_DEVICE_ORDER is PCI_BUS_ID.
    """
    handle = ctypes.c_void_p()
    if name.isdigit():
        found = _ask("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(int(name)), ctypes.byref(handle))
    else:
        found = _ask("nvmlDeviceGetHandleByUUID", name.encode(), ctypes.byref(handle))
    return Gpu(handle) if found else None


def _ask(function: str, *arguments: Any) -> bool:
    """Call a function of the library; False if it could not do what it should."""
    library = _library()
    return library is not None and getattr(library, function)(*arguments) == 0


@cache
def _library() -> Any:
    """The library, ready to be called; None without one."""
    try:
        library = ctypes.CDLL(_LIBRARY)
        return library if library.nvmlInit_v2() == 0 else None
    except (OSError, AttributeError):
        return None
