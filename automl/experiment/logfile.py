"""automl.log: the messages of an experiment, kept beside its trials."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automl.redact import RedactingFormatter

__all__ = ["logged_to"]


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Append what the logger "automl" says to `path`, for the length of a `with` block.

    A file that cannot be written is not a reason to end a search: the lines are then only shown.
    """
    logger = logging.getLogger("automl")
    try:
        handler = logging.FileHandler(path, encoding="utf-8", delay=False)
    except OSError as error:
        logger.warning("%s cannot be written (%s); its lines are only shown", path, error.strerror)
        yield
        return
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(message)s"))
    shown = None
    if not logger.hasHandlers():
        # Python shows warnings of a logger without handlers by itself, but no longer once the file is one.
        shown = logging.StreamHandler()
        shown.setLevel(logging.WARNING)
        shown.setFormatter(RedactingFormatter())
        logger.addHandler(shown)
    before = logger.level
    if logger.getEffectiveLevel() > logging.INFO:
        logger.setLevel(logging.INFO)
        _keep_quiet(logger, before or logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        if shown is not None:
            logger.removeHandler(shown)
        handler.close()
        logger.setLevel(before)
        for other in logger.handlers:
            other.filters = [f for f in other.filters if not isinstance(f, _AtLeast)]


def _keep_quiet(logger: logging.Logger, level: int) -> None:
    """The file hears everything; what is shown stays as loud as it was asked to be."""
    for handler in logger.handlers:
        handler.addFilter(_AtLeast(level))


class _AtLeast(logging.Filter):
    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= self._level
