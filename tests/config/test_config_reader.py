"""From YAML or arguments to a configuration: values, defaults, paths; and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.config.json_schema import experiment_schema, trial_schema
from automl.config.reader import build_config, read_config, read_config_text
from automl.config.schema import ExperimentConfig
from automl.config.writer import write_config
from automl.engine.trial.contract import Status, TrialResult
from automl.learning.data.options import DataOptions
from automl.redact import redact_text

EVERYTHING = """
experiment: churn
task: classification
data: {source: data/churn.csv, target: churned, test: holdout.parquet, weight: w, group: g, time: t,
       positive_label: yes}
metric: [roc_auc, {name: accuracy, goal: maximize}]
validation: {strategy: predefined, source: valid.csv}
limits: {time_budget: 2h30m, max_trials: 200, target_score: 0.95, patience: 30, min_delta: 1e-3, min_trials: 10,
         max_failures: 20, max_failures_in_a_row: 10, trial_timeout: 60s, trial_memory: 4GB}
search: {space: my_space.yaml, algorithms: {allow: [lightgbm], block: [mlp]}, sampler: tpe,
         pruner: {name: asha, options: {reduction_factor: 3}}, portfolio: false}
features: {columns: {zip: categorical}, drop: [id]}
compute: {executor: process, max_workers: 2, cpus_per_trial: 1}
registry: {name: churn, tags: {team: growth}, description: who leaves}
tracking: {uri: "sqlite:///mlflow.db"}
seed: 7
"""


def test_the_whole_vocabulary() -> None:
    config = read_config_text(EVERYTHING)
    assert config.experiment == "churn"
    assert config.data.positive_label == "yes"
    assert [metric.name for metric in config.metric] == ["roc_auc", "accuracy"]
    assert config.limits.time_budget == 9000.0
    assert config.limits.min_delta == 0.001
    assert config.limits.trial_memory == 4 * 2**30
    assert config.search.sampler.name == "tpe"
    assert config.search.pruner.options == {"reduction_factor": 3}
    assert config.search.portfolio is False
    assert config.registry is not None
    assert config.registry.tags == {"team": "growth"}
    assert config.seed == 7


def test_task_and_data_are_enough() -> None:
    config = read_config_text("task: regression\ndata: diabetes\n")
    assert (config.data.source, config.metric, config.experiment) == ("diabetes", (), None)
    assert config.registry is not None
    assert config.tracking is not None


def test_null_switches_registry_and_tracking_off() -> None:
    config = read_config_text("task: regression\ndata: diabetes\nregistry: null\ntracking: ~\n")
    assert config.registry is None
    assert config.tracking is None


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "experiments"
    folder.mkdir()
    file = folder / "churn.yaml"
    file.write_text(EVERYTHING)
    monkeypatch.chdir(tmp_path)
    config, document = read_config("experiments/churn.yaml")
    assert config.data.source == str(folder / "data" / "churn.csv")
    assert config.data.test == str(folder / "holdout.parquet")
    assert config.validation.source == str(folder / "valid.csv")
    assert config.search.space == str(folder / "my_space.yaml")
    assert document.line(("metric",)) == 6


@pytest.mark.parametrize("source", ["iris", "https://example.org/a.csv", "s3://bucket/a.parquet", "/data/a.csv"])
def test_names_urls_and_absolute_paths_stay(source: str) -> None:
    assert read_config_text(f"task: classification\ndata: {source}\n").data.source == source


def test_a_home_directory_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert read_config_text("task: classification\ndata: ~/a.csv\n").data.source == "/home/ann/a.csv"


def test_arguments_may_be_options_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = build_config(
        {"task": "classification", "data": DataOptions(source="a.csv"), "limits": {"time_budget": "1m"}}
    )
    assert config.data.source == str(tmp_path / "a.csv")
    assert config.limits.time_budget == 60.0


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    config = read_config_text(EVERYTHING, base=tmp_path)
    text = write_config(config)
    assert read_config_text(text, base="/elsewhere") == config
    assert text.splitlines()[1] == "format_version: 1"
    assert str(tmp_path / "my_space.yaml") in text


def test_defaults_are_filled_in() -> None:
    text = write_config(read_config_text("task: classification\ndata: iris\n"))
    assert "executor: auto" in text
    assert "max_failures_in_a_row: 10" in text


NAMES = st.text(max_size=20)


@given(target=NAMES, label=NAMES | st.booleans() | st.integers(), drop=st.lists(NAMES, max_size=3), tag=NAMES)
def test_any_text_survives_writing(target: str, label: object, drop: list[str], tag: str) -> None:
    config = build_config(
        {
            "task": "classification",
            "data": {"source": "iris", "target": target, "positive_label": label},
            "features": {"drop": drop},
            "registry": {"description": tag},
        }
    )
    assert read_config_text(write_config(config)) == config


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("postgresql://ann:geheim@db/mlflow", "postgresql://***@db/mlflow"),
        ("https://ann:ge@heim@host/a.csv?x=1", "https://***@host/a.csv"),
        ("https://host/a.csv?sig=geheim&x=1", "https://host/a.csv"),
        ("https://host/a?pass=geheim#geheim", "https://host/a"),
        ("https://ann:ge/geheim@host/a.csv", "https://***@host/a.csv"),
        ("https://ann:ge?geheim@host/a.csv", "https://***"),
        ("s3://bucket/a@b.csv", "s3://bucket/a@b.csv"),
        ("mail ann@example.org", "mail ann@example.org"),
    ],
)
def test_credentials_are_not_recorded(url: str, kept: str) -> None:
    assert redact_text(url) == kept
    text = write_config(build_config({"task": "regression", "data": {"source": url, "target": "y"}}))
    assert "geheim" not in text


def test_the_experiment_schema_agrees_with_the_reader() -> None:
    import jsonschema

    validator = jsonschema.Draft202012Validator(experiment_schema())
    validator.check_schema(experiment_schema())
    from automl.yaml_file import parse_document

    validator.validate(parse_document(EVERYTHING).values)
    validator.validate({"task": "classification", "data": "iris", "metric": "accuracy", "registry": None})
    validator.validate(parse_document(write_config(read_config_text(EVERYTHING))).values)
    for wrong in ({"data": "iris"}, {"task": "classification", "limit": {}}, {"task": "classification", "seed": "x"}):
        assert not validator.is_valid(wrong)


def test_every_key_is_described_for_editors() -> None:
    properties = experiment_schema()["properties"]
    assert set(properties) == set(ExperimentConfig.model_fields)


def test_the_trial_schema_takes_a_trial() -> None:
    import jsonschema

    result = TrialResult(number=0, algorithm="knn", status=Status.COMPLETED, value=0.9, metrics={"accuracy": 0.9})
    validator = jsonschema.Draft202012Validator(trial_schema())
    validator.validate(result.model_dump(mode="json"))
    assert not validator.is_valid({**result.model_dump(mode="json"), "status": "DONE"})
