from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from automl.learning.data.example import write_example
from automl.learning.data.images.images import Images
from automl.registry.example import read_example
from automl.registry.signature import signature_of


def test_example_rows_keep_their_types(tmp_path: Path) -> None:
    frame = pd.DataFrame({"kind": pd.Categorical(["x", "y"] * 4), "n": np.arange(8, dtype="int16")})
    pd.testing.assert_frame_equal(read_example(write_example(frame, tmp_path / "example")), frame.head(5))
    mixed = pd.DataFrame({"m": pd.Series([1, "a", None], dtype=object)})
    pd.testing.assert_frame_equal(read_example(write_example(mixed, tmp_path / "mixed")), mixed)


def test_example_pictures_are_one_array(tmp_path: Path) -> None:
    pixels = np.arange(7 * 4 * 3 * 1, dtype=np.uint8).reshape(7, 4, 3, 1)
    example = read_example(write_example(Images(pixels), tmp_path / "example"))
    np.testing.assert_array_equal(example, pixels[:5])
    taken = signature_of(example, ["cat"])["inputs"]["pictures"]
    assert taken == {"dtype": "uint8", "shape": [None, None, None, 1]}
