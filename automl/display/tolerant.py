"""Output that never costs a result: to a full device, a pipe without a reader, a terminal without some letters."""

from __future__ import annotations

from typing import IO, Any

__all__ = ["Tolerant"]


class Tolerant:
    """A text stream that passes on what its own stream takes, and drops the rest.

    Letters that the encoding lacks are written as escapes. Once a write has failed nothing more is tried.

    Attributes:
        failure: why the stream no longer takes anything; None while it does.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.failure: OSError | ValueError | None = None

    def write(self, text: str) -> int:
        if self.failure is None:
            try:
                self._stream.write(self._writable(text))
            except (OSError, ValueError) as error:  # a closed file is a ValueError
                self.failure = error
        return len(text)

    def flush(self) -> None:
        if self.failure is None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self.failure = error

    def _writable(self, text: str) -> str:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            return text.encode(encoding, "backslashreplace").decode(encoding)
        return text

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
