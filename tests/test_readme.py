"""What the documents promise holds: blocks run, commands and files exist, the map is that of the code."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

import automl
from automl.cli import commands
from automl.cli.app import app
from automl.engine.samplers.registry import samplers
from automl.engine.space.load import load_space
from automl.learning.algorithms.trust import check_trust
from automl.learning.data.catalogue import CATALOGUE

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md"]

commands.load()


def blocks(language: str) -> list[str]:
    """The README's blocks of code in `language`."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


QUICKSTART, PICTURES, IN_A_TRIAL = blocks("python")
EXPERIMENTS = [block for block in blocks("yaml") if re.search(r"^task:", block, re.MULTILINE)]
SPACES = [block for block in blocks("yaml") if re.search(r"^algorithms:", block, re.MULTILINE)]


def run_python(code: str, place: Path) -> str:
    """What `code` prints, in a process and a directory of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=place, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# Blocks


def test_every_yaml_block_is_checked_below() -> None:
    assert len(EXPERIMENTS) + len(SPACES) == len(blocks("yaml")) >= 2


@pytest.mark.parametrize("block", EXPERIMENTS)
def test_experiments_are_valid(block: str, tmp_path: Path) -> None:
    from automl import api

    file = tmp_path / "experiment.yaml"
    file.write_text(block, encoding="utf-8")
    trust = "address:" in block  # of another machine
    assert api.validate(file, trust=trust).task in ("classification", "image_classification")


@pytest.mark.parametrize("block", SPACES)
def test_search_spaces_load_and_need_no_trust(block: str, tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(block, encoding="utf-8")
    check_trust(load_space(file, task="classification"), trust=False)


def test_the_space_is_the_example() -> None:
    assert [(ROOT / "examples" / "own_space.yaml").read_text(encoding="utf-8")] == SPACES


def test_the_python_block_is_the_example() -> None:
    body = (ROOT / "examples" / "quickstart.py").read_text(encoding="utf-8").partition("\n\n")[2]
    assert body == QUICKSTART


def test_the_python_block_runs(tmp_path: Path) -> None:
    # With two trials instead of a minute's; the whole minute is an example's slow test.
    short = QUICKSTART.replace('time_budget="60s"', 'time_budget="60s", max_trials=2')
    assert short != QUICKSTART
    assert "['setosa']" in run_python(short, tmp_path)


def test_the_block_about_pictures_runs(tmp_path: Path) -> None:
    # With a folder of made ones and two trials instead of a download and ten minutes.
    draw = np.random.default_rng(0)
    for number in range(60):
        side = tmp_path / "made" / ("test" if number < 12 else "train") / ("light", "dark")[number % 2]
        side.mkdir(parents=True, exist_ok=True)
        pixels = draw.integers(0, 120, (8, 8)) + 120 * (1 - number % 2)
        Image.fromarray(pixels.astype("uint8")).save(side / f"{number}.png")
    (side / "59.png").rename(tmp_path / "three.png")
    short = PICTURES.replace(
        'data="mnist", time_budget="10m"', 'data="./made", max_trials=1, tracking=None, registry=None'
    )
    assert short != PICTURES
    assert "['dark']" in run_python(short, tmp_path)


def test_code_inside_a_trial_runs_outside_of_one_too(tmp_path: Path) -> None:
    assert run_python(f"import automl\n{IN_A_TRIAL}", tmp_path) == "loss = 0.25 (step 1)\n"
    assert (tmp_path / "outputs" / "note.txt").is_file()


def test_the_built_in_datasets_are_named() -> None:
    listed = re.search(r"`data` is a built-in dataset \((.*?)\)", README, re.DOTALL)
    assert listed is not None
    assert set(re.findall(r"`(\w+)`", listed[1])) == set(CATALOGUE)


def test_the_table_of_samplers_is_complete() -> None:
    rows = re.search(r"\| `search.sampler` \|.*?\n\n", README, re.DOTALL)
    assert rows is not None
    listed = [name for row in rows[0].strip().splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(listed) == sorted(samplers())


# Commands


def documented() -> Iterator[tuple[str, ...]]:
    """The commands of the README's table, without their arguments: ('runs', 'list'), ..."""
    for row in re.findall(r"^\| `automl (.*?)` \|", README, re.MULTILINE):
        first, *others = [word for word in re.split(r"[\s\\|]+", row) if word.islower()]
        groups = {group.name for group in app.registered_groups}
        yield from ((first, other) for other in others) if first in groups else [(first,)]


def available() -> Iterator[tuple[str, ...]]:
    def names(parent: typer.Typer) -> list[str]:
        found = [
            command.name or command.callback.__name__ for command in parent.registered_commands if command.callback
        ]
        return found

    yield from ((name,) for name in names(app))
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from ((str(group.name), name) for name in names(group.typer_instance))


def test_the_table_of_commands_is_complete() -> None:
    assert set(documented()) == set(available())


@pytest.mark.parametrize("command", sorted(documented()), ids=" ".join)
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0, shown.output
    assert "Usage" in shown.output


def test_the_options_that_are_named_exist() -> None:
    wide = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}

    def help_of(*command: str) -> str:
        return CliRunner().invoke(app, [*command, "--help"], env=wide).output

    for command in ("run", "resume"):
        for option in ("--time-budget", "--max-trials", "--trust", "-v", "-q"):
            assert option in help_of(command)
    for listing in (("runs", "list"), ("runs", "show"), ("models", "list"), ("models", "show")):
        assert "--json" in help_of(*listing)


# Files, the map, plugins


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / document).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_has_the_targets_that_are_named(document: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = (ROOT / document).read_text(encoding="utf-8")
    named = set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", text, re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert {first or second for first, second in named} <= targets


def test_every_file_to_copy_exists() -> None:
    named = re.findall(r"`((?:automl|tests|search_spaces|benchmarks|examples)/[\w./]+)`", CONTRIBUTING)
    named = [path for path in named if "NAME" not in path]
    assert len(named) >= 10
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_map_lists_the_layers_and_their_rooms_in_the_order_of_imports() -> None:
    mapped: dict[str, list[str]] = {"automl": []}
    for indent, name in re.findall(r"^(  |    )(\w+)(?:/|\.py)", CONTRIBUTING, re.MULTILINE):
        floor = "automl" if len(indent) == 2 else f"automl.{mapped['automl'][-1]}"
        mapped.setdefault(floor, []).append(name)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = {
        container: [name for layer in contract["layers"] for name in re.findall(r"\w+", layer)]
        for contract in contracts
        if contract["type"] == "layers"
        for container in contract["containers"]
    }
    assert mapped == layers


def test_the_groups_of_entry_points_are_those_of_the_code() -> None:
    sources = [path.read_text(encoding="utf-8") for path in Path(automl.__file__).parent.rglob("*.py")]
    used = {
        name
        for code in sources
        if "entry_points(" in code or "ENTRY_POINTS = " in code
        for name in re.findall(r'"(automl\.[a-z_]+)"', code)
    }
    assert set(re.findall(r"^\| `(automl\.[a-z_]+)` \|", CONTRIBUTING, re.MULTILINE)) == used
