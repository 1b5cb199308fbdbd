"""Malicious files, folders, URLs and experiment files: what `hostile.py` tries.

A case of another kind is a line of the table of its kind. An experiment file that asks for more than it may is an
entry of `EXPERIMENT_FILES`: its text, in which ``{folder}`` and ``{url}`` are filled in.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

__all__ = ["Case", "cases"]

_TABLE = "x,c,y\n" + "".join(f"{i}.5,{'ab'[i % 2]},{i % 2}\n" for i in range(60))
_TARGET = "y"
_SECRET = "geheim"
_ENOUGH = 60.0
"""Seconds of budget for what has to end by itself, long before they are over."""


@dataclass(frozen=True)
class Case:
    """One thing to try.

    Attributes:
        kind: by which cases are counted.
        name: of the case.
        text: makes what it needs, and gives the experiment file.
        says: what the answer has to hold; empty: nothing in particular.
        exits: the exit status.
        command: of automl.
    """

    kind: str
    name: str
    text: Callable[[], str]
    says: str
    exits: int = 2
    command: str = "plan"


def _of(source: str, budget: float) -> Callable[[], str]:
    return lambda: _experiment(source, budget=budget)


def _experiment(source: str, *, task: str = "classification", budget: float) -> str:
    target, algorithm = ("", "ridge_hog") if task == "image_classification" else (f", target: {_TARGET}", "naive_bayes")
    return (
        f"task: {task}\ndata: {{source: '{source}'{target}}}\nlimits: {{time_budget: {budget:g}s, max_trials: 1}}\n"
        f"search: {{algorithms: {{allow: [{algorithm}]}}, portfolio: false}}\n"
        "compute: {executor: inline}\ntracking: null\nregistry: null\n"
    )


def _bomb(size: int) -> bytes:
    return b"x,y\n" + b"0,1\n" * (size // 4)


def _parquet(path: Path, **options: object) -> None:
    import pyarrow
    import pyarrow.parquet

    array = pyarrow.array(np.zeros(80_000_000, dtype=np.int64))
    pyarrow.parquet.write_table(pyarrow.table({"x": array, "y": array}), path, **options)


def _dictionary(path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    values = pyarrow.DictionaryArray.from_arrays(np.zeros(20_000, np.int32), pyarrow.array(["x" * 1_000_000]))
    table = pyarrow.table({"x": values, "y": np.arange(20_000) % 2})
    pyarrow.parquet.write_table(table, path, store_schema=False)


def _npz(path: Path) -> None:
    np.savez_compressed(path, x=np.zeros((100_000, 28, 28, 3), np.uint8), y=np.zeros(100_000, np.uint8))


def _npz_that_lies(path: Path) -> None:
    """A head that announces 10 TB."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 100, 100)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", content.getvalue())
        archive.writestr("y.npy", content.getvalue())


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(width + 1)) for _ in range(height)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _pictures(folder: Path, add: Callable[[Path], object]) -> None:
    """Two classes of small pictures, and in one of them something else."""
    good = _png(8, 8)
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        for number in range(5):
            (folder / name / f"{number}.png").write_bytes(good)
    add(folder / "a" / "evil.png")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path)[:100])


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.write(_TABLE.encode())
        file.truncate(1 << 40)


