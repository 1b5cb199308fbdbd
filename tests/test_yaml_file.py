"""YAML documents: values by YAML 1.2, places, and bounds."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from automl.errors import AutomlError, ConfigError, SpaceError
from automl.yaml_file import dotted, dump_document, parse_document, read_document


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("1e-3", 0.001),
        ("-.5", -0.5),
        ("010", 10),
        ("0x1F", 31),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("~", None),
        ("", None),
        ("'1'", "1"),
    ],
)
def test_plain_scalars_follow_yaml_1_2(written: str, value: object) -> None:
    assert parse_document(f"key: {written}").values == {"key": value}


def test_keys_are_texts_as_written() -> None:
    assert parse_document("2019: numeric\nyes: text").values == {"2019": "numeric", "yes": "text"}


def test_lines_of_keys_and_entries() -> None:
    document = parse_document("a: 1\nb:\n  c:\n    - 1\n    - 2\n")
    assert [document.line(key) for key in [("a",), ("b", "c"), ("b", "c", 1), ("b", "missing")]] == [1, 3, 5, 2]


def test_an_error_gets_its_place(tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text("task: classification\nmetric: auk\n")
    placed = read_document(file).place(ConfigError("no such metric.", key="metric"))
    assert str(placed) == f"{file}:2: metric: no such metric."


def test_each_of_several_errors_gets_its_place(tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text("metric: auk\nlist:\n  - 1\n  - 2\n")
    error = ConfigError.several([ConfigError("a.", key="metric"), ConfigError("b.", key="list[1]")])
    assert [mistake.line for mistake in read_document(file).place(error).mistakes] == [1, 4]


def test_a_reader_may_have_errors_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("- 1")
    for name in ("missing.yaml", "list.yaml"):
        with pytest.raises(SpaceError):
            read_document(tmp_path / name, kind=SpaceError)


def test_a_missing_file_has_a_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "iris.yaml").touch()
    with pytest.raises(ConfigError, match=r"There is no file .*iriss\.yaml\. Did you mean 'iris\.yaml'\?"):
        read_document(tmp_path / "iriss.yaml")


def test_aliases_work() -> None:
    assert parse_document("a: &x [1, 2]\nb: *x").values == {"a": [1, 2], "b": [1, 2]}


def test_dotted_keys() -> None:
    assert dotted(("metric", 1, "name")) == "metric[1].name"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    "text",
    [BOMB, "[" * 100_000, "{" * 50_000, "- " * 50_000, "? " * 50_000, "a: &a [*a]", "a: [" + "1," * 30_000 + "]"],
    ids=["bomb", "lists", "mappings", "entries", "keys", "recursive", "many"],
)
def test_what_explodes_is_refused_at_once(text: str) -> None:
    begin = time.monotonic()
    with pytest.raises(ConfigError):
        parse_document(text)
    assert time.monotonic() - begin < 10  # without bounds: minutes, gigabytes or a RecursionError


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    file.write_bytes(b"# " + b"x" * 2_000_000)
    with pytest.raises(ConfigError, match=r"larger than 1,000,000 bytes"):
        read_document(file)


YAML_PIECES = [
    "a: 1\n",
    "task: ",
    "- ",
    "  ",
    "\t",
    "\n",
    ": ",
    "&a ",
    "*a",
    "!!int ",
    "|\n",
    ">",
    "'",
    '"',
    "{",
    "}",
    "[",
]
YAML_PIECES += [
    "]",
    ",",
    "#",
    "---\n",
    "...",
    "%YAML 1.2\n",
    "?",
    "<<",
    "data:\n",
    "iris",
    "\x00",
    "\ufeff",
    "é",
    "1e999",
]


@given(st.lists(st.sampled_from(YAML_PIECES), max_size=30).map("".join) | st.text(max_size=200))
@example("a: !!python/object/apply:os.system ['true']")
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    try:
        assert isinstance(parse_document(text).values, dict)
    except AutomlError as error:
        assert str(error).endswith((".", "?"))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.mktemp("bytes") / "any.yaml"
    file.write_bytes(content)
    try:
        read_document(file)
    except AutomlError as error:
        assert str(file) in str(error)


PLAIN = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text()


def is_key(text: str) -> bool:
    return bool(text.strip()) and text != "<<"


KEYS = st.text(min_size=1).filter(is_key)


def nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner) | st.dictionaries(KEYS, inner)


@given(
    st.dictionaries(
        KEYS,
        st.recursive(PLAIN, nested, max_leaves=8),
        min_size=1,
    )
)
def test_what_is_dumped_reads_back(values: dict[str, object]) -> None:
    text = dump_document(values)
    assert parse_document(text).values == values


@pytest.mark.parametrize("kind", [ConfigError, SpaceError])
def test_a_pipe_is_not_waited_for(tmp_path: Path, kind: type[ConfigError]) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(kind, match=r"pipe\.yaml: it is not a regular file"):
        read_document(tmp_path / "pipe.yaml", kind=kind)
