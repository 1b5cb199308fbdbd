"""Downloads from a server on this machine: whole, cut, gone on with, wrong, absent."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from automl.errors import DataError
from automl.learning.data.images.catalogue import DATASETS, Dataset, fetch_dataset
from automl.learning.data.images.download import Remote, fetch
from automl.learning.data.images.locate import NAMES

CONTENT = bytes(range(256)) * 4000
HASH = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@dataclass
class Site:
    """A server: what it has, how many bytes it sends before it hangs up, and what it was asked for."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: int | None = None
    ranges: bool = True
    packs: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers["Range"]
            here.asked.append((self.path, wanted))
            content = here.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            begin = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and here.ranges else 0
            if begin >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if begin else 200)
            if here.packs and self.headers["Accept-Encoding"] != "identity":
                content = gzip.compress(content)
                self.send_header("Content-Encoding", "gzip")
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - begin))
            self.end_headers()
            self.wfile.write(content[begin : here.cut_after])

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Site(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


def remote(*urls: str, digest: str = HASH) -> Remote:
    return Remote("file.bin", digest, urls)


def test_a_file_is_downloaded_once(site: Site, tmp_path: Path) -> None:
    site.files["/file.bin"] = CONTENT
    for _ in range(2):
        path = fetch(remote(f"{site.url}/file.bin"), tmp_path / "new" / "folder")
        assert path.read_bytes() == CONTENT
    assert site.asked == [("/file.bin", None)]


def test_a_server_is_told_not_to_pack_what_is_packed_already(site: Site, tmp_path: Path) -> None:
    packed = gzip.compress(CONTENT)
    site.files["/file.bin"], site.packs = packed, True
    digest = f"sha256:{hashlib.sha256(packed).hexdigest()}"
    part = tmp_path / "file.bin.part"
    part.write_bytes(packed[:100])
    assert fetch(remote(f"{site.url}/file.bin", digest=digest), tmp_path).read_bytes() == packed


def test_the_next_place_is_tried(site: Site, tmp_path: Path) -> None:
    site.files |= {"/mirror": CONTENT, "/wrong": CONTENT[:-1] + b"?"}
    urls = (
        f"{site.url}/absent",
        "http://127.0.0.1:1/nobody",
        "no url at all",
        f"{site.url}/wrong",
        f"{site.url}/mirror",
    )
    assert fetch(remote(*urls), tmp_path).read_bytes() == CONTENT


def test_a_download_that_was_cut_is_gone_on_with(site: Site, tmp_path: Path) -> None:
    site.files["/file.bin"], site.cut_after = CONTENT, 300_000
    with pytest.raises(DataError, match=r"Cannot download file\.bin: .*data\.directory"):
        fetch(remote(f"{site.url}/file.bin"), tmp_path)
    got = (tmp_path / "file.bin.part").stat().st_size
    assert 0 < got <= 300_000 and not (tmp_path / "file.bin").exists()
    site.cut_after = None
    assert fetch(remote(f"{site.url}/file.bin"), tmp_path).read_bytes() == CONTENT
    assert site.asked[-1] == ("/file.bin", f"bytes={got}-")
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == ["file.bin"]


def test_a_server_without_ranges_begins_anew(site: Site, tmp_path: Path) -> None:
    site.files["/file.bin"], site.ranges = CONTENT, False
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    assert fetch(remote(f"{site.url}/file.bin"), tmp_path).read_bytes() == CONTENT
    assert site.asked == [("/file.bin", "bytes=1000-")]


@pytest.mark.parametrize("part", [b"of another file", CONTENT, CONTENT + b"more"], ids=["another", "whole", "too long"])
def test_a_part_that_does_not_fit_is_replaced(site: Site, tmp_path: Path, part: bytes) -> None:
    site.files["/file.bin"] = CONTENT
    (tmp_path / "file.bin.part").write_bytes(part)
    assert fetch(remote(f"{site.url}/file.bin"), tmp_path).read_bytes() == CONTENT


def test_a_file_with_another_hash_is_not_kept(site: Site, tmp_path: Path) -> None:
    site.files["/file.bin"] = CONTENT
    with pytest.raises(DataError, match=rf"Cannot download file\.bin: {site.url}/file.bin \(another hash\)"):
        fetch(remote(f"{site.url}/file.bin", digest="md5:" + "0" * 32), tmp_path)
    assert not (tmp_path / "file.bin").exists()


def test_a_folder_that_cannot_be_written_to_is_named(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataError, match=r"Cannot download file\.bin to .*: (Not a directory|File exists)"):
        fetch(remote(f"{site.url}/file.bin"), tmp_path / "file")


def archive(name: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    return stream.getvalue()


def test_a_dataset_in_an_archive_is_unpacked_into_the_cache(site: Site, cache: Path) -> None:
    content = site.files["/made.tar.gz"] = archive("batches/one")
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    dataset = Dataset("made", (Remote("made.tar.gz", digest, (f"{site.url}/made.tar.gz",)),), folder="batches")
    for _ in range(2):
        folder = fetch_dataset(dataset)
        assert folder.is_relative_to(cache)
        assert [path.name for path in folder.iterdir() if not path.name.startswith(".")] == ["batches"]
        assert (folder / "batches" / "one").read_bytes() == b"abc"
    assert len(site.asked) == 1


def test_two_that_begin_at_once_share_a_dataset(site: Site, cache: Path) -> None:
    content = site.files["/made.tar.gz"] = archive("batches/one")
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    dataset = Dataset("made", (Remote("made.tar.gz", digest, (f"{site.url}/made.tar.gz",)),), folder="batches")
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(lambda _: fetch_dataset(dataset), range(4)))
    assert all((folder / "batches" / "one").read_bytes() == b"abc" for folder in folders)
    assert len(site.asked) == 1


def test_every_dataset_of_the_catalogue_has_mirrors_and_hashes() -> None:
    assert set(DATASETS) == NAMES
    for dataset in DATASETS.values():
        for each in dataset.remotes:
            kind, _, digest = each.hash.partition(":")
            assert len(digest) == {"md5": 32, "sha256": 64}[kind]
            assert len(set(each.urls)) >= 2 and all(url.endswith(each.name) for url in each.urls)
            assert any(url.startswith("https://") for url in each.urls)