_FILES: tuple[tuple[str, str, Callable[[Path], object]], ...] = (
    ("no regular file", "fifo.csv", os.mkfifo),
    ("no regular file", "fifo.parquet", os.mkfifo),
    ("no regular file", "fifo.npz", os.mkfifo),
    ("no regular file", "fifo.csv.gz", os.mkfifo),
    ("no regular file", "socket.csv", _socket),
    ("no regular file", "zero.csv", lambda path: path.symlink_to("/dev/zero")),
    ("no regular file", "random.csv.gz", lambda path: path.symlink_to("/dev/urandom")),
    ("no regular file", "kernel.csv", lambda path: path.symlink_to("/proc/kmsg")),
    ("no regular file", "itself.csv", lambda path: path.symlink_to(path)),
    ("no regular file", "folder.csv", lambda path: path.mkdir()),
    ("bomb", "bomb.csv.gz", lambda path: path.write_bytes(gzip.compress(_bomb(1 << 28), 1))),
    ("bomb", "bomb.csv.bz2", lambda path: path.write_bytes(bz2.compress(_bomb(80 << 20), 1))),
    ("bomb", "bomb.csv.xz", lambda path: path.write_bytes(lzma.compress(_bomb(1 << 27), preset=0))),
    ("bomb", "gzip.parquet", lambda path: _parquet(path, compression="gzip")),
    ("bomb", "zstd.parquet", lambda path: _parquet(path, compression="zstd", use_dictionary=False)),
    ("bomb", "dictionary.parquet", _dictionary),
    ("bomb", "sparse.csv", _sparse),
    ("damaged", "cut.csv.gz", lambda path: path.write_bytes(gzip.compress(_TABLE.encode())[:60])),
    ("damaged", "cut.parquet", lambda path: path.write_bytes(b"PAR1" + bytes(1000))),
    ("damaged", "empty.csv", lambda path: path.touch()),
    ("damaged", "wide.csv", lambda path: path.write_text("a,b,c,y\n1,2\n1,2,3,4,5,6\n")),
    ("damaged", "zip.csv", lambda path: path.write_bytes(b"PK\3\4" + bytes(2000))),
)
"""Kind, name, and what makes it."""
_IMAGES: tuple[tuple[str, str, Callable[[Path], object]], ...] = (
    ("no regular file", "pipes", lambda path: _pictures(path, os.mkfifo)),
    ("no regular file", "devices", lambda path: _pictures(path, lambda evil: evil.symlink_to("/dev/zero"))),
    ("bomb", "huge", lambda path: _pictures(path, lambda evil: evil.write_bytes(_png(9_000, 9_000)))),
    ("bomb", "bomb.npz", _npz),
    ("bomb", "lies.npz", _npz_that_lies),
)
_URLS: tuple[tuple[str, str, str, int], ...] = (
    ("honest", "good.csv", "", 0),
    ("honest", "to-itself.csv", "", 0),
    ("server", "slow.csv", "slow.csv", 2),
    ("server", "slow-head.csv", "slow-head.csv", 2),
    ("server", "silent.csv", "silent.csv", 2),
    ("server", "endless.csv", "endless.csv", 2),
    ("server", "bomb.csv", "bomb.csv", 2),
    ("server", "odd-encoding.csv", "odd-encoding.csv", 2),
    ("server", "truncated.csv", "truncated.csv", 2),
    ("server", "announces-much.csv", "announces-much.csv", 2),
    ("server", "fails.csv", "HTTP 500", 2),
    ("server", "absent.csv", "absent.csv", 2),
    ("server", "picture.csv", "picture.csv", 2),
    ("redirect", "to-metadata.csv", "169.254.169.254", 2),
    ("redirect", "to-private.csv", "10.0.0.1", 2),
    ("redirect", "to-loopback.csv", "127.0.0.2", 2),
    ("redirect", "to-mapped.csv", "127.0.0.2", 2),
    ("redirect", "to-file.csv", "no web address", 2),
    ("redirect", "to-loop.csv", "redirected more than", 2),
    ("redirect", "to-nowhere.csv", "to-nowhere.csv", 2),
)
"""Kind, path on the hostile server, what the answer says, the exit status."""
_PLACES: tuple[tuple[str, str], ...] = (
    ("file:///dev/zero", "/dev/zero"),
    ("file:///dev/stdin", "/dev/"),
    ("ssh://host/x.csv", "ssh://host"),
    ("github://me:x@/x.csv", "github://"),
    ("reference://x.csv", "reference://"),
    ("zip://a.csv::/tmp/a.zip", "zip://"),
    ("simplecache::https://user:geheim@127.0.0.1:9/x.csv", "simplecache"),
    ("https://user:ge/geheim@127.0.0.1:9/x.csv", "%2F"),
    ("https://127.0.0.1:9/x.csv?pass=geheim&jwt=geheim#geheim", "127.0.0.1:9/x.csv"),
    ("http://nosuchhost.invalid/x.csv?code=geheim", "nosuchhost.invalid"),
)
"""Places that data should not be read from, and what the answer says."""
_OPEN = "task: classification\ndata: iris\n"
_NESTED = "{{trust: true, groups: {{search: {{space: {{algorithms: {{z: {{estimator: evil.E}}}}}}}}}}}}"
_CLASSES: tuple[tuple[str, str], ...] = (
    ("an unknown class", "os.system"),
    ("a shell", "subprocess.Popen"),
    ("a loader", "joblib.load"),
    ("a class of ours that searches", "automl.AutoMLClassifier"),
    ("its other address", "automl.estimators.AutoMLClassifier"),
    ("a meta-estimator", "sklearn.ensemble.StackingClassifier"),
    ("a function in a pipeline", "sklearn.preprocessing.FunctionTransformer"),
    ("an attribute of a class", "lightgbm.LGBMClassifier.__init__"),
    ("a private module", "sklearn.utils._testing.MinimalClassifier"),
)
"""Classes that a file may not name."""
_ARGUMENTS: tuple[tuple[str, str, str, str], ...] = (
    ("an estimator in another", "sklearn.ensemble.BaggingClassifier", "{{estimator: evil.Evil}}", "estimator"),
    ("nested experiments", "sklearn.linear_model.LogisticRegression", _NESTED, "fixed"),
    ("a folder of CatBoost's", "catboost.CatBoostClassifier", "{{train_dir: '{folder}/cat'}}", "train_dir"),
    ("files of CatBoost's", "catboost.CatBoostClassifier", "{{allow_writing_files: true}}", "allow_writing_files"),
    ("a snapshot of CatBoost's", "catboost.CatBoostClassifier", "{{snapshot_file: '{folder}/s'}}", "snapshot_file"),
    (
        "forced splits",
        "lightgbm.LGBMClassifier",
        "{{forcedsplits_filename: '{folder}/f.json'}}",
        "forcedsplits_filename",
    ),
    ("forced splits by another name", "lightgbm.LGBMClassifier", "{{fs: '{folder}/f.json'}}", "fs"),
    ("a list of machines", "lightgbm.LGBMClassifier", "{{machines: '10.0.0.1:80'}}", "machines"),
    ("a list of machines by another name", "lightgbm.LGBMClassifier", "{{workers: '10.0.0.1:80'}}", "workers"),
    ("a file of LightGBM's", "lightgbm.LGBMClassifier", "{{input_model: '{folder}/m'}}", "input_model"),
    ("a callback", "xgboost.XGBClassifier", "{{callbacks: ['os.system']}}", "callbacks"),
    ("another process's threads", "xgboost.XGBClassifier", "{{nthread: 4096}}", "nthread"),
    (
        "nested text",
        "lightgbm.LGBMClassifier",
        "{{categorical_feature: {{a: {{b: 'name:c'}}}}}}",
        "categorical_feature",
    ),
)
"""Name, class that a file may name, the arguments that it sets, and which of them the answer names."""
_HOSTS: tuple[tuple[str, str, str], ...] = (
    ("a cluster elsewhere", "compute: {{address: 'ray://10.0.0.1:10001'}}", "10.0.0.1"),
    ("a cluster in disguise", "compute: {{address: 'ray://127.0.0.1.evil.test:1'}}", "127.0.0.1.evil.test"),
    ("storage elsewhere", "compute: {{storage: 's3://evil-bucket/x'}}", "evil-bucket"),
    ("a tracking server elsewhere", "tracking: {{uri: 'http://10.0.0.1:5000'}}", "10.0.0.1"),
    ("a tracking database elsewhere", "tracking: {{uri: 'postgresql://u:geheim@10.0.0.1/m'}}", "10.0.0.1"),
)
"""Name, a group of options, and the host that the answer names."""
_FORMS: tuple[tuple[str, str, str], ...] = (
    ("an object of Python's", "task: !!python/object/apply:os.system ['true']\n", "experiment.yaml"),
    ("a name without end", _OPEN + "experiment: '../../../etc/cron.d/x'\n", "experiment"),
    ("a number without end", _OPEN + "limits: {{time_budget: 1e999}}\n", "time_budget"),
    ("a key twice", _OPEN + "task: regression\n", "task"),
    ("many names for one", "a: &a [1]\nb: &b [" + "*a," * 50 + "]\nc: [" + "*b," * 50 + "]\n", "experiment.yaml"),
    ("deep brackets", "task: " + "[" * 5000 + "]" * 5000 + "\n", "experiment.yaml"),
)
"""Name, text, and what the answer says."""


