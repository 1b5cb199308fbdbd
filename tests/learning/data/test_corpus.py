"""Files that are no good table, or only just one: a table or one clear sentence, in bounded time and memory."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import random
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.errors import AutomlError, DataError
from automl.learning.data.files import read_file
from automl.learning.data.load import load_table
from automl.learning.data.options import DataOptions

GOOD = "x,c,y\n" + "".join(f"{i}.5,{'ab'[i % 2]},{i % 2}\n" for i in range(20))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


def _parquet() -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame({"x": range(100), "y": range(100)}).to_parquet(buffer)
    return buffer.getvalue()


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("t.csv", GOOD)
    return buffer.getvalue()


def _noise(size: int) -> bytes:
    return random.Random(0).randbytes(size)


CORPUS: dict[str, bytes] = {
    # bytes that no text holds
    "empty": b"",
    "blanks only": b" \n\t\n  ",
    "nul bytes": GOOD.replace("a", "\0").encode(),
    "nul in the last row": GOOD.encode() + b"\0\0,\0\n",
    "nuls only": bytes(5000),
    "control characters": b"x,y\n" + bytes(range(1, 32)) * 20,
    "picture": PNG,
    "noise": _noise(10_000),
    "gzip without its ending": gzip.compress(GOOD.encode()),
    "zip": _zip(),
    "pickle": b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00cposix\nsystem\n(X\x04\x00\x00\x00true\x85R.",
    "elf": b"\x7fELF\x02\x01\x01" + bytes(100),
    # encodings
    "utf-8 mark": GOOD.encode("utf-8-sig"),
    "mark alone": b"\xef\xbb\xbf",
    "mark twice": b"\xef\xbb\xbf\xef\xbb\xbf" + GOOD.encode(),
    "utf-16": GOOD.encode("utf-16"),
    "utf-16 cut within a character": GOOD.encode("utf-16")[:-1],
    "utf-16 without a mark": GOOD.encode("utf-16-le"),
    "utf-32": GOOD.encode("utf-32"),
    "latin-1": GOOD.replace("a", "é").encode("latin-1"),
    "utf-8 cut within a character": GOOD.replace("b\n", "é").encode()[:-1] + b"\xc3",
    "surrogates": b"x,y\n\xed\xa0\x80,1\n\xed\xb0\x80,0\n" * 10,
    "says utf-16, is not": b"\xff\xfe" + GOOD.encode()[:-1],
    # quotes and rows
    "lone quote": GOOD.replace("a", '"a', 1).encode(),
    "quote at the end": GOOD.encode() + b'"',
    "quotes only": b'"""""""\n""""\n' * 9,
    "quoted newlines": ("x,c,y\n" + "".join(f'{i},"a\nb\r\nc",{i % 2}\n' for i in range(20))).encode(),
    "ragged rows": b"x,c,y\n1,a,0\n2,b\n3,c,1,9,9\n" * 5,
    "longer and longer rows": "\n".join(",".join("1" * n) for n in range(1, 60)).encode(),
    "mixed newlines": GOOD.replace("\n", "\r\n", 5).replace("5,a", "5,a\r", 3).encode(),
    "old newlines": GOOD.replace("\n", "\r").encode(),
    "newlines only": b"\n" * 5000,
    "delimiters only": b",,,,\n" * 100,
    "one cell": b"x",
    "one column": b"y\n1\n0\n" * 20,
    "comments": b"# a comment, with commas, in it\n# more\n" + GOOD.encode(),
    "html": b"<!doctype html><html><body><p>404, not found</p></body></html>",
    "json": json.dumps([{"x": i, "y": i % 2} for i in range(20)]).encode(),
    # headers
    "header alone": b"x,c,y\n",
    "header without a newline": b"x,c,y",
    "empty header": b",,\n" + b"1,2,0\n" * 20,
    "repeated names": b"x,x,y,y\n" + b"1,2,0,1\n3,4,1,0\n" * 20,
    "names of blanks": b" ,  ,y\n" + b"1,2,0\n3,4,1\n" * 20,
    "odd names": '"a\nb","\u202e","__class__",y\n'.encode() + b"1,2,3,0\n4,5,6,1\n" * 20,
    "20,000 columns": b",".join(b"c%d" % i for i in range(20_000)) + b"\n" + b",".join([b"1"] * 20_000) + b"\n",
    # values
    "huge integers": b"x,y\n" + b"123456789012345678901234567890,1\n-99999999999999999999,0\n" * 20,
    "beyond floats": b"x,y\n1e400,0\n-1e400,1\n1e-400,0\n1e999999999,1\n" * 10,
    "nan and inf": b"x,y\nnan,0\ninf,1\n-Infinity,0\nNaN,1\n" * 10,
    "nonsense dates": b"when,y\n2024-02-30,0\n0000-00-00,1\n9999-99-99,0\n99999999-01-01,1\n" * 10,
    "very long line": b"x,y\n" + b"a" * 5_000_000 + b",1\nb,0\n",
    "very long number": b"x,y\n" + b"9" * 100_000 + b",1\n1,0\n",
    "very long name": b"n" * 1_000_000 + b",y\n1,0\n2,1\n",
    "formulas": b"x,y\n\"=cmd|' /C calc'!A0\",1\n@SUM(1+1),0\n" * 20,
    "all missing": b"x,c,y\n,,\n,,\n" * 20,
    "target missing": b"x,c,y\n1,2,\n" * 20,
    "target constant": b"x,c,y\n1,2,1\n3,4,1\n" * 20,
}
COMPRESSED: dict[str, bytes] = {
    "cut.csv.gz": gzip.compress(GOOD.encode())[:-10],
    "noise.csv.gz": _noise(1000),
    "mark.csv.gz": b"\x1f\x8b",
    "empty.csv.gz": b"",
    "nothing.csv.gz": gzip.compress(b""),
    "twice.csv.gz": gzip.compress(gzip.compress(GOOD.encode())),
    "cut.csv.bz2": bz2.compress(GOOD.encode())[:-10],
    "noise.csv.xz": lzma.compress(GOOD.encode())[:30] + _noise(100),
    "noise.csv.zst": _noise(1000),
    "zip.csv.gz": _zip(),
    "cut.parquet": _parquet()[:-100],
    "head.parquet": _parquet()[:100],
    "mark.parquet": b"PAR1PAR1",
    "footer.parquet": _parquet()[:-12] + b"\xff\xff\xff\x7fPAR1",
    "middle.parquet": _parquet()[:60] + _noise(200) + _parquet()[260:],
    "text.parquet": GOOD.encode(),
    "book.xlsx": _zip(),
    "list.json": b"[1, 2",
    "object.pickle": CORPUS["pickle"],
}


