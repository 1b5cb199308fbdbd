"""The console script: every user's mistake ends in one sentence and a non-zero exit."""

from __future__ import annotations

import os
import sys

from automl.cli import commands
from automl.cli.app import app
from automl.display.terminal import only_visible
from automl.errors import AutomlError
from automl.redact import redact_message
from automl.visible import visible

__all__ = ["main"]


def main() -> None:
    """Run the command line.

    Exits with 2 for what the user can mend, with 1 for what went wrong around it, with 130 after Ctrl-C.
    """
    commands.load()
    try:
        with only_visible():
            app(standalone_mode=True)
    except AutomlError as error:
        _end(f"automl: {error}", error.exit_code)
    except KeyboardInterrupt:
        _end("automl: cancelled", 130)
    except BrokenPipeError:
        # The reader (`head`, say) has enough; without this Python complains again while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _end(message: str, code: int) -> None:
    print(visible(redact_message(message)), file=sys.stderr)
    sys.exit(code)
