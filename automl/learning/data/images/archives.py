"""Archives unpacked into the cache, safely: nothing is written outside the folder meant for it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tarfile
import zlib
from pathlib import Path
from tempfile import mkdtemp

from automl.errors import DataError
from automl.learning.data.images.cache import cache_folder
from automl.learning.data.reading.bounds import unpacked_for
from automl.learning.data.reading.context import Reading
from automl.regular import open_regular

__all__ = ["unpack", "unpacked"]


def unpacked(archive: Path, sha256: str, reading: Reading | None = None) -> Path:
    """The folder in the cache with the content of an archive that the user keeps, unpacked once.

    Args:
        reading: the circumstances.

    Raises:
        DataError: it is not the archive of that hash, or there is no room for it.
    """
    folder = cache_folder("unpacked") / sha256
    if folder.is_dir():
        return folder
    try:
        with open_regular(archive) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"Cannot read {archive}: {error.strerror}.") from error
    if digest != sha256:
        raise DataError(
            f"{archive} is cut off, damaged, or another archive: its hash is not the published one. Download it again."
        )
    unpack(archive, folder, reading)
    return folder


def _extract(tar: tarfile.TarFile, folder: Path, archive: Path, reading: Reading) -> None:
    left = most = unpacked_for(archive.stat().st_size)
    for member in tar:
        reading.check(str(archive))
        left -= member.size
        if left < 0:
            raise DataError(f"{archive} unpacks to more than {most / 2**20:,.0f} MB, which no such archive does.")
        tar.extract(member, folder, filter="data")


def unpack(archive: Path, folder: Path, reading: Reading | None = None) -> None:
    """Unpack a tar archive into `folder`, which is there when all of it is, and not before.

    Args:
        reading: the circumstances.

    Raises:
        DataError: a member's path leads out of the folder, or is a device; the archive is damaged; there is no room.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise DataError(f"Cannot unpack {archive} into {folder.parent}: {error.strerror}.") from error
    try:
        with open_regular(archive) as file, tarfile.open(fileobj=file) as tar:
            _extract(tar, temporary, archive, reading or Reading())
        with contextlib.suppress(OSError):  # another process was faster
            os.replace(temporary, folder)
        if not folder.is_dir():
            raise DataError(f"Cannot unpack {archive}: {folder} cannot be made.")
    except tarfile.FilterError as error:
        raise DataError(f"{archive} is refused, and nothing of it is used: {str(error).rstrip('.')}.") from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(f"{archive} is damaged or cut off: {str(error).rstrip('.')}.") from error
    except OSError as error:
        raise DataError(f"Cannot unpack {archive} into {folder.parent}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