def outcome(path: str) -> str:
    """``table``, or the one sentence that says why there is none. Anything else is an error of ours."""
    try:
        load_table(path, DataOptions(target="y"), task="classification")
    except AutomlError as error:
        sentence = str(error)
        assert len(sentence) < 1000
        assert "\n" not in sentence
        assert sentence.endswith((".", "?"))
        return sentence
    return "table"


@pytest.mark.parametrize("name", CORPUS)
def test_a_text_file_gives_a_table_or_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "t.csv").write_bytes(CORPUS[name])
    if name == "20,000 columns":  # which are read; to look into each is no matter of seconds
        assert len(read_file(str(tmp_path / "t.csv")).frame.columns) == 20_000
        return
    outcome(str(tmp_path / "t.csv"))


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_damaged_file_of_another_format_gives_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(COMPRESSED[name])
    assert outcome(str(tmp_path / name)) != "table"


def _mutated() -> st.SearchStrategy[bytes]:
    """A good table of which pieces were replaced, dropped and repeated."""
    piece = st.one_of(
        st.binary(max_size=8),
        st.sampled_from(
            [b'"', b"\0", b"\r", b"\n\n", b",,,", b"\xff\xfe", b"1e400", b"\xc3", b";", b"\t", b"'", b"\\"]
        ),
    )

    @st.composite
    def mutate(draw: Callable[..., object]) -> bytes:
        content = GOOD.encode()
        for _ in range(draw(st.integers(1, 6))):  # type: ignore[call-overload]
            start = draw(st.integers(0, len(content)))
            end = draw(st.integers(start, min(len(content), start + 20)))
            content = content[:start] + draw(piece) + content[end:]
        return content

    return mutate()


