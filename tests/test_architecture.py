"""The house stays as it was drawn: imports go down, what is imported is declared, files stay readable."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "automl").rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

BROUGHT_BY = {"pydantic-core": "pydantic", "sqlalchemy": "mlflow"}
"""{distribution: the declared one that it belongs to, whose version decides}"""

OPTIONAL_IMPORTS = {
    "IPython": "inside a notebook's kernel it is always there",
    "pytest": "automl.testing is for people who test their plugins with it",
    "polars": "only to recognise a polars table of the caller's",
}

USED_UNSEEN = {"catboost": "its estimators are found by their paths, as all are"}
"""{module: who imports it, where no line of ours does}"""


def test_imports_go_down_only() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[;<>=!~]", distribution, maxsplit=1)[0]).lower()


def declared() -> set[str]:
    extras = PROJECT["optional-dependencies"]
    listed = [*PROJECT["dependencies"], *(item for name, items in extras.items() if name != "dev" for item in items)]
    names = {normal(item) for item in listed}
    return names | {part for part, whole in BROUGHT_BY.items() if whole in names}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"automl"}


def test_every_imported_library_is_declared() -> None:
    providers = packages_distributions()
    missing = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in SOURCES
        for name in imported(path) - set(OPTIONAL_IMPORTS)
        if not {normal(provider) for provider in providers.get(name, [name])} & declared()
    }
    assert not missing


def test_every_declared_library_is_imported() -> None:
    provided: dict[str, set[str]] = {}
    for module, providers in packages_distributions().items():
        for provider in providers:
            provided.setdefault(normal(provider), set()).add(module)
    names = set().union(*map(imported, SOURCES)) | set(USED_UNSEEN)
    idle = {one for one in declared() - set(BROUGHT_BY) if one in provided and not provided[one] & names}
    assert not idle


def test_files_are_read_in_one_sitting() -> None:
    # Most are below 300 lines; above 400 a concept inside wants a file of its own.
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_no_drawer_for_everything() -> None:
    named = {path.stem for path in SOURCES} | {path.parent.name for path in SOURCES}
    assert not named & {"utils", "util", "helpers", "common", "manager", "misc"}
