"""YAML files that people write: read safely, within bounds, and with the line of every key.

Scalars follow YAML 1.2's core schema, so ``yes`` is a text, ``1e-3`` is a number and ``2024-01-01`` is not a date.
Tags, merge keys, duplicate keys and recursive aliases are refused; what aliases expand to is bounded.
"""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import yaml

from automl.errors import ConfigError
from automl.regular import open_regular
from automl.visible import visible

__all__ = ["Document", "Key", "document_text", "dotted", "dump_document", "parse_document", "read_document"]

Key = tuple[str | int, ...]
"""The way to a value: mapping keys and list positions, from the top."""

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 20_000
"""Values in a document once its aliases are expanded: hundreds of times more than any experiment needs."""

_TAG = "tag:yaml.org,2002:"
_CORE_SCALARS = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
)


class _CoreLoader(yaml.SafeLoader):
    """Composes nodes with YAML 1.2's rules for plain scalars. Its messages and marks are the good ones."""


class _FastLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml may not be there
    """The same with a parser in C, twenty times faster."""


class _CoreDumper(yaml.SafeDumper):
    """Quotes every text that some reader, of YAML 1.1 or 1.2, would read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        # Line breaks of Unicode's survive only where they are written as escapes.
        style = '"' if any(character in data for character in "\x85\u2028\u2029\ufeff") else None
        return self.represent_scalar(f"{_TAG}str", data, style=style)


_CoreLoader.yaml_implicit_resolvers = {}
_FastLoader.yaml_implicit_resolvers = {}
for _name, _pattern, _starts in _CORE_SCALARS:
    for _class in (_CoreLoader, _FastLoader, _CoreDumper):
        _class.add_implicit_resolver(f"{_TAG}{_name}", re.compile(f"(?:{_pattern})$"), _starts)


_CoreDumper.add_representer(str, _CoreDumper.represent_str)


def dump_document(values: Mapping[str, Any]) -> str:
    """YAML text that `parse_document` reads back as `values`, in their order.

    Raises:
        yaml.YAMLError: they hold an object that is not a plain value.
    """
    return yaml.dump(dict(values), Dumper=_CoreDumper, sort_keys=False, allow_unicode=True, width=120)


def dotted(key: Key) -> str:
    """``('limits', 'time_budget')`` as ``limits.time_budget``; list positions as ``[0]``."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True)
class Document:
    """A parsed YAML file.

    Attributes:
        values: plain mappings, lists, texts, numbers, booleans and None; keys are texts.
        file: where it came from, None for a text.
        lines: the line of each key and list entry, counted from 1.
    """

    values: dict[str, Any]
    file: Path | None = None
    lines: Mapping[Key, int] = field(default_factory=lambda: MappingProxyType({}))

    def line(self, key: Key) -> int | None:
        """The line of `key`, or of the nearest key around it that is in the file."""
        for length in range(len(key), -1, -1):
            if key[:length] in self.lines:
                return self.lines[key[:length]]
        return None

    def place(self, error: ConfigError) -> ConfigError:
        """The same error with file and line, found by its dotted key. One that knows its file is returned unchanged."""
        if error.mistakes:
            return type(error).several([self.place(mistake) for mistake in error.mistakes])
        if error.file is not None or error.key is None or self.file is None:
            return error
        parts = re.findall(r"\[(\d+)\]|([^.\[\]]+)", error.key)
        key = tuple(int(position) if position else name for position, name in parts)
        return type(error)(error.message, file=self.file, line=self.line(key), key=error.key)


def read_document(path: str | Path, *, kind: type[ConfigError] = ConfigError) -> Document:
    """Read the YAML file at `path`.

    Args:
        kind: the error to raise.

    Raises:
        ConfigError: it cannot be read, or is not a plain YAML mapping. Says where.
    """
    return parse_document(document_text(path, kind=kind), file=Path(path).expanduser(), kind=kind)


def document_text(path: str | Path, *, kind: type[ConfigError] = ConfigError) -> str:
    """The text of the YAML file at `path`, which has to be a regular file.

    Raises:
        ConfigError: it cannot be read, is too large, or no text.
    """
    file = Path(path).expanduser()
    try:
        with open_regular(file) as stream:
            content = stream.read(MAX_BYTES + 1) or b""  # nothing: some files of /proc would be waited for
    except FileNotFoundError:
        raise kind(f"There is no file {visible(str(file), lines=False)}.{_nearest_file(file)}") from None
    except IsADirectoryError:
        raise kind(f"{file} is a directory; name the YAML file in it.") from None
    except OSError as error:
        raise kind(f"Cannot read {file}: {error.strerror or error}.") from None
    if len(content) > MAX_BYTES:
        raise kind(f"the file is larger than {MAX_BYTES:,} bytes.", file=file)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise kind("the file is not UTF-8; save it in that encoding.", file=file, line=line) from None


