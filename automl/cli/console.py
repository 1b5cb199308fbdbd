"""The console script: every user's mistake ends in one sentence and a non-zero exit."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress
from typing import IO, Any, NoReturn

from automl.cli import commands
from automl.cli.app import app
from automl.display.terminal import only_visible
from automl.display.tolerant import Tolerant
from automl.errors import AutomlError
from automl.redact import redact_message
from automl.visible import visible

__all__ = ["leave", "run"]


def run() -> Any:
    """Run the command line; return the exit status, as `sys.exit` takes it.

    It is 2 for what the user can fix, 1 for what went wrong elsewhere, 130 after Ctrl-C. The work is done even if its
    output cannot be written, which makes a 0 a 1.
    """
    sys.stdout, sys.stderr = printed, _ = _tolerant(sys.stdout), _tolerant(sys.stderr)
    commands.load()
    return _end(printed, _run())


def _run() -> Any:
    """Run the command; return what the process is to end with."""
    try:
        with only_visible():
            app(standalone_mode=True)
    except AutomlError as error:
        return _say(error.on_command_line(), error.exit_code)
    except KeyboardInterrupt:
        return _say("cancelled", 130)
    except SystemExit as ended:
        return ended.code
    return 0


def _say(message: str, code: int) -> int:
    print(f"automl: {visible(redact_message(message))}", file=sys.stderr)
    return code


def _tolerant(stream: IO[str] | None) -> Any:
    return Tolerant(open(os.devnull, "w") if stream is None else stream)


def leave(status: Any) -> NoReturn:
    """End the process. Taking all modules apart would cost a short run a tenth of its time."""
    others = (thread for thread in threading.enumerate() if thread is not threading.main_thread())
    if (status is None or isinstance(status, int)) and all(thread.daemon for thread in others):
        atexit._run_exitfuncs()
        sys.stderr.flush()
        os._exit(status or 0)
    sys.exit(status)


def _end(printed: Tolerant, status: Any) -> Any:
    """Return the exit status, in view of what became of standard output."""
    printed.flush()
    if printed.failure is None:
        return status
    if not isinstance(printed.failure, BrokenPipeError):  # then the reader (`head`, say) has enough
        _say(f"standard output cannot be written: {getattr(printed.failure, 'strerror', None) or printed.failure}.", 1)
    with suppress(OSError, ValueError):  # without this Python complains while it shuts down
        os.dup2(os.open(os.devnull, os.O_WRONLY), printed.fileno())
    return status or 1
