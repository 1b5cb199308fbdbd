"""`import automl` and the reading of experiment files stay light: import time is a feature."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

import automl

HEAVY = {"catboost", "lightgbm", "mlflow", "numpy", "optuna", "pandas", "pyarrow", "ray", "scipy", "sklearn", "skrub"}
HEAVY |= {"torch", "xgboost"}


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after `code`."""
    program = f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    return set(done.stdout.split())


def test_import_automl_loads_no_library() -> None:
    assert loaded_by("import automl").isdisjoint(HEAVY | {"pydantic", "yaml", "rich", "typer"})


def test_reading_a_configuration_loads_no_heavy_library() -> None:
    code = "from automl.config.reader import read_config_text\nread_config_text('task: classification\\ndata: iris')"
    assert loaded_by(code).isdisjoint(HEAVY)


def test_the_client_needs_the_standard_library_only() -> None:
    allowed = set(sys.stdlib_module_names) | {"automl", "__main__"}
    bare = loaded_by("")
    assert loaded_by("import automl.client") - bare <= allowed


def test_progress_loads_no_heavy_library() -> None:
    code = "from automl.display.view import make_progress\nmake_progress(title='x')"
    assert loaded_by(code).isdisjoint(HEAVY)


@pytest.mark.parametrize("name", sorted(set(automl.__all__) - {"__version__"}))
def test_public_names_exist(name: str) -> None:
    assert getattr(automl, name) is not None
    assert name in dir(automl)


def test_every_public_name_has_a_home() -> None:
    assert set(automl.__all__) == {*automl._HOME, "__version__"}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        automl.fitt  # noqa: B018


def test_types_are_shipped() -> None:
    spec = find_spec("automl")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    from pathlib import Path

    assert (Path(next(iter(spec.submodule_search_locations))) / "py.typed").exists()
