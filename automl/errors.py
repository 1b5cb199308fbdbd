"""Every error that automl raises on purpose.

The message of an `AutomlError` is written for the person who made the mistake: what was wrong, where,
and what to write instead. The command line prints it unchanged, without a stack trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from automl.visible import visible

__all__ = [
    "AutomlError",
    "ConfigError",
    "DamagedFileError",
    "DataError",
    "ExecutorError",
    "JournalError",
    "MetricError",
    "MissingExtraError",
    "NoModelError",
    "RegistryError",
    "SpaceError",
    "TimeBudgetError",
    "TrustError",
    "WorkspaceError",
]


class AutomlError(Exception):
    """Base of all errors that have a cause outside automl's own code.

    Example:
        >>> try:
        ...     automl.fit("classification", "irsi")
        ... except automl.AutomlError as error:
        ...     print(type(error).__name__, error)
        DataError There is no file irsi. Did you mean 'iris'? ...
    """

    exit_code = 2

    def __init__(self, message: str = "") -> None:
        super().__init__(visible(message))  # it may quote a label or a file's name, which may hold anything

    def on_command_line(self) -> str:
        """The message as a command says it."""
        return str(self)


class ConfigError(AutomlError):
    """Something that the user wrote in an experiment file, or passed as an argument, cannot be used.

    Args:
        message: one sentence, without the place; its full stop may be omitted.
        file: the file the mistake is in, if it is in one.
        line: its line there, counted from 1.
        key: dotted key, such as ``limits.time_budget``.

    Attributes:
        mistakes: the single ones, in the order of the file, where this error stands for several.
    """

    mistakes: tuple[ConfigError, ...] = ()

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        key: str | None = None,
    ) -> None:
        message = message if message.endswith((".", "?")) else f"{message}."
        self.message, self.file, self.line, self.key = message, file, line, key
        named = "" if file is None else visible(str(file), lines=False)
        place = "" if file is None else f"{named}:{line}: " if line is not None else f"{named}: "
        super().__init__(f"{place}{f'{key}: ' if key else ''}{message}")

    @classmethod
    def several(cls, mistakes: Sequence[ConfigError]) -> Self:
        """One error for several mistakes."""
        error = cls("\n  ".join([f"{len(mistakes)} mistakes:", *map(str, mistakes)]))
        error.mistakes = tuple(mistakes)
        return error


class SpaceError(ConfigError):
    """A search space is malformed."""


class MetricError(ConfigError):
    """A metric is unknown, or of another task."""


class TrustError(ConfigError):
    """A file asks for code, an argument or a host that it may not name, and trust was not given."""


class DataError(AutomlError):
    """The data cannot be read, or nothing can be learned from it."""


class WorkspaceError(AutomlError):
    """The workspace or an experiment's directory cannot be used."""


class DamagedFileError(WorkspaceError):
    """A file of ours is cut off, or was changed from outside, and cannot be read."""


class JournalError(WorkspaceError):
    """The study journal is damaged beyond its last line."""


class ExecutorError(AutomlError):
    """Trials cannot be run where they were asked to run."""

    exit_code = 1


class RegistryError(AutomlError):
    """A model cannot be registered, found or loaded."""

    exit_code = 1


class MissingExtraError(AutomlError):
    """An optional package is needed: the message says how to install it."""


class NoModelError(AutomlError):
    """The search ended without a single completed trial.

    Attributes:
        causes: why, most frequent first, one sentence each.
        directory: the experiment's directory, which holds every trial's log.
        wants: seconds of a time budget in which a model is likely, where it was the time that was missing.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        causes: tuple[str, ...] = (),
        directory: Path | None = None,
        wants: float | None = None,
    ) -> None:
        self.message, self.causes, self.directory, self.wants = message, causes, directory, wants
        super().__init__(self._told('time_budget="{0:g}s"', 'automl.resume("{1}", time_budget="{0:g}s")'))

    def on_command_line(self) -> str:
        return self._told("--time-budget {0:g}s", "'automl resume {1} --time-budget {0:g}s'")

    def _told(self, budget: str, resume: str) -> str:
        listed = "".join(f"\n  - {cause}" for cause in self.causes)
        more = ""
        if self.wants is not None:
            on = f"; {resume.format(self.wants, self.directory)} continues" if self.directory else ""
            more = f"\nIt needs more time, or fewer folds: write {budget.format(self.wants)}{on}."
        where = f"\nEvery trial's record and log: {self.directory}" if self.directory else ""
        return f"{self.message}{listed}{more}{where}"


class TimeBudgetError(NoModelError):
    """The time budget ran out before the first trial could begin."""

    exit_code = 2
