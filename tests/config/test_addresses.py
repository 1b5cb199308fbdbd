"""A file does not choose alone which other machines an experiment sends to."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automl import api
from automl.config.addresses import admit_addresses, check_recorded_addresses, foreign_places, note_addresses
from automl.config.reader import build_config
from automl.config.schema import ExperimentConfig
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import TrustError
from automl.experiment.models.registration import tracking_uri


def config(**groups: Any) -> ExperimentConfig:
    return build_config({"task": "classification", "data": "iris", **groups})


@pytest.mark.parametrize(
    "groups",
    [
        {},
        {"tracking": None},
        *(
            {"compute": {"address": address}}
            for address in ("auto", "local", "localhost:6379", "ray://127.0.0.1:10001")
        ),
        *({"compute": {"address": address}} for address in ("127.0.0.1", "ray://[::1]:10001")),
        *({"compute": {"storage": storage}} for storage in ("shared", "/mnt/shared", "file:///mnt/shared")),
        *({"tracking": {"uri": uri}} for uri in ("mlruns", "./mlruns", "/a/b", "file:///a/b", "sqlite:///m.db")),
        *({"tracking": {"uri": uri}} for uri in ("http://localhost:5000", "https://u:p@127.0.0.2:5000/mlflow?token=x")),
    ],
)
def test_this_machine_needs_no_trust(groups: dict[str, Any]) -> None:
    assert foreign_places(config(**groups)) == {}


@pytest.mark.parametrize(
    ("group", "key", "value", "host"),
    [
        ("compute", "address", "head:6379", "head:6379"),
        ("compute", "address", "ray://10.0.0.1:10001", "10.0.0.1:10001"),
        ("compute", "address", "localhost.evil.com:6379", "localhost.evil.com:6379"),
        ("compute", "address", "evil_module://x", "evil_module://x"),
        ("compute", "storage", "s3://bucket/automl", "s3://bucket"),
        ("compute", "storage", "file://head/share", "file://head"),
        ("compute", "storage", "//head/share", "//head/share"),
        ("tracking", "uri", "file://head/share", "file://head"),
        ("tracking", "uri", "\\\\head\\share", "\\\\head\\share"),
        ("tracking", "uri", "Databricks ", "Databricks "),
        ("compute", "storage", "sftp://user:secret@head/x", "sftp://head"),
        ("compute", "storage", "simplecache::s3://bucket/x", "simplecache::s3://bucket/x"),
        ("tracking", "uri", "https://mlflow.corp:5000/x", "mlflow.corp:5000"),
        ("tracking", "uri", "http://user:secret@mlflow.corp", "mlflow.corp"),
        ("tracking", "uri", "http://127.0.0.1@mlflow.corp/", "mlflow.corp"),
        ("tracking", "uri", "http://mlflow.corp\\@127.0.0.1/", "http://***@127.0.0.1/"),
        ("tracking", "uri", "http://127.0.0.1:5000#@mlflow.corp", "http://***"),
        ("tracking", "uri", "postgresql://127.0.0.1/db?host=evil", "postgresql://127.0.0.1/db"),
        ("tracking", "uri", "sqlite:///m.db?plugin=evil", "sqlite:///m.db"),
        ("tracking", "uri", "databricks", "databricks"),
        ("tracking", "uri", "x://\x1b[31mred", "x://\\x1b[31mred"),
        ("tracking", "uri", "databricks://profile", "databricks://profile"),
    ],
)
def test_another_host_is_named_without_secrets(group: str, key: str, value: str, host: str) -> None:
    assert foreign_places(config(**{group: {key: value}})) == {f"{group}.{key}": host}


@pytest.fixture
def server() -> Iterator[tuple[str, list[Any]]]:
    """A port of a loopback address that is called by a name, and who has called."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        calls: list[Any] = []

        def accept() -> None:
            while True:
                try:
                    connection, address = listening.accept()
                except OSError:
                    return
                calls.append(address)
                connection.close()

        threading.Thread(target=accept, daemon=True).start()
        yield f"{socket.gethostname()}:{listening.getsockname()[1]}", calls


@pytest.mark.parametrize(
    ("key", "lines"),
    [
        ("compute.address", "compute:\n  executor: ray\n  address: {host}"),
        ("compute.storage", "compute:\n  executor: ray\n  storage: http://{host}/x"),
        ("tracking.uri", "tracking:\n  uri: http://{host}"),
    ],
)
def test_nothing_is_sent_to_a_host_that_a_file_names(
    key: str, lines: str, server: tuple[str, list[Any]], tmp_path: Path
) -> None:
    host, calls = server
    file = tmp_path / "experiment.yaml"
    file.write_text("task: classification\ndata: iris\nlimits: {max_trials: 1}\n" + lines.format(host=host) + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "automl", "run", str(file), "--workspace", str(tmp_path / "w")],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"experiment.yaml:{6 if 'executor' in lines else 5}: {key}: names the host" in done.stderr
    assert "pass --trust" in done.stderr
    assert calls == []
    assert not (tmp_path / "w").exists()


def test_with_trust_the_host_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text("task: classification\ndata: iris\ntracking: {uri: 'https://mlflow.corp'}\n")
    with pytest.raises(TrustError, match=r"yaml:3: tracking.uri: names the host mlflow.corp, .*pass --trust"):
        api.validate(file)
    with caplog.at_level(logging.INFO, logger="automl"):
        api.validate(file, trust=True)
    assert [record.getMessage() for record in caplog.records] == [
        "tracking.uri: this experiment uses mlflow.corp, which its file names."
    ]


@pytest.fixture
def directory(tmp_path: Path) -> ExperimentDirectory:
    place = ExperimentDirectory(tmp_path / "name" / "id")
    place.path.mkdir(parents=True)
    return place


HERE, THERE = config(tracking={"uri": "https://mlflow.corp"}), config(tracking={"uri": "https://mlflow.evil"})


def test_an_experiment_goes_on_with_the_hosts_that_it_began_with(directory: ExperimentDirectory) -> None:
    note_addresses(HERE, directory)
    admit_addresses(HERE, directory, trust=False)
    assert tracking_uri(HERE, directory) == "https://mlflow.corp"


def test_but_not_with_one_that_was_written_into_its_record(directory: ExperimentDirectory) -> None:
    note_addresses(HERE, directory)
    for use in (check_recorded_addresses, tracking_uri):
        with pytest.raises(TrustError, match=r"experiment.yaml: tracking.uri: names the host mlflow.evil"):
            use(THERE, directory)


def test_until_it_is_trusted(directory: ExperimentDirectory) -> None:
    with pytest.raises(TrustError):
        admit_addresses(THERE, directory, trust=False)
    admit_addresses(THERE, directory, trust=True)
    admit_addresses(THERE, directory, trust=False)


def test_resuming_sends_nothing_to_a_host_that_the_record_names_since(
    server: tuple[str, list[Any]], tmp_path: Path
) -> None:
    result = api.fit(
        "classification", "iris", max_trials=1, search={"algorithms": {"allow": ["naive_bayes"]}}, registry=None,
        tracking=None, compute={"executor": "inline"}, workspace=str(tmp_path), progress=False,
    )  # fmt: skip
    record = ExperimentDirectory(result.directory).config
    host, calls = server
    record.write_text(record.read_text().replace("tracking: null", f"tracking: {{uri: 'http://{host}'}}"))
    for go_on in (api.resume, api.mirror_run, api.register):
        with pytest.raises(TrustError, match=r"experiment.yaml: tracking.uri: names the host .*pass --trust"):
            go_on(result.directory)
    assert calls == []
