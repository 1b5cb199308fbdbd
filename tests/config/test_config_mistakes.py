"""A corpus of experiment files with mistakes: each a sentence with file, line and key; never a stack trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.config.reader import build_config, read_config, read_config_text
from automl.config.schema import LATER, ExperimentConfig
from automl.errors import AutomlError, ConfigError

HEAD = "task: classification\ndata: {source: iris}\n"
"""Two lines without a mistake: what follows begins in line 3."""

# name: (what stands in the file, the line that the error names, what it says)
CORPUS: dict[str, tuple[str | bytes, int | None, str]] = {
    "empty": ("", None, "the file is empty"),
    "only a comment": ("# nothing\n", None, "the file is empty"),
    "only blanks": ("  \n\n", None, "the file is empty"),
    "a list": ("- task: classification\n", 1, "expected 'key: value' lines"),
    "a text": ("classification\n", 1, "expected 'key: value' lines"),
    "a number": ("42\n", 1, "expected 'key: value' lines"),
    "null": ("null\n", 1, "expected 'key: value' lines"),
    "latin-1": (b"task: classification\ndata: caf\xe9.csv\n", 2, "not UTF-8"),
    "utf-16": ("task: classification\n".encode("utf-16"), 1, "not UTF-8"),
    "a null byte": (b"task: class\x00ification\n", 1, "#x0000 is not allowed"),
    "a tab": ("task: classification\ndata:\n\tsource: iris\n", 3, "begins with a tab"),
    "bad indentation": (HEAD + "limits:\n  max_trials: 3\n patience: 2\n", 5, "indented differently"),
    "two colons": (HEAD + "experiment: a: b\n", 3, "a second ': '"),
    "open quote": (HEAD + "experiment: 'churn\n", 4, "not valid YAML"),
    "open bracket": ("task: classification\ndata: {source: iris\n", 3, "not valid YAML"),
    "stray bracket": (HEAD + "metric: ]\n", 3, "not valid YAML"),
    "reserved character": (HEAD + "experiment: @home\n", 3, "cannot start any token"),
    "two documents": (HEAD + "---\n" + HEAD, 3, "several YAML documents"),
    "unknown directive": ("%YAML 9.1\n---\n" + HEAD, 1, "incompatible YAML"),
    "python tag": (
        HEAD + "seed: !!python/object/apply:os.system ['true']\n",
        3,
        "tag !!python/object/apply:os.system is",
    ),
    "own tag": (HEAD + "seed: !vault abc\n", 3, "the tag !vault is not allowed"),
    "core tag": (HEAD + "seed: !!int '3'\n", 3, "the tag !!int is not allowed"),
    "merge key": (HEAD + "limits:\n  <<: {max_trials: 3}\n", 4, "merge keys (<<) are not supported"),
    "duplicate key": (HEAD + "seed: 1\nseed: 2\n", 4, "seed: given twice, first on line 3"),
    "duplicate inside": (
        HEAD + "limits:\n  patience: 1\n  patience: 2\n",
        5,
        "limits.patience: given twice, first on line 4",
    ),
    "undefined alias": (HEAD + "seed: *one\n", 3, "undefined alias 'one'"),
    "recursive alias": (HEAD + "search:\n  space: &s {algorithms: *s}\n", 4, "refers to what contains it"),
    "list as a key": (HEAD + "? [a, b]\n: 1\n", 3, "a key has to be a plain text"),
    "empty key": (HEAD + "? \n: 1\n", 3, "a key has to be a plain text"),
    "endless number": (HEAD + "seed: " + "9" * 5000 + "\n", 3, "seed: '9999"),
    "deep": ("a: " + "[" * 500 + "]" * 500, 1, "nested deeper than 40 levels"),
    "misspelt group": (HEAD + "limit: {max_trials: 3}\n", 3, "limit: unknown key; did you mean 'limits'?"),
    "misspelt key": (
        HEAD + "limits:\n  time_budgt: 60s\n",
        4,
        "limits.time_budgt: unknown key; did you mean 'time_budget'?",
    ),
    "wrong case": (HEAD + "limits: {Max_Trials: 3}\n", 3, "did you mean 'max_trials'?"),
    "key at the wrong level": (HEAD + "time_budget: 60s\n", 3, "'time_budget' belongs under 'limits'"),
    "group at the wrong level": (HEAD + "limits:\n  metric: accuracy\n", 4, "'metric' belongs at the top level"),
    "nothing like it": (HEAD + "search: {xyzzy: 1}\n", 3, "unknown key; the keys here are space"),
    "ensemble": (HEAD + "ensemble: {size: 20}\n", 3, "ensemble: ensembles come with a later version"),
    "misspelt ensemble": (HEAD + "enesmble: {size: 20}\n", 3, "did you mean 'ensemble'? Ensembles come with a later"),
    "misspelt limit": (HEAD + "limits: {predict_tme: 1}\n", 3, "did you mean 'predict_time'?"),
    "no such rule": (HEAD + "search: {pick: cheapest}\n", 3, "expected one of best, one_standard_error"),
    "no time": (HEAD + "limits: {predict_time: fast}\n", 3, "'fast' is not a duration"),
    "task misspelt is not missing": (
        "tsak: classification\ndata: iris\n",
        1,
        "tsak: unknown key; did you mean 'task'?",
    ),
    "task of a later version": ("task: forecasting\ndata: iris\n", 1, "'forecasting' comes with a later version"),
    "misspelt task": ("task: clasification\ndata: iris\n", 1, "did you mean 'classification'?"),
    "no task": ("data: iris\n", 1, "task: is needed, but missing"),
    "no data": ("task: classification\n", 1, "data.source: is needed"),
    "no source": ("task: classification\ndata:\n  target: y\n", 2, "data.source: is needed"),
    "source is a number": ("task: classification\ndata:\n  source: 5\n", 3, "data.source: expected a text"),
    "data is a list": ("task: classification\ndata: [iris]\n", 2, "data: expected a mapping or a text"),
    "group is a text": (HEAD + "limits: 60s\n", 3, "limits: expected a mapping with keys among"),
    "group is empty": (HEAD + "limits:\n", 3, "limits: expected a mapping with keys among"),
    "text for a number": (HEAD + "seed: none\n", 3, "seed: expected a whole number, found 'none'"),
    "half a trial": (HEAD + "limits: {max_trials: 2.5}\n", 3, "expected a whole number, found 2.5"),
    "true for a number": (HEAD + "limits: {max_trials: true}\n", 3, "expected a number, found true"),
    "no trials": (HEAD + "limits: {max_trials: 0}\n", 3, "must be at least 1, found 0"),
    "negative seed": (HEAD + "seed: -1\n", 3, "seed: must be at least 0, found -1"),
    "not a number": (HEAD + "limits: {target_score: .nan}\n", 3, "expected a finite number"),
    "no duration": (HEAD + "limits:\n  time_budget: soon\n", 4, "limits.time_budget: 'soon' is not a duration"),
    "negative duration": (HEAD + "limits:\n  time_budget: -5\n", 4, "limits.time_budget: -5 is not a duration"),
    "no size": (HEAD + "limits:\n  trial_memory: big\n", 4, "limits.trial_memory: 'big' is not a size"),
    "yes or no": (HEAD + "search: {portfolio: perhaps}\n", 3, "expected true or false, found 'perhaps'"),
    "one of several": (HEAD + "validation: {strategy: kfolds}\n", 3, "found 'kfolds'; did you mean 'kfold'?"),
    "a text for a list": (HEAD + "features: {drop: id}\n", 3, "features.drop: expected a list, found 'id'"),
    "metric without a name": (HEAD + "metric:\n  goal: maximize\n", 3, "metric.name: is needed"),
    "misspelt goal": (
        HEAD + "metric: {name: f, gaol: maximize}\n",
        3,
        "metric.gaol: unknown key; did you mean 'goal'?",
    ),
    "metric in a list": (HEAD + "metric:\n  - accuracy\n  - 5\n", 5, "metric[1]"),
    "an impossible name": (HEAD + "experiment: ../../etc\n", 3, "'../../etc' cannot name an experiment"),
    "newer format": (HEAD + "format_version: 99\n", 3, "install a newer one"),
    "kind of a column": (HEAD + "features:\n  columns:\n    zip: categoric\n", 5, "did you mean 'categorical'?"),
    "clash": (HEAD + "validation: {strategy: holdout, folds: 3}\n", 3, "folds means nothing for strategy holdout"),
}


@pytest.mark.parametrize("name", CORPUS)
def test_a_mistake_names_file_line_and_key(tmp_path: Path, name: str) -> None:
    content, line, says = CORPUS[name]
    file = tmp_path / "experiment.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as raised:
        read_config(file)
    message = str(raised.value)
    assert "\n" not in message
    assert says in message
    assert message.startswith(f"{file}: " if line is None else f"{file}:{line}: ")


def test_all_mistakes_are_listed_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text("task: classification\nsede: 1\ndata: iris\nlimits:\n  max_trials: many\n  patience: 0\n")
    with pytest.raises(ConfigError) as raised:
        read_config(file)
    assert str(raised.value).splitlines() == [
        "3 mistakes:",
        f"  {file}:2: sede: unknown key; did you mean 'seed'?",
        f"  {file}:5: limits.max_trials: expected a whole number, found 'many'.",
        f"  {file}:6: limits.patience: must be at least 1, found 0.",
    ]
    assert [error.line for error in raised.value.mistakes] == [2, 5, 6]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^There is no file .*nowhere\.yaml\.$"):
        read_config(tmp_path / "nowhere.yaml")


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a directory"):
        read_config(tmp_path)


def test_a_name_that_no_file_can_have() -> None:
    with pytest.raises(ConfigError, match="There is no file"):
        read_config("a\x00b.yaml")


def test_arguments_have_keys_and_no_file() -> None:
    with pytest.raises(ConfigError) as raised:
        build_config({"task": "regression", "limits": {"time_budgt": 5}})
    assert str(raised.value) == "limits.time_budgt: unknown key; did you mean 'time_budget'?"
    assert (raised.value.file, raised.value.line) == (None, None)


GROUPS = st.sampled_from([*ExperimentConfig.model_fields, "x"])
KEYS = st.sampled_from(
    ["source", "target", "name", "goal", "strategy", "folds", "max_trials", "time_budget", "space", "sampler", "x", "0"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
LEAVES |= st.sampled_from(["iris", "classification", "regression", "auto", "60s", "4GB", "kfold"])


# Named, not lambdas: to print one hypothesis walks sys.modules, which a thread that still imports changes meanwhile.
def nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)


VALUES = st.recursive(LEAVES, nested, max_leaves=6)


@given(st.dictionaries(GROUPS, VALUES, max_size=6))
def test_any_values_are_a_configuration_or_a_sentence(values: dict[str, object]) -> None:
    try:
        build_config({"task": "classification", **values})
    except AutomlError as error:
        assert str(error).strip().endswith((".", "?"))


@given(st.dictionaries(GROUPS, VALUES, max_size=6))
def test_any_yaml_is_a_configuration_or_a_sentence(values: dict[str, object]) -> None:
    from automl.yaml_file import dump_document

    try:
        read_config_text(dump_document({"task": "classification", "data": "iris", **values}))
    except AutomlError as error:
        assert str(error).strip().endswith((".", "?"))


@pytest.mark.parametrize("key", LATER)
def test_what_comes_later_is_refused_and_says_so(key: str) -> None:
    *groups, name = key.split(".")
    values: dict[str, object] = {name: 1}
    for group in reversed(groups):
        values = {group: values}
    with pytest.raises(ConfigError, match=rf"^{key}: .* come with a later version"):
        build_config({"task": "classification", "data": "iris", **values})
