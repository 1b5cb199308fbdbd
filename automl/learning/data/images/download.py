"""Files from the network: checked by their hash, from one place or the next, and continued where they were cut."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.errors import DataError
from automl.learning.data.images.progress import progress_bar
from automl.learning.data.reading.apart import run_apart
from automl.learning.data.reading.bounds import MOST_FETCHED
from automl.learning.data.reading.context import Reading
from automl.learning.data.reading.protocols import protocol_of
from automl.learning.data.reading.web import answered
from automl.regular import open_regular

__all__ = ["Remote", "fetch"]

IMPORTS = ("pooch", "requests")
"""Modules that downloading apart needs."""
_BLOCK = 1 << 18
_MEMORY = 256 << 20
"""Bytes that a download needs at most: it goes to the disk."""

_log = logging.getLogger("automl")


@dataclass(frozen=True)
class Remote:
    """A file that can be downloaded.

    Attributes:
        name: that it gets.
        hash: ``md5:...`` or ``sha256:...``.
        urls: where it is, tried in this order.
    """

    name: str
    hash: str
    urls: Sequence[str]


def fetch(remote: Remote, folder: Path, reading: Reading | None = None) -> Path:
    """The file in `folder`, downloaded if it is not there with the right hash.

    A download that was cut leaves ``NAME.part``, which the next one continues, if the server knows how to. What
    comes out is whole, or it is not there.

    Args:
        reading: the circumstances.

    Raises:
        DataError: no URL gives it, or none the right one; or the folder cannot be written to; or it takes too long.
    """
    if _is_there(folder / remote.name, remote.hash):
        return folder / remote.name
    what = f"the download of {remote.name}"
    return run_apart(_download, remote, folder, what=what, reading=reading or Reading(), memory=_MEMORY, network=True)


def _is_there(path: Path, known: str) -> bool:
    algorithm, _, digest = known.partition(":")
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, algorithm).hexdigest() == digest
    except OSError:
        return False


def _download(remote: Remote, folder: Path, reading: Reading) -> Path:
    import pooch
    import requests
    from filelock import FileLock
    from urllib3.exceptions import HTTPError

    failures = list[str]()
    pooch.get_logger().setLevel("WARNING")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f".{remote.name}.lock"):
            for url in remote.urls:
                download = _Resumed(folder / f"{remote.name}.part", reading)
                for _ in range(2):  # what another server began may not fit, so once from the start as well
                    try:
                        return Path(pooch.retrieve(url, remote.hash, remote.name, folder, downloader=download))
                    except (requests.RequestException, HTTPError, DataError) as error:
                        failures.append(f"{url} ({_reason(error)})")
                        break
                    except ValueError:
                        failures.append(f"{url} (another hash)")
                        if not download.resumed:
                            break
    except OSError as error:
        raise DataError(f"Cannot download {remote.name} to {folder}: {error.strerror or error}.") from error
    raise DataError(
        f"Cannot download {remote.name}: {'; '.join(failures)}. If you have it already, name the folder that holds the "
        "dataset's own with data.directory or AUTOML_DATA_DIR."
    )


class _Resumed:
    """A downloader for pooch, which has none that continues a file: HTTP's Range (RFC 9110, section 14).

    Attributes:
        resumed: whether the latest download continued a partial one.
    """

    def __init__(self, part: Path, reading: Reading) -> None:
        self._part, self._reading = part, reading
        self.resumed = False

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        import requests

        begun = self._part.stat().st_size if self._part.exists() else 0
        protocol_of(url)
        with answered(url, {"Range": f"bytes={begun}-"} if begun else {}) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:  # the part is whole, or too long
                self.resumed = True
            else:
                answer.raise_for_status()
                self.resumed = bool(begun) and answer.headers.get("Content-Range", "").startswith(f"bytes {begun}-")
                self._receive(answer, begun if self.resumed else 0)
        os.replace(self._part, output_file)

    def _receive(self, answer: Any, begun: int) -> None:
        total = begun + int(answer.headers.get("Content-Length", 0))
        title = f"Downloading {self._part.stem}"
        with (
            self._part.open("ab" if begun else "wb") as file,
            progress_bar(title, total, show=self._reading.progress, in_bytes=True) as advance,
        ):
            advance(begun)
            while block := answer.raw.read1(_BLOCK, decode_content=False):
                file.write(block)
                advance(len(block))
                self._reading.arrived(len(block))
                if file.tell() > MOST_FETCHED:
                    raise DataError("more than any of these files holds")
        self._reading.arrived(-1)


def _reason(error: Exception) -> str:
    if isinstance(error, DataError):
        return str(error).partition(": ")[2].rstrip(".") or str(error)
    response = getattr(error, "response", None)
    return f"HTTP {response.status_code}" if response is not None else type(error).__name__
