"""No key of an experiment file makes automl import or run anything that Trust does not allow."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

import automl
from automl import api
from automl.engine.workspace.layout import Workspace
from automl.errors import AutomlError
from automl.experiment.models.gc import find_garbage

NAME = "canary_module"
MODEL = {"algorithms": {"m": {"estimator": f"{NAME}.Model"}}}
REAL = "sklearn.tree.DecisionTreeClassifier"
TEXT = f"task: classification\ndata: iris\nlimits: {{max_trials: 1}}\nseed: %s os.system [touch {NAME}_ran]\n"
KEYS: dict[str, dict[str, Any] | str] = {
    "task": {"task": NAME},
    "data.source": {"data": {"source": f"{NAME}.py", "target": "y"}},
    "data.source as a module": {"data": {"source": f"{NAME}.load", "target": "y"}},
    "data.source as a protocol": {"data": {"source": f"{NAME}://x.csv", "target": "y"}},
    "data.source as a pickle": {"data": {"source": "canary.pkl", "target": "y"}},
    "data.test": {"data": {"source": "iris", "test": f"{NAME}.py"}},
    "data.weight": {"data": {"source": "iris", "weight": f"{NAME}.weight"}},
    "metric": {"metric": f"{NAME}.Metric"},
    "metric with a goal": {"metric": {"name": f"{NAME}:Metric", "goal": "maximize"}},
    "validation.strategy": {"validation": {"strategy": f"{NAME}.Split"}},
    "validation.source": {"validation": {"strategy": "predefined", "source": f"{NAME}.py"}},
    "search.space": {"search": {"space": f"{NAME}.py"}},
    "search.space as a module": {"search": {"space": f"{NAME}.space"}},
    "estimator": {"search": {"space": MODEL}},
    "estimator through an allowed package": {
        "search": {"space": {"algorithms": {"m": {"estimator": f"sklearn.utils.{NAME}.Model"}}}}
    },
    "estimator that is a function": {
        "search": {"space": {"algorithms": {"m": {"estimator": "sklearn.datasets._base.os.system"}}}}
    },
    "requires": {"search": {"space": {"algorithms": {"m": {"estimator": REAL, "requires": NAME}}}}},
    "requires a submodule": {"search": {"space": {"algorithms": {"m": {"estimator": REAL, "requires": f"{NAME}.x"}}}}},
    "fixed": {"search": {"space": {"algorithms": {"m": {"estimator": REAL, "fixed": {"criterion": f"{NAME}.f"}}}}}},
    "allow": {"search": {"algorithms": {"allow": [f"{NAME}.Model"]}}},
    "sampler": {"search": {"sampler": f"{NAME}.Sampler"}},
    "sampler's options": {"search": {"sampler": {"name": "tpe", "options": {"gamma": f"{NAME}.gamma"}}}},
    "pruner": {"search": {"pruner": f"{NAME}.Pruner"}},
    "warm_start": {"search": {"warm_start": NAME}},
    "features.columns": {"features": {"columns": {"x": f"{NAME}.Kind"}}},
    "executor": {"compute": {"executor": f"{NAME}.Executor"}},
    "executor as an entry point": {"compute": {"executor": f"{NAME}:make"}},
    "storage": {"compute": {"executor": "ray", "storage": f"{NAME}://bucket"}},
    "tracking.uri": {"tracking": {"uri": f"{NAME}://x"}, "limits": {"max_trials": 1, "time_budget": 3}},
    "registry.promote": {"registry": {"promote": f"{NAME}.rule"}},
    "an unknown key": {"callbacks": [f"{NAME}.call"], "plugins": [NAME]},
    "a YAML tag": TEXT % "!!python/object/apply:",
    "a YAML tag of a name": TEXT.replace("os.system [touch", "[") % f"!!python/name:{NAME}.x",
    "a YAML tag of a module": TEXT.replace("os.system [touch", "[") % f"!!python/module:{NAME}",
}


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file that exists once the canary was imported or run; the canary lies where Python looks first."""
    mark = tmp_path / f"{NAME}_ran"
    (tmp_path / f"{NAME}.py").write_text(f"open({str(mark)!r}, 'w').close()\nclass Model: pass\n")
    (tmp_path / "canary.pkl").write_bytes(f"cos\nsystem\n(Vtouch {mark.name}\ntR.".encode())
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # for workers
    monkeypatch.chdir(tmp_path)
    yield mark
    sys.modules.pop(NAME, None)


def run(file: Path) -> None:
    automl.run(file, progress=False)


@pytest.mark.parametrize("verb", [api.validate, api.plan, run], ids=["validate", "plan", "run"])
@pytest.mark.parametrize("key", KEYS)
def test_nothing_that_a_file_names_is_imported_or_run(mark: Path, key: str, verb: Callable[[Path], Any]) -> None:
    file = mark.parent / "e.yaml"
    small = {
        "task": "classification",
        "data": "iris",
        "limits": {"max_trials": 1},
        "validation": {"folds": 2},
        "search": {"algorithms": {"allow": ["naive_bayes"]}, "portfolio": False},
        "compute": {"executor": "inline"},
        "tracking": None,
        "registry": None,
    }
    declared = KEYS[key]
    file.write_text(declared if isinstance(declared, str) else yaml.safe_dump({**small, **declared}))
    before = {path.name for path in mark.parent.iterdir()}
    with suppress(AutomlError):  # nothing but our own sentences
        verb(file)
    assert not mark.exists()
    assert NAME not in sys.modules
    assert {path.name for path in mark.parent.iterdir()} <= before | {"automl_home"}


def test_the_canary_sings(mark: Path) -> None:
    """With trust it is imported: so it would have been seen above."""
    file = mark.parent / "e.yaml"
    file.write_text(yaml.safe_dump({"task": "classification", "data": "iris", "search": {"space": MODEL}}))
    with suppress(AutomlError):
        api.validate(file, trust=True)
    assert mark.exists()


def test_listing_a_workspace_runs_nothing_in_it(mark: Path, workspace: Path) -> None:
    place = workspace / "x" / "20260101-000000-abcd"
    place.mkdir(parents=True)
    (place / "experiment.yaml").write_text(TEXT % "!!python/object/apply:")
    (place / "result.json").write_text("{}")
    with suppress(AutomlError):
        api.list_runs()
    find_garbage(Workspace(workspace))
    assert not mark.exists()
