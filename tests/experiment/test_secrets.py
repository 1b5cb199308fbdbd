"""Passwords and tokens reach neither a record nor a log, whatever fails; and a resumed search still has its data."""

from __future__ import annotations

import base64
import http.server
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automl.cli import console
from automl.engine.workspace.layout import Workspace
from automl.tracking.follower import wait_for_follower

PASSWORD, TOKEN, ENVIRONMENT = "canary-password", "canary-token", "canary-environment"
TABLE = ("a,b,y\n" + "".join(f"{i % 13},{i % 7},{'yes' if i % 13 > 6 else 'no'}\n" for i in range(80))).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves a table to whoever knows the password, and nothing else."""

    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(f"user:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != wanted or "table.csv" not in self.path:
            self.send_error(403, explain=f"no access to {self.path}")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(TABLE)))
        self.end_headers()
        self.wfile.write(TABLE)

    do_HEAD = do_GET  # noqa: N815
    do_POST = do_GET  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server, with credentials."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"user:{PASSWORD}@127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture(autouse=True)
def _secret_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets in the environment of all that a test runs."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", ENVIRONMENT)
    monkeypatch.setenv("MY_API_TOKEN", ENVIRONMENT)
    monkeypatch.chdir(tmp_path)


def automl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """The command line in a process of its own, whose end may say something too."""
    return subprocess.run([sys.executable, "-m", "automl", *arguments], capture_output=True, timeout=240)


Here = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def automl_here(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Here:
    """The same in this process: without the seconds that a process of its own takes to import everything."""

    def call(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        monkeypatch.setattr("sys.argv", ["automl", *arguments])
        for name in ("stdout", "stderr"):
            monkeypatch.setattr(sys, name, getattr(sys, name))  # the command line puts its own there
        status = console.run()
        printed = capfdbinary.readouterr()
        return subprocess.CompletedProcess(arguments, status or 0, printed.out, printed.err)

    return call


def assert_no_canary(place: Path, *runs: subprocess.CompletedProcess[bytes]) -> None:
    """None in any file below `place`, MLflow's database and pickled models included, and none in what was printed."""
    said = {"stdout": b"".join(run.stdout for run in runs), "stderr": b"".join(run.stderr for run in runs)}
    written = {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    texts = {**said, **written}
    assert [name for name, text in texts.items() if b"canary" in text] == []


def experiment(
    place: Path, server: str, more: str = "tracking: null\nregistry: null", *, executor: str = "inline"
) -> str:
    place.mkdir(exist_ok=True)
    (place / "e.yaml").write_text(
        f"""
experiment: secrets
task: classification
data: {{source: "http://{server}/table.csv?token={TOKEN}", target: y}}
validation: {{folds: 2}}
limits: {{max_trials: 2}}
search: {{algorithms: {{allow: [naive_bayes]}}, portfolio: false}}
compute: {{executor: {executor}, max_workers: 1}}
{more}
"""
    )
    return str(place / "e.yaml")


def test_a_search_on_a_url_with_a_password_leaves_no_trace_of_it_and_can_be_resumed(
    server: str, workspace: Path, tmp_path: Path, automl_here: Here
) -> None:
    done = automl("run", experiment(tmp_path / "own", server, "", executor="process"))
    assert done.returncode == 0, done.stderr
    assert wait_for_follower(Workspace(workspace), 180)
    assert (workspace / "mlflow.db").exists()
    resumed = automl_here("resume", "secrets", "--max-trials", "3")
    assert resumed.returncode == 0, resumed.stderr
    replayed = automl_here("replay", "secrets", "--trial", "0")
    assert replayed.returncode == 0, replayed.stderr
    shown = [automl_here(*line.split()) for line in ("runs show secrets --json", "runs logs secrets")]
    assert [run.returncode for run in shown] == [0, 0], shown
    assert_no_canary(workspace, done, resumed, replayed, *shown)


def test_a_tracking_server_that_refuses_is_named_without_its_password(
    server: str, workspace: Path, tmp_path: Path
) -> None:
    tracked = f"tracking: {{uri: 'http://{server}/mlflow?token={TOKEN}'}}"
    done = automl("run", experiment(tmp_path / "own", server, tracked))
    assert done.returncode == 0, done.stderr
    assert b"secrets version 1 is registered" in done.stderr
    assert_no_canary(workspace, done)


@pytest.mark.parametrize("path", ["missing.csv", "\x00", "[broken"])
def test_a_source_that_cannot_be_read_is_named_without_its_password(
    server: str, workspace: Path, tmp_path: Path, path: str, automl_here: Here
) -> None:
    file = Path(experiment(tmp_path / "own", server))
    file.write_text(file.read_text().replace("table.csv", path.replace("\x00", "%00")))
    done = automl_here("run", str(file))
    assert done.returncode == 2
    assert done.stderr.startswith(b"automl: ") and b"Traceback" not in done.stderr
    assert_no_canary(workspace, done)