def _algorithm(estimator: str, fixed: str = "{{}}") -> str:
    return (
        _OPEN
        + f"search: {{{{space: {{{{algorithms: {{{{z: {{{{estimator: {estimator}, fixed: {fixed}}}}}}}}}}}}}}}}}\n"
    )


EXPERIMENT_FILES: tuple[tuple[str, str, str], ...] = (
    *((name, _algorithm(path), path) for name, path in _CLASSES),
    *((name, _algorithm(path, fixed), says) for name, path, fixed, says in _ARGUMENTS),
    *((name, f"{_OPEN}{group}\n", host) for name, group, host in _HOSTS),
    *_FORMS,
)
"""Name, text, and what the answer says. It is planned without trust."""


def cases(folder: Path, url: str, budget: float) -> Iterator[Case]:
    """All cases; their files are made in `folder` when they are tried."""
    yield Case("honest", "table.csv", _made(folder / "table.csv", _written(_TABLE), budget), "", exits=0)
    for kind, name, make in _FILES:
        yield Case(kind, name, _made(folder / name, make, budget), "folder" if name == "folder.csv" else name)
    for kind, name, make in _IMAGES:
        whole = name in ("pipes", "devices", "huge")  # one picture of ten may be left out, and is named
        text = _made(folder / name, make, budget, task="image_classification")
        yield Case(kind, name, text, "evil.png" if whole else name, exits=0 if whole else 2)
    for kind, path, says, status in _URLS:
        enough = budget if kind == "server" else _ENOUGH
        yield Case(kind, path, _of(f"{url}/{path}?token={_SECRET}", enough), says, exits=status)
    for place, says in _PLACES:
        yield Case("place", place, _of(place, budget), says)
    label = "y\x1b]0;owned\x07\u202e"
    text = "x,y\n" + "".join(f"{i},{label if i % 4 else 'an honest and much longer label'}\n" for i in range(60))
    yield Case("label", "escape.csv", _made(folder / "escape.csv", _written(text), budget), r"\x1b", exits=0)
    for name, text, says in EXPERIMENT_FILES:
        yield Case("experiment file", name, partial(text.format, folder=folder, url=url), says)
    yield Case("run", "fifo", _made(folder / "run.csv", os.mkfifo, budget), "run.csv", command="run")
    yield Case("run", "slow", _of(f"{url}/slow.csv", budget), "slow.csv", command="run")
    yield Case("run", "endless", _of(f"{url}/endless.csv", budget), "endless.csv", command="run")


def _written(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


def _made(path: Path, make: Callable[[Path], object], budget: float, task: str = "classification") -> Callable[[], str]:
    def text() -> str:
        make(path)
        return _experiment(str(path), task=task, budget=budget)

    return text