def _nearest_file(file: Path) -> str:
    try:
        beside = [entry.name for entry in file.parent.iterdir()]
    except OSError:
        return ""
    near = difflib.get_close_matches(file.name, beside, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def parse_document(text: str, *, file: Path | None = None, kind: type[ConfigError] = ConfigError) -> Document:
    """Parse a YAML text.

    Args:
        file: where it came from.
        kind: the error to raise.

    Raises:
        ConfigError: as `read_document`.
    """
    root = _compose(text, file, kind)
    if root is None:
        raise kind("the file is empty.", file=file)
    reader = _Reader(file, kind)
    if not isinstance(root, yaml.MappingNode):
        raise reader.mistake(root, "expected 'key: value' lines at the top level")
    values = reader.value(root, (), frozenset())
    return Document(values, file, MappingProxyType(reader.lines))


def _compose(text: str, file: Path | None, kind: type[ConfigError]) -> yaml.Node | None:
    with contextlib.suppress(yaml.YAMLError, ValueError, RecursionError):
        return _root(text, _FastLoader)
    try:
        return _root(text, _CoreLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise kind(_explain(error, text), file=file, line=mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise kind(f"the character #x{error.character:04x} is not allowed.", file=file, line=line) from None
    except (ValueError, RecursionError) as error:
        raise kind(f"the file is not valid YAML: {error}.", file=file) from None


def _root(text: str, kind: Any) -> yaml.Node | None:
    """The only node at the top, composed by a loader of `kind`."""
    _check_events(text, kind)
    loader = kind(text)
    try:
        return cast("yaml.Node | None", loader.get_single_node())
    finally:
        loader.dispose()


def _check_events(text: str, kind: Any) -> None:
    """Refuse deep nesting and tags from the stream of events, before anything recurses over it or is constructed.

    Raises:
        yaml.MarkedYAMLError: too deep, too many values, a tag, or no YAML.
    """
    depth = nodes = 0
    for event in yaml.parse(text, Loader=kind):
        nodes += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        tag = getattr(event, "tag", None)
        if tag:
            problem = f"the tag {tag.replace(_TAG, '!!')[:40]} is not allowed; write the plain value"
        elif depth > MAX_DEPTH:
            problem = f"nested deeper than {MAX_DEPTH} levels"
        elif nodes > MAX_NODES:
            problem = f"more than {MAX_NODES:,} values"
        else:
            continue
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=cast("yaml.Mark", event.start_mark))


def _explain(error: yaml.MarkedYAMLError, text: str) -> str:
    problem = error.problem or error.context or "it cannot be parsed"
    mark = error.problem_mark
    if type(error) is yaml.MarkedYAMLError:  # one of ours
        return f"{problem}."
    if mark is not None and "\\t" in problem:
        return "the line begins with a tab; indent with spaces."
    if "expected a single document" in f"{error.context} {problem}":
        return "the file holds several YAML documents; keep one, without further '---' lines."
    if "mapping values are not allowed" in problem:
        return "not valid YAML: a second ': ' in the line; quote the text that holds it, or check the indentation."
    if mark is not None and isinstance(error, yaml.parser.ParserError) and "<block end>" in problem:
        return "not valid YAML: the line is indented differently from the lines it belongs to, or a quote is missing."
    return f"not valid YAML: {problem}."


class _Reader:
    """Turns nodes into plain values and keeps their lines."""

    def __init__(self, file: Path | None, kind: type[ConfigError]) -> None:
        self.file = file
        self.kind = kind
        self.lines: dict[Key, int] = {}
        self._nodes = 0

    def mistake(self, node: yaml.Node, message: str, key: Key = ()) -> ConfigError:
        return self.kind(f"{message}.", file=self.file, line=node.start_mark.line + 1, key=dotted(key) or None)

    def value(self, node: yaml.Node, key: Key, above: frozenset[int]) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self.mistake(node, f"aliases expand to more than {MAX_NODES:,} values", key)
        if id(node) in above:
            raise self.mistake(node, "an alias (*) refers to what contains it", key)
        self.lines.setdefault(key, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, key)
        inside = above | {id(node)}
        if len(inside) > MAX_DEPTH:
            raise self.mistake(node, f"aliases nest deeper than {MAX_DEPTH} levels", key)
        if isinstance(node, yaml.MappingNode):
            return {name: self.value(child, (*key, name), inside) for name, child in self._entries(node, key)}
        return [self.value(child, (*key, position), inside) for position, child in enumerate(node.value)]

    def _entries(self, node: yaml.MappingNode, key: Key) -> Iterator[tuple[str, yaml.Node]]:
        first: dict[str, int] = {}
        for name_node, child in node.value:
            if not isinstance(name_node, yaml.ScalarNode) or not name_node.value.strip():
                raise self.mistake(name_node, "a key has to be a plain text", key)
            name, line = name_node.value, name_node.start_mark.line + 1
            if name == "<<":
                raise self.mistake(name_node, "merge keys (<<) are not supported; write the keys out", key)
            if name in first:
                raise self.mistake(name_node, f"given twice, first on line {first[name]}", (*key, name))
            first[name] = line
            # An alias's node is where its anchor is: the key is the better place.
            self.lines[*key, name] = line
            yield name, child

    def _scalar(self, node: yaml.ScalarNode, key: Key) -> Any:
        try:
            return _SCALARS[node.tag.removeprefix(_TAG)](node.value)
        except ValueError:
            raise self.mistake(node, f"{node.value[:40]!r} is not a number that can be used", key) from None


def _int(text: str) -> int:
    return int(text, 0) if text.startswith(("0o", "0x")) else int(text)


def _float(text: str) -> float:
    lowered = text.lower()
    return float(lowered.replace(".inf", "inf").replace(".nan", "nan"))


_SCALARS: Mapping[str, Any] = {
    "null": lambda text: None,
    "bool": lambda text: text.lower() == "true",
    "int": _int,
    "float": _float,
    "str": str,
}
