"""The image benchmarks: what they read, how their reference nets train, and what their figures are."""

from __future__ import annotations

import gzip
import importlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
DATA = os.environ.get("AUTOML_DATA_DIR")
"""Read before a test's environment is made, which has none."""


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch):
    """A module of the folder, imported as its scripts import it."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def module(name: str) -> ModuleType:
        return importlib.import_module(name)

    return module


def idx(values: np.ndarray) -> bytes:
    """The format of MNIST's files: two zeros, the type, the number of dimensions, each as four bytes, the values."""
    header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, dtype=">u4").tobytes()
    return gzip.compress(header + values.astype(np.uint8).tobytes())


def write_mnist(folder: Path, *, rows: int = 40) -> np.ndarray:
    """Both parts in the four files; returns the test labels."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        labels = np.arange(rows) % 10
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(rng.integers(0, 256, (rows, 28, 28))))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(labels))
    return labels


def script(name: str, *arguments: str | Path) -> str:
    """What a benchmark prints."""
    command = [sys.executable, str(BENCHMARKS / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# Data


def test_idx_files_are_read(load, tmp_path: Path) -> None:
    labels = write_mnist(tmp_path / "mnist")
    pictures = load("image_sets").read_pictures(tmp_path / "mnist", "test")
    assert pictures.pixels.shape == (40, 28, 28, 1)
    assert pictures.pixels.dtype == np.uint8
    assert list(pictures.labels) == list(labels)


@pytest.mark.parametrize("form", [lambda content: content, lambda content: {"bytes": content, "path": None}])
def test_parquet_files_are_read_in_order_and_decoded(load, tmp_path: Path, form: Callable[[bytes], object]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image

    for number in range(2):
        content = io.BytesIO()
        Image.new("RGB", (4, 4), (number, 0, 9)).save(content, "PNG")
        rows = {"image": [form(content.getvalue())] * 3, "label": [number] * 3}
        pq.write_table(pa.table(rows), tmp_path / f"train-{number}.parquet")
    pictures = load("image_sets").read_pictures(tmp_path, "train")
    assert list(pictures.labels) == [0, 0, 0, 1, 1, 1]
    assert pictures.pixels[:, 0, 0].tolist() == [[0, 0, 9]] * 3 + [[1, 0, 9]] * 3


def test_an_empty_folder_is_refused(load, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="neither"):
        load("image_sets").read_pictures(tmp_path, "train")


def test_rows_for_tuning_are_apart_from_those_for_training(load) -> None:
    pictures = load("image_sets").Pictures(np.zeros((10, 2, 2, 1), dtype=np.uint8), np.arange(10))
    others, held = pictures.split(3, seed=0)
    assert len(held.labels) == 3
    assert sorted([*others.labels, *held.labels]) == list(range(10))


# Reference nets


def stripes(rows: int, channels: int):
    """Pictures of 32 x 32 with stripes across, or up and down, in noise."""
    rng = np.random.default_rng(0)
    labels = np.arange(rows) % 2
    waves = np.broadcast_to(100 * (np.arange(32) // 4 % 2), (rows, 32, 32))
    pixels = np.where(labels[:, None, None] == 1, waves, waves.transpose(0, 2, 1))[..., None]
    noisy = np.repeat(pixels, channels, axis=3) + rng.integers(0, 100, (rows, 32, 32, channels))
    return noisy.astype(np.uint8), labels.astype(np.int64)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Two that wait for each other take minutes where others use the cores, too."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    torch.set_flush_denormal(False)  # which a training sets for the whole process


@pytest.mark.parametrize(("name", "channels"), [("mnist", 1), ("cifar10", 3)])
def test_a_reference_net_learns_what_is_easy(load, one_thread: None, name: str, channels: int) -> None:
    pictures = load("image_sets").Pictures(*stripes(256, channels))
    recipe = replace(load("reference_nets").RECIPES[name], batch=(32, 32))
    trained = load("reference_training").train(recipe, pictures, epochs=4)
    assert trained.epochs == pytest.approx(4)
    assert (trained.predict(pictures.pixels) == pictures.labels).mean() > 0.95


def test_its_rate_rises_and_falls_to_zero_with_the_time_used(load) -> None:
    torch = pytest.importorskip("torch")
    training, recipe = load("reference_training"), load("reference_nets").RECIPES["mnist"]
    optimizer = training._optimizer(torch.nn.Linear(2, 2), recipe)
    schedule = training._OneCycle(recipe, optimizer, batch=128)
    rates = []
    for done in (0.0, recipe.warmup / 2, recipe.warmup, (1 + recipe.warmup) / 2, 1.0):
        schedule.at(done)
        rates.append(optimizer.param_groups[0]["lr"] / recipe.peak)
    assert rates == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0])


def test_what_is_shifted_and_turned_stays_in_the_picture(load) -> None:
    torch = pytest.importorskip("torch")
    training = load("reference_training")
    pixels = np.zeros((1, 8, 8, 1), dtype=np.uint8)
    pixels[0, 3, 4] = 255
    pictures = load("image_sets").Pictures(pixels, np.zeros(1, dtype=np.int64))
    rows = training.Rows(pictures, torch.device("cpu"), margin=2)
    one = torch.zeros(1, dtype=torch.int64)

    def brightest(**change: object) -> tuple[int, int]:
        place = int(rows.view(one, **change)[0, 0].argmax())  # type: ignore[arg-type]
        return place // 8, place % 8

    assert brightest(down=0, right=0, flip=False) == (3, 4)
    assert brightest(down=1, right=-2, flip=False) == (2, 6)  # the window moves down: what is in it moves up
    assert brightest(down=0, right=0, flip=True) == (3, 3)
    assert rows.view(one, 0, 0, flip=False).is_contiguous(memory_format=torch.channels_last)


# Figures


def a_run(images: ModuleType, who: str, seed: int, accuracy: float, **others: object):
    return images.Run(who, seed, 60.0, "cpu", accuracy, **{"wall": 59.0, **others})


def test_the_gap_is_the_reference_less_ours(load) -> None:
    images, mnist = load("images"), load("mnist")
    runs = [
        a_run(images, "ours", 0, 0.98, wall=59.0, trials=10),
        a_run(images, "reference", 0, 0.99),
        a_run(images, "ours", 1, 0.97, wall=61.0, trials=20),
        a_run(images, "reference", 1, 0.98),
    ]
    found = {figure.name: figure for figure in load("image_figures").figures(runs, mnist.MNIST, 10_000)}
    assert found["test_accuracy"].value == pytest.approx(0.975)
    assert found["test_accuracy_min"].value == 0.97
    assert found["gap_to_reference"].value == pytest.approx(0.01)
    assert found["gap_to_reference"].met is False  # 0.003 at 60 s
    assert found["trials"].value == 15
    assert found["overrun_s"].value == 1.0  # the longest
    assert found["standard_error"].value == pytest.approx((0.975 * 0.025 / 10_000) ** 0.5)


def test_kept_runs_are_not_repeated_and_give_figures_and_a_plot(load, tmp_path: Path) -> None:
    pytest.importorskip("torch")  # without it the reference is left out
    write_mnist(tmp_path / "mnist")
    images = load("images")
    kept = tmp_path / "runs.jsonl"
    for run in (
        a_run(images, "ours", 0, 0.98, climb=((10.0, 0.9), (40.0, 0.97)), trials=3),
        a_run(images, "reference", 0, 0.99),
    ):
        images._keep(kept, run)
    arguments = ("--data", tmp_path, "--budget", "60", "--seeds", "1", "--runs", kept, "--json", tmp_path / "m.json")
    printed = script("mnist.py", *arguments)
    assert "gap_to_reference" in printed
    figures = json.loads((tmp_path / "m.json").read_text())
    assert figures["gap_to_reference"] == pytest.approx(0.01)
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")
    assert len(kept.read_text().splitlines()) == 2


@pytest.mark.parametrize("name", ["mnist.py", "cifar10.py"])
def test_figures_of_a_gpu_are_skipped_without_one(name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert "is skipped" in script(name, "--data", tmp_path, "--device", "cuda")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_the_quick_form(name: str, tmp_path: Path) -> None:
    if DATA is None or not (Path(DATA) / name).is_dir():
        pytest.skip("needs AUTOML_DATA_DIR")
    script(f"{name}.py", "--data", DATA, "--quick", "--json", tmp_path / "figures.json")
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["test_accuracy"] > {"mnist": 0.9, "cifar10": 0.3}[name]  # a linear model: 0.92, 0.39
