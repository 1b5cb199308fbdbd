"""What is read of a file: regular ones, whole, and no more than an honest one becomes."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from automl.deadline import Deadline
from automl.errors import DataError
from automl.learning.data.files import read_file
from automl.learning.data.reading.context import Reading
from automl.regular import open_regular


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet"])
def test_a_pipe_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    for location in (str(tmp_path / name), f"file://{tmp_path / name}"):
        with pytest.raises(DataError, match=f"{name} cannot be read: it is not a regular file"):
            read_file(location)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no such device here")
def test_a_link_to_a_device_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").symlink_to("/dev/zero")
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(tmp_path / "t.csv")


@pytest.mark.skipif(not os.path.exists("/proc/kmsg"), reason="only on Linux")
def test_a_file_without_a_size_is_empty_even_if_it_never_ends() -> None:
    with pytest.raises(DataError, match=r"is empty|Permission denied"):
        read_file("/proc/kmsg")


def test_a_small_file_of_great_growth_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.learning.data.reading.bounds._PLAIN", 1 << 20)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"x,y\n" + b"0,1\n" * 1_000_000))
    with pytest.raises(DataError, match=r"t\.csv\.gz unpacks to more than 1 MB"):
        read_file(str(tmp_path / "t.csv.gz"))


def test_time_that_is_over_ends_the_unpacking(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"x,y\n0,1\n"))
    with pytest.raises(DataError, match=r"Reading .*t\.csv\.gz has taken .*limits\.time_budget"):
        read_file(str(tmp_path / "t.csv.gz"), Reading(Deadline.after(0.0)))


def test_a_parquet_file_that_announces_too_much_is_refused(tmp_path: Path) -> None:
    zeros = pyarrow.array(np.zeros(50_000_000, dtype=np.int8)).cast(pyarrow.int64())
    pyarrow.parquet.write_table(pyarrow.table(dict.fromkeys("abc", zeros)), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t\.parquet holds 50,000,000 rows x 3 columns, 1,\d\d\d MB in memory"):
        read_file(str(tmp_path / "t.parquet"))


def test_a_text_that_is_repeated_by_reference_is_bounded(tmp_path: Path) -> None:
    texts = pyarrow.DictionaryArray.from_arrays(np.zeros(5_000, np.int32), pyarrow.array(["x" * 1_000_000]))
    pyarrow.parquet.write_table(pyarrow.table({"x": texts}), tmp_path / "t.parquet", store_schema=False)
    with pytest.raises(DataError, match=r"t\.parquet takes more than 1,024 MB of memory"):
        read_file(str(tmp_path / "t.parquet"))


def test_harmless_parquet_is_read_as_pandas_reads_it(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "number": np.arange(500) / 3,
            "text": [f"row {i}" for i in range(500)],
            "category": pd.Categorical(list("abcde") * 100),
            "time": pd.date_range("2026-01-01", periods=500),
            "dotted.name": np.arange(500),
        }
    )
    for compression in ("snappy", "gzip"):  # read here, and apart
        frame.to_parquet(tmp_path / "t.parquet", compression=compression)
        pd.testing.assert_frame_equal(
            read_file(str(tmp_path / "t.parquet")).frame, pd.read_parquet(tmp_path / "t.parquet")
        )


@pytest.mark.parametrize(
    "url",
    [
        "ssh://host/x.csv",
        "github://o:r@/x.csv",
        "reference://x",
        "zip://a.csv::file:///tmp/a.zip",
        "simplecache::https://h/x.csv",
        "s3://bucket/a.csv::file:///etc/passwd",
        "memory://x.csv",
    ],
)
def test_other_protocols_are_refused(url: str) -> None:
    with pytest.raises(DataError, match="data is read from paths, and from URLs that begin with"):
        read_file(url)


@pytest.mark.parametrize("url", ["http://u:p/w@h/x.csv", "http://[::1/x.csv", "http:///x.csv", "http://h:port/x.csv"])
def test_a_url_that_is_none_is_refused_without_what_it_hides(url: str) -> None:
    with pytest.raises(DataError, match="it is not a valid URL") as caught:
        read_file(url)
    assert "p/w" not in str(caught.value)
