"""The most memory that this process has held since a moment."""

from __future__ import annotations

import sys

__all__ = ["peak_memory", "reset_peak_memory", "resident_memory"]


def reset_peak_memory() -> None:
    """Begin to count anew. Without effect outside Linux: there the peak is that of the process's whole life."""
    try:
        with open("/proc/self/clear_refs", "wb", buffering=0) as file:
            file.write(b"5")  # resets VmHWM and nothing else (proc(5))
    except OSError:
        pass


def peak_memory() -> int | None:
    """Bytes of resident memory at the peak; None where the system does not say."""
    try:
        with open("/proc/self/status", "rb", buffering=0) as file:
            text = file.read()
        begin = text.index(b"VmHWM:") + 6
        return int(text[begin : text.index(b"kB", begin)]) * 1024
    except (OSError, ValueError):
        return _peak_of_life()


def resident_memory() -> int:
    """Bytes of resident memory now."""
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        import psutil

        return int(psutil.Process().memory_info().rss)


def _page_size() -> int:
    try:
        import resource

        return resource.getpagesize()
    except ImportError:  # Windows
        return 4096


_PAGE = _page_size()


def _peak_of_life() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
