"""Fits every known estimator with values that want to reach outside this process; prints what they have reached.

Run by `test_reach.py`, in a process of its own, since an audit hook cannot be removed: every Nth case, in an empty
folder. The values go to the estimators without being judged first, so that an argument that is allowed by mistake is
seen.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from automl.engine.space.load import is_installed
from automl.engine.space.space import AlgorithmSpace
from automl.learning.algorithms.estimators import make_learner
from automl.learning.algorithms.libraries import Known, known_estimators

MARK = "hostile"
PROCESSES = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn")
FILES = ("open", "os.mkdir", "os.listdir", "os.scandir", "os.remove", "os.rename")
READ = f"{MARK}_file"
ROWS = 24
AGES_AGO = 1.0
CATBOOST = Known("catboost", "CatBoostClassifier", lambda _: {})

reached: list[str] = []
watching = False


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not watching:
        return
    if event.startswith("socket.") or event in PROCESSES:
        reached.append(event)
    elif event == "import" and MARK in str(arguments[0]):
        reached.append(f"import {arguments[0]}")
    elif event in FILES and MARK in str(arguments[0]):
        reached.append(f"{event} {arguments[0]}")


def hostile(folder: Path) -> list[Any]:
    file, module = str(folder / READ), f"{MARK}_module.Evil"
    return [
        file,
        str(folder / f"{MARK}_new" / "file"),
        module,
        f"http://127.0.0.1:9/{MARK}",
        assignments(folder),
        {"train_dir": str(folder), "forcedsplits_filename": file, "memory": file, "estimator": module},
        [file, module],
        [{"memory": file}],
    ]


def assignments(folder: Path) -> str:
    """What LightGBM reads as several arguments, whichever is given it: there, only judging texts helps."""
    return f"1 forcedsplits_filename={folder / READ} machines=127.0.0.1:9 num_machines=2"


def cases(folder: Path) -> Iterator[tuple[Known, dict[str, Any]]]:
    for known in known_estimators():
        if not is_installed(known.module.partition(".")[0]) or (".nets." in known.module and not is_installed("torch")):
            continue
        values = [value for value in hostile(folder) if known.module != "lightgbm" or value != assignments(folder)]
        for name, argument in sorted(known.arguments().items()):
            for value in (*sorted(argument.words), 2, *values):
                yield known, {name: value}


def fit(known: Known, arguments: dict[str, Any]) -> None:
    draw = np.random.default_rng(0)
    pictures = ".nets." in known.module
    classifies = pictures or getattr(known.load(), "_estimator_type", None) == "classifier" or _classifies(known.load())
    X = draw.integers(0, 255, (ROWS, 8, 8, 1), dtype=np.uint8) if pictures else draw.random((ROWS, 3)) + 0.1
    y = np.arange(ROWS) % 2 if classifies else X[:, 0] + 0.1
    if known.name == "IsotonicRegression":
        X = X[:, :1]
    few = {name: 2 for name in ("n_estimators", "epochs") if name in known.arguments()}
    learner = make_learner(
        AlgorithmSpace(estimator=known.path, view="pixels" if pictures else "numeric"),
        {**few, **arguments},
        task="classification" if classifies else "regression",
        seed=0,
        threads=1,
        trust=True,
        n_classes=2 if classifies else None,
    )
    learner.fit(X, y)
    learner.predict(X[:2])


def _classifies(estimator: type) -> bool:
    from sklearn.base import ClassifierMixin

    return issubclass(estimator, ClassifierMixin)


def attempt(known: Known, arguments: dict[str, Any]) -> bool:
    try:
        fit(known, arguments)
    except Exception:
        return False
    return True


def seen(folder: Path, before: set[str]) -> list[str]:
    """What was reached since the last time, files that were written or read by other than Python among it."""
    left = {path.name for path in folder.iterdir()} - before
    before |= left
    was_read = (folder / READ).stat().st_atime > AGES_AGO
    os.utime(folder / READ, (AGES_AGO, AGES_AGO + 1))  # the next reading makes a new time, where those are kept
    found = [*reached, *sorted(left), *([READ] if was_read else [])]
    reached.clear()
    return found


def main(every: int, folder: Path) -> None:
    global watching
    warnings.simplefilter("ignore")
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    (folder / READ).write_text('{"feature": 0, "threshold": 0.5}')
    (folder / f"{MARK}_module.py").write_text("class Evil: pass\n")
    chosen = list(cases(folder))[::every]
    for known in dict.fromkeys(known for known, _ in chosen):  # what it imports and reads in any case
        assert attempt(known, {}), known.path
    before = {path.name for path in folder.iterdir()}
    seen(folder, before)
    sys.addaudithook(watch)
    fitted = 0
    for known, arguments in chosen:
        watching = True
        fitted += attempt(known, arguments)
        watching = False
        for what in seen(folder, before):
            print(f"{known.path} {arguments}: {what}", file=answers)
    print(f"{len(chosen)} tried, {fitted} fitted", file=answers)
    watching = True  # and what would have been seen
    (folder / READ).read_text()
    fit(CATBOOST, {"train_dir": str(folder / "left"), "allow_writing_files": True, "iterations": 1})
    print(f"control: {', '.join(seen(folder, before))}", file=answers)


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    with contextlib.redirect_stdout(open(os.devnull, "w")):
        main(int(sys.argv[1]), Path(sys.argv[2]))
    answers.close()
