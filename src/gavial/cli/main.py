"""The console script: runs a command, and turns every error into a message and an exit code."""

from __future__ import annotations

import io
import os
import sys
import warnings
from contextlib import suppress

from gavial.cli import output
from gavial.errors import GavialError

INTERRUPTED = 130  # 128 + SIGINT, as a shell says it
_DEBUG = "GAVIAL_DEBUG"


def main() -> int:
    """Run `gavial` with the arguments of this process and return its exit code."""
    _prepare()
    try:
        code = _run()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _silence()
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except GavialError as error:
        return _failed(error, str(error), error.exit_code)
    except ModuleNotFoundError as error:
        return _failed(error, _of_library(error), 1)
    except OSError as error:
        return _failed(error, _of_system(error), 1)
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        return _failed(error, f"{text}\nThis is a defect. Set {_DEBUG}=1 for the traceback.", 1)


def _run() -> int:
    from typer import Abort, BadParameter

    from gavial.cli.app import app

    misuse: type[Exception] = BadParameter.__bases__[0]  # it has no public name
    try:
        code = app(prog_name="gavial", standalone_mode=False)
    except misuse as error:
        return _misused(error)
    except Abort:
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def _misused(error: BaseException) -> int:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "gavial"
    output.note(f"{error.format_message()}\nSee: {path} --help")  # type: ignore[attr-defined]
    return 2


def _failed(error: BaseException, message: str, code: int) -> int:
    if os.environ.get(_DEBUG):
        import traceback

        traceback.print_exception(error)
    output.note(message)
    return code


def _of_library(error: ModuleNotFoundError) -> str:
    name = (error.name or "").partition(".")[0]
    brings = "gavial[spark]" if name in ("pyspark", "py4j") else "gavial"
    return f'{name or error} is not installed: pip install "{brings}"'


def _of_system(error: OSError) -> str:
    what = error.strerror or str(error) or type(error).__name__
    return f"{what}: {error.filename}" if error.filename else what


def _prepare() -> None:
    """Warnings in our own form; and a character that a stream cannot carry ends no command."""
    warnings.showwarning = _warn
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    output.note(f"warning: {message}")


def _silence() -> None:
    """The reader is gone: let nothing at exit complain of it."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
