"""Storage for the trials' files of workers on other machines, when the machines share no disk.

A worker runs a trial in a folder of its own machine and then uploads what the trial has left; the driver fetches it to
the trial's own directory before it hands on the result. So everything downstream finds its files where it always does.
What was uploaded stays in the storage. A trial that is killed leaves nothing of its files but what its driver knows.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from automl.engine.trial.contract import Failure, Status, TrialResult, TrialSpec
from automl.engine.trial.outputs import files_below
from automl.errors import ExecutorError

__all__ = ["Scratch", "Storage", "StorageError", "failed", "scratch_folder"]

_TRIES = 3
_PAUSE = 0.5
"""Seconds before the second try, and twice as many before each further one."""
_FIRST_UPLOAD = 0.5
"""Seconds that are kept for an upload before one was seen."""

_FINAL = (PermissionError, NotADirectoryError, IsADirectoryError, NotImplementedError)
"""Errors that another try would not change."""

T = TypeVar("T")


class StorageError(Exception):
    """The storage cannot be reached, read or written. The message holds no credentials."""


@dataclass(frozen=True)
class Storage:
    """A folder that all machines can reach, as one of them sees it.

    Attributes:
        url: path, or URL of any filesystem that fsspec knows.
    """

    url: str

    def check(self) -> None:
        """See whether this process can write and read there.

        Raises:
            ExecutorError: it cannot.
        """
        if self.url.startswith("memory:"):
            raise ExecutorError("compute.storage is in one process's memory; name a place that all machines can reach.")
        if "***" in self.url:
            raise ExecutorError(
                f"The credentials in compute.storage, {self.shown}, were not recorded; keep them where its client "
                "looks for them (the environment, or its own configuration file), and write the URL without."
            )
        probe = f"automl-{time.time_ns():x}"
        try:
            path = f"{self._root}/{probe}"
            self._files.makedirs(self._root, exist_ok=True)
            self._files.pipe_file(path, b"automl")
            self._files.rm_file(path)
        except StorageError as error:
            raise ExecutorError(f"compute.storage cannot be used: {error}") from error
        except Exception as error:
            raise ExecutorError(f"compute.storage cannot be used: {self._sentence(error)}") from error

    @property
    def shown(self) -> str:
        """The URL without user, password and query: safe to print."""
        if "://" not in self.url:
            return self.url
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    def upload(self, folder: Path, trial: Path) -> tuple[str, ...]:
        """Copy the files below `folder` to where those of the trial directory `trial` belong; their names.

        Raises:
            StorageError: that failed, again and again.
        """
        names = []
        for file in sorted(files_below(str(folder))):
            name = Path(file).relative_to(folder).as_posix()
            target = f"{self._place(trial)}/{name}"
            self._patiently(lambda file=file, target=target: self._put(file, target))  # type: ignore[misc]
            names.append(name)
        return tuple(names)

    def fetch(self, names: Sequence[str], trial: Path) -> None:
        """Copy the files `names` of a trial to its directory here.

        Raises:
            StorageError: that failed, again and again.
        """
        for name in names:
            local = trial / name
            if not local.resolve().is_relative_to(trial.resolve()):
                raise StorageError(f"{name!r} is not a file of a trial.")
            local.parent.mkdir(parents=True, exist_ok=True)
            source = f"{self._place(trial)}/{name}"
            self._patiently(lambda source=source, local=local: self._files.get_file(source, str(local)))  # type: ignore[misc]

    def offer(self, folder: Path) -> None:
        """Upload the checkpoint `folder` of a trial, unless it is there: its trial may have run on this machine.

        Raises:
            StorageError: that failed, again and again.
        """
        if not self._patiently(lambda: self._files.exists(f"{self._place(folder.parent)}/{folder.name}")):
            for file in files_below(str(folder)):
                self._patiently(lambda file=file: self._put(file, self._beside(folder, file)))  # type: ignore[misc]

    def collect(self, folder: Path, local: Path) -> None:
        """Copy the checkpoint `folder` of another trial to `local`.

        Raises:
            StorageError: that failed, again and again.
        """
        place = f"{self._place(folder.parent)}/{folder.name}"
        for source in self._patiently(lambda: self._files.find(place)):
            target = local / str(PurePosixPath(source).relative_to(place))
            target.parent.mkdir(parents=True, exist_ok=True)
            self._patiently(lambda source=source, target=target: self._files.get_file(source, str(target)))  # type: ignore[misc]

    def _beside(self, folder: Path, file: str) -> str:
        return f"{self._place(folder.parent)}/{Path(file).relative_to(folder.parent).as_posix()}"

    def write(self, text: str, name: str, trial: Path) -> None:
        """Write the small file `name` of a trial."""
        path = f"{self._place(trial)}/{name}"
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(path, text.encode())

    def take(self, name: str, trial: Path) -> str | None:
        """Return what the small file `name` of a trial holds, and remove it; None if there is none."""
        path = f"{self._place(trial)}/{name}"
        try:
            text: bytes = self._files.cat_file(path)
            self._files.rm_file(path)
        except Exception:
            return None
        return text.decode()

    def _put(self, file: str, target: str) -> None:
        self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._files.put_file(file, target)

    def _place(self, trial: Path) -> str:
        """``<storage>/<experiment>/<id>/trials/<number>``, as the workspace names it."""
        return str(PurePosixPath(self._root, *trial.parts[-4:]))

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        try:
            files, root = url_to_fs(self.url)
        except ImportError as error:
            raise StorageError(f"{self.shown} needs a package that is not installed: {error}.") from error
        except Exception as error:
            raise StorageError(self._sentence(error)) from error
        return files, str(root).rstrip("/")

    @property
    def _files(self) -> Any:
        return self._opened[0]

    @property
    def _root(self) -> str:
        return self._opened[1]

    def _patiently(self, action: Callable[[], T]) -> T:
        """Try again what may have been a moment's trouble.

        Clients of object stores (s3fs, gcsfs) do so themselves; those of other places, such as SFTP, SMB, or a folder
        that is mounted over the network, do not.
        """
        for attempt in range(_TRIES):
            try:
                return action()
            except StorageError:
                raise
            except Exception as error:
                if attempt == _TRIES - 1 or isinstance(error, _FINAL):
                    raise StorageError(self._sentence(error)) from error
                time.sleep(_PAUSE * 2**attempt)
        raise AssertionError

    def _sentence(self, error: Exception) -> str:
        text = " ".join(str(error).replace(self.url, self.shown).split()).rstrip(".")
        netloc = urlsplit(self.url).netloc if "://" in self.url else ""
        secrets = netloc.rpartition("@")[0]
        text = text.replace(secrets, "***") if secrets else text
        return f"{self.shown}: {type(error).__name__}: {text[:300]}."

    def __getstate__(self) -> dict[str, Any]:
        return {"url": self.url}  # each process opens it for itself


def scratch_folder(mark: str) -> Path:
    """Return the folder where the worker `mark` runs trials on its own machine. Its watchdog removes it, by name."""
    return Path(tempfile.gettempdir()) / f"automl-{mark}"


class Scratch:
    """Runs trials in a folder of this machine, and uploads what they leave.

    Args:
        storage: where to.
        mark: the worker's.
    """

    def __init__(self, storage: Storage, mark: str) -> None:
        self._storage, self._folder = storage, scratch_folder(mark) / "trials"
        self._uploading = _FIRST_UPLOAD

    def local(self, spec: TrialSpec) -> TrialSpec:
        """`spec` in a folder of this machine, and with so much less time as the upload will take.

        Raises:
            StorageError: the checkpoint that it continues from cannot be had.
        """
        directory = self._folder / spec.directory.name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        lineage = spec.lineage
        if lineage.checkpoint is not None:
            checkpoint = self._folder / f".parent-{spec.directory.name}"
            shutil.rmtree(checkpoint, ignore_errors=True)
            self._storage.collect(lineage.checkpoint, checkpoint)
            lineage = replace(lineage, checkpoint=checkpoint)
        seconds = spec.limits.seconds
        if seconds is not None:
            seconds = max(seconds / 2, seconds - self._uploading)
        limits = replace(spec.limits, seconds=seconds)
        return replace(spec, directory=directory, limits=limits, lineage=lineage)

    def deliver(self, spec: TrialSpec, result: TrialResult) -> tuple[TrialResult, tuple[str, ...]]:
        """Upload what the trial has left: its result, and the names of the files that are in the storage."""
        began = time.monotonic()
        directory = self._folder / spec.directory.name
        try:
            names = self._storage.upload(directory, spec.directory)
        except StorageError as error:
            return failed(result, error), ()
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        self._uploading = max(self._uploading, 1.5 * (time.monotonic() - began))
        return result, names


def failed(result: TrialResult, error: StorageError) -> TrialResult:
    """The result of a trial whose files are lost: its model could not be used."""
    failure = Failure(kind="StorageError", message=f"Its files are lost. {error}")
    changes = {"status": Status.FAILED, "value": None, "failure": failure, "outputs": (), "model_size": 0}
    return result.model_copy(update=changes)
