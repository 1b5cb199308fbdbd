"""The names by which files are pictures. Light: finding out whether a folder holds any imports nothing."""

from __future__ import annotations

from pathlib import PurePath

__all__ = ["FORMATS", "is_picture_name"]

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "AVIF", "JPEG2000")
"""Formats that are decoded, by Pillow's names: pictures alone. Others of them run programs (EPS) or are documents."""

_ENDINGS = frozenset(
    f".{ending}"
    for endings in (
        ("jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "webp"),
        ("tif", "tiff", "ppm", "pgm", "pbm", "pnm", "avif", "jp2"),
    )
    for ending in endings
)


def is_picture_name(name: str) -> bool:
    """True for ``cat.JPG``; false for hidden files such as ``._cat.jpg``."""
    return not name.startswith(".") and PurePath(name).suffix.lower() in _ENDINGS