@given(content=st.one_of(st.binary(max_size=300), _mutated()))
def test_whatever_the_bytes_there_is_a_table_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "t.csv"
    path.write_bytes(content)
    outcome(str(path))


@given(text=st.text(alphabet=st.sampled_from(list('ab1.,;\t|"\n\r -e\u00e9')), max_size=200))
def test_whatever_the_text_there_is_a_table_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "t.csv"
    path.write_text("x,c,y\n" + text, encoding="utf-8", newline="")
    outcome(str(path))


# What is no regular file, and what is larger than it looks


BOUND = 1_500 * 2**20
"""Bytes of address space that a reader gets beyond what its imports take: plenty for any table above."""
_READ = """
import resource, sys
from automl.learning.data.load import load_table
from automl.learning.data.options import DataOptions
from automl.errors import AutomlError
import pandas, pyarrow.parquet, fsspec, psutil
used = psutil.Process().memory_info().vms
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[2]), used + int(sys.argv[2])))
try:
    load_table(sys.argv[1], DataOptions(target="y"), task="classification")
    print("table")
except AutomlError as error:
    print(error)
"""


def read_apart(path: str | Path) -> str:
    """The outcome in a process of its own, which has to end, and to do with a bounded memory."""
    command = [sys.executable, "-c", _READ, str(path), str(BOUND)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
@pytest.mark.parametrize("kind", ["fifo", "device", "socket", "folder", "loop", "dangling", "long name", "nul"])
def test_only_regular_files_are_read(tmp_path: Path, kind: str) -> None:
    import socket

    path = tmp_path / "t.csv"
    if kind == "fifo":
        os.mkfifo(path)  # opening it would wait for a writer for ever
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listening:
            os.chdir(tmp_path)  # the address has little room
            listening.bind("t.csv")
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "dangling":
        path.symlink_to(tmp_path / "gone")
    elif kind == "long name":
        path = tmp_path / ("n" * 5000)
    else:
        path = tmp_path / "a\0b.csv"
    with pytest.raises(DataError, match=r"regular file|folder|no file|cannot be"):
        read_file(str(path))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "t.csv").write_text(GOOD)
    (closed / "t.csv").chmod(0)
    assert "Permission denied" in outcome(str(closed / "t.csv"))
    closed.chmod(0)
    try:
        assert "Permission denied" in outcome(str(closed / "t.csv"))
    finally:
        closed.chmod(0o700)


@pytest.mark.parametrize(("ending", "compress"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_a_bomb_is_refused_before_it_bursts(tmp_path: Path, ending: str, compress: Callable[[bytes], bytes]) -> None:
    """Four gigabytes of rows in a few megabytes at most."""
    path = tmp_path / f"bomb.csv.{ending}"
    path.write_bytes(compress(b"x,y\n") + compress(b"0,0\n" * 2**20) * 1000)
    assert path.stat().st_size < 5 * 2**20
    assert "unpacks to" in read_apart(path)


def test_a_file_that_shrinks_while_it_is_read_gives_a_table_or_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    done = threading.Event()

    def breathe() -> None:
        while not done.is_set():
            path.write_text(GOOD * 2000)
            os.truncate(path, 10)

    path.write_text(GOOD)
    writer = threading.Thread(target=breathe)
    writer.start()
    try:
        for _ in range(30):
            outcome(str(path))
    finally:
        done.set()
        writer.join()
