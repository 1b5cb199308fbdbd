"""environment.json: the versions that an experiment's scores depend on.

Written when a session begins with other versions than the one before: a resumed experiment may have several.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from automl.engine.space.space import AlgorithmSpace
from automl.engine.workspace.atomic import read_json, write_json
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import DamagedFileError
from automl.packages import distribution_of, installed
from automl.validation_errors import in_short

__all__ = ["Environment", "environment_at", "record_environment"]

log = logging.getLogger("automl")

_ALWAYS = ("numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "joblib", "threadpoolctl", "optuna")


class Environment(BaseModel):
    """Versions on the driver's machine.

    Attributes:
        since: UTC, ISO 8601: from when on trials ran with them.
        python: version of the interpreter.
        platform: system and processor, such as ``Linux x86_64``.
        packages: version by distribution.
    """

    model_config = ConfigDict(frozen=True)

    since: str = ""
    python: str
    platform: str
    packages: dict[str, str]

    @classmethod
    def now(cls, algorithms: Iterable[AlgorithmSpace]) -> Environment:
        """Record what is installed here of all that `algorithms` need."""
        frameworks = {distribution_of(module) for algorithm in algorithms for module in algorithm.needs}
        # By name, not by an import statement: the package's root stands above every layer. Not its distribution's
        # version either, which a checkout does not have.
        automl: str = import_module("automl").__version__
        return cls(
            since=datetime.now(UTC).isoformat(timespec="milliseconds"),
            python=platform.python_version(),
            platform=f"{platform.system()} {platform.machine()}",
            packages={"automl": automl, **installed((*_ALWAYS, *sorted(frameworks - {*_ALWAYS, "automl"})))},
        )

    def versions(self) -> dict[str, str]:
        return {"python": self.python, "platform": self.platform, **self.packages}

    def differences(self, other: Environment, *, framework: str = "") -> dict[str, tuple[str | None, str | None]]:
        """Return what differs: by name, the version here and the one in `other`, None where there is none.

        Packages that only one of them looked at are left out, except for `framework`.
        """
        here, there = self.versions(), other.versions()
        names = [name for name in {**here, **there} if name == framework or (name in here and name in there)]
        return {name: (here.get(name), there.get(name)) for name in names if here.get(name) != there.get(name)}


def record_environment(directory: ExperimentDirectory, algorithms: Iterable[AlgorithmSpace]) -> None:
    """Note the versions of this session, if they are not those of the session before."""
    path, now = _path(directory), Environment.now(algorithms)
    try:
        before = _read(path)
    except DamagedFileError as error:
        log.warning("%s The versions of earlier sessions are lost.", error)
        before = []
    if not before or before[-1].versions() != now.versions():
        write_json(path, {"environments": [environment.model_dump() for environment in (*before, now)]})


def environment_at(directory: ExperimentDirectory, started_at: str) -> Environment | None:
    """The versions with which a trial ran that started then; None if the experiment has not recorded any.

    Raises:
        WorkspaceError: the file is damaged, or was written by a newer automl.
    """
    found = _read(_path(directory))
    past = [environment for environment in found if environment.since <= started_at]
    return past[-1] if past else found[0] if found else None


def _path(directory: ExperimentDirectory) -> Path:
    return directory.path / "environment.json"


def _read(path: Path) -> list[Environment]:
    if not path.exists():
        return []
    try:
        return [Environment.model_validate(entry) for entry in read_json(path).get("environments", [])]
    except (TypeError, ValueError) as error:
        why = in_short(error) if isinstance(error, ValueError) else str(error)
        raise DamagedFileError(f"{path} is not a record of versions: {why}.") from error
