"""No process that a search starts can be reached from another machine."""

from __future__ import annotations

import ipaddress
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

EXPERIMENT = """
task: classification
data: iris
limits: {max_trials: 60}
search: {portfolio: false, algorithms: {allow: [naive_bayes, lda]}}
compute: {executor: ray, max_workers: 2}
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="process trees differ")
def test_ray_workers_and_the_mirror_listen_on_the_loopback_interface_only(tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text(EXPERIMENT)
    command = [sys.executable, "-m", "automl", "run", "e.yaml", "--quiet"]
    searching = subprocess.Popen(command, cwd=tmp_path, env={**os.environ}, stdout=subprocess.DEVNULL)
    seen: set[str] = set()
    open_to: dict[str, str] = {}
    root = psutil.Process(searching.pid)
    while searching.poll() is None:
        with suppress(psutil.NoSuchProcess):
            for process in (root, *root.children(recursive=True)):
                _look(process, seen, open_to)
    assert searching.returncode == 0
    assert {"raylet", "gcs_server", "mirror"} <= seen  # all that we mean to watch was there
    assert open_to == {}


def _look(process: psutil.Process, seen: set[str], open_to: dict[str, str]) -> None:
    """Note what `process` is, and every address that it listens on for other machines."""
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
        line = " ".join(process.cmdline())
        seen.update(name for name in ("raylet", "gcs_server", "mirror") if name in line)
        for connection in process.net_connections("inet"):
            if connection.status != psutil.CONN_LISTEN:
                continue
            address = ipaddress.ip_address(connection.laddr.ip)
            mapped = getattr(address, "ipv4_mapped", None) or address
            if not mapped.is_loopback:
                open_to[line[:200]] = f"{address}:{connection.laddr.port}"
