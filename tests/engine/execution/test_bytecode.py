"""Where the processes of an experiment keep byte code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ASK = """
import json
from automl.engine.execution.bytecode import child_environment
from automl.engine.execution.watchdog_process import _environment
from automl.tracking.environment import mirror_environment
names = "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE"
print(json.dumps([{name: of.get(name) for name in names} for of in (child_environment(), mirror_environment(),
    _environment())]))
"""


@pytest.fixture
def fresh(tmp_path: Path) -> dict[str, str]:
    """An environment in which a library is installed that nobody has compiled, and Python may not keep byte code."""
    library = tmp_path / "site" / "mlflow"
    library.mkdir(parents=True)
    (library / "__init__.py").touch()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPYCACHEPREFIX"}
    return {**environment, "PYTHONPATH": str(library.parent), "PYTHONDONTWRITEBYTECODE": "1"}


def asked(environment: dict[str, str]) -> list[dict[str, str | None]]:
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    answers: list[dict[str, str | None]] = json.loads(done.stdout)
    return answers


def test_all_children_keep_byte_code_in_the_users_cache_where_the_installation_has_none(
    fresh: dict[str, str], cache: Path
) -> None:
    children, *others = asked(fresh)
    assert Path(children["PYTHONPYCACHEPREFIX"] or "").parent == cache / "bytecode"
    assert children["PYTHONDONTWRITEBYTECODE"] == ""
    assert others == [children, children]


def test_what_a_child_imports_is_compiled_once(fresh: dict[str, str], cache: Path, tmp_path: Path) -> None:
    (tmp_path / "site" / "mine.py").write_text("import os")
    child = {**fresh, **{name: value or "" for name, value in asked(fresh)[0].items()}}
    children = [subprocess.Popen([sys.executable, "-c", "import mine"], env=child) for _ in range(2)]
    assert [child.wait() for child in children] == [0, 0]
    assert len(list(cache.glob("bytecode/**/mine.*.pyc"))) == 1
    assert not list((tmp_path / "site").rglob("*.pyc"))


def test_python_that_keeps_its_own_byte_code_is_left_to_it(fresh: dict[str, str], cache: Path) -> None:
    children = asked({**fresh, "PYTHONDONTWRITEBYTECODE": ""})[0]
    assert children == {"PYTHONPYCACHEPREFIX": None, "PYTHONDONTWRITEBYTECODE": ""}
    assert not (cache / "bytecode").exists()


def test_a_cache_that_was_chosen_is_left_as_it_is(fresh: dict[str, str], tmp_path: Path) -> None:
    chosen = {**fresh, "PYTHONPYCACHEPREFIX": str(tmp_path / "chosen")}
    assert asked(chosen)[0]["PYTHONPYCACHEPREFIX"] == str(tmp_path / "chosen")


@pytest.mark.parametrize("trouble", ["a file", "open to others"])
def test_without_a_safe_place_nothing_is_kept(fresh: dict[str, str], cache: Path, trouble: str) -> None:
    if trouble == "a file":
        shutil.rmtree(cache, ignore_errors=True)
        cache.touch()
    else:
        (cache / "bytecode").mkdir(parents=True)
        (cache / "bytecode").chmod(0o777)
    assert asked(fresh)[0] == {"PYTHONPYCACHEPREFIX": None, "PYTHONDONTWRITEBYTECODE": "1"}


def test_byte_code_of_few_installations_is_kept(fresh: dict[str, str], cache: Path) -> None:
    for number in range(6):
        (cache / "bytecode" / str(number)).mkdir(parents=True, mode=0o700)
        os.utime(cache / "bytecode" / str(number), (number, number))
    (cache / "bytecode").chmod(0o700)
    used = Path(asked(fresh)[0]["PYTHONPYCACHEPREFIX"] or "")
    assert {folder.name for folder in (cache / "bytecode").iterdir()} == {"3", "4", "5", used.name}


def test_the_command_line_keeps_byte_code_of_its_own(fresh: dict[str, str], cache: Path) -> None:
    subprocess.run([sys.executable, "-m", "automl", "runs", "list"], env=fresh, capture_output=True, check=True)
    assert list(cache.glob("bytecode/**/console.*.pyc"))
