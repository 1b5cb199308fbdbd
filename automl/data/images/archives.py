"""Archives unpacked into the cache, safely: nothing lands outside of the folder meant for it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tarfile
import zlib
from pathlib import Path
from tempfile import mkdtemp

from automl.data.images.cache import cache_folder
from automl.errors import DataError

__all__ = ["unpack", "unpacked"]

_GROWTH = 20
"""An archive of pictures unpacks to little more than its size."""
_PLAIN = 64 << 20


def unpacked(archive: Path, sha256: str) -> Path:
    """The folder in the cache with the content of an archive that lies with the user, unpacked once.

    Raises:
        DataError: it is not the archive of that hash, or there is no room for it.
    """
    folder = cache_folder("unpacked") / sha256
    if folder.is_dir():
        return folder
    try:
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"Cannot read {archive}: {error.strerror}.") from error
    if digest != sha256:
        raise DataError(
            f"{archive} is cut off, damaged, or another archive: its hash is not the published one. Download it again."
        )
    unpack(archive, folder)
    return folder


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tar archive into `folder`, which is there when all of it is, and not before.

    Raises:
        DataError: a member's path leads out of the folder, or is a device; the archive is damaged; there is no room.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise DataError(f"Cannot unpack {archive} into {folder.parent}: {error.strerror}.") from error
    try:
        with tarfile.open(archive) as tar:
            if sum(member.size for member in tar) > max(_PLAIN, _GROWTH * archive.stat().st_size):
                raise DataError(f"{archive} unpacks to more than {_GROWTH} times its size, which no pictures do.")
            tar.extractall(temporary, filter="data")
        with contextlib.suppress(OSError):  # another process was faster
            os.replace(temporary, folder)
        if not folder.is_dir():
            raise DataError(f"Cannot unpack {archive}: {folder} cannot be made.")
    except tarfile.FilterError as error:
        raise DataError(f"{archive} is refused, nothing of it is used: {str(error).rstrip('.')}.") from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(f"{archive} is damaged or cut off: {str(error).rstrip('.')}.") from error
    except OSError as error:
        raise DataError(f"Cannot unpack {archive} into {folder.parent}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
