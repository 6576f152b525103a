"""Run a program that this deployment allows, and read the one number that it prints.

There is no shell, no input and none of our environment. `timeout` bounds the program from outside,
so that it ends even when whoever asked was killed meanwhile.
"""

import asyncio
import os
import shutil
import signal
import stat
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from math import isnan
from pathlib import Path

from holdfast.clients.polling import REQUEST_SECONDS
from holdfast.clock import Clock
from holdfast.errors import SpecError
from holdfast.model.indicator import Indicator
from holdfast.ports.metrics import Sample

MOST_BYTES = 4096
"""Of what it prints, no more than this is read."""
_AT_ONCE = 4
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


class CommandTalker:
    """One allowed program, run a few times at once at most."""

    def __init__(self, name: str, program: str, clock: Clock) -> None:
        self.name, self._program, self._clock = name, program, clock
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def ask(self, question: Indicator) -> Sample:
        """Run the program with the indicator's arguments."""
        arguments = (question.command or ())[1:]
        async with self._turns:
            try:
                value, why = _number(*await _run(self._program, arguments))
            except OSError as error:
                value, why = None, f"cannot be run: {error.strerror or error}"
        return Sample(value, self._clock.now().timestamp(), why and f"{self.name}: {why}")

    async def close(self) -> None:
        """There is nothing to let go of: a poller ends what is under way first."""


def program(allowed: Mapping[str, str], name: str) -> str:
    """The path of an allowed program that can be run; SpecError otherwise."""
    path = allowed.get(name)
    if path is None:
        raise SpecError(
            f"'{name}' is no command that this deployment allows", where="HOLDFAST_COMMANDS",
            hint=f"known: {', '.join(sorted(allowed)) or 'none'}; NAME=/absolute/path, by commas",
        )
    where = f"HOLDFAST_COMMANDS: {name}"
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}", where=where) from error
    if not stat.S_ISREG(mode) or not os.access(path, os.X_OK):
        raise SpecError(f"{path} is no program that can be run", where=where)
    if mode & stat.S_IWOTH:
        raise SpecError(f"everybody may write {path}", where=where, hint=f"chmod o-w {path}")
    return path


async def _run(program: str, arguments: tuple[str, ...]) -> tuple[int, bytes]:
    """Exit code and the beginning of what was printed."""
    process = await _start(program, arguments)
    try:
        async with asyncio.timeout(2 * REQUEST_SECONDS):
            printed = await _read(process)
            code = await process.wait() if len(printed) <= MOST_BYTES else 0
            return code, printed
    except TimeoutError:
        return 124, b""
    finally:
        await _end(process)


async def _start(program: str, arguments: tuple[str, ...]) -> Process:
    """Start it. Cancelled meanwhile, asyncio would kill `timeout` alone, and bound it no more."""
    limit = shutil.which("timeout", path=os.defpath) or "timeout"
    begun = asyncio.ensure_future(asyncio.create_subprocess_exec(
        limit, "-s", "KILL", f"{REQUEST_SECONDS:g}", program, *arguments, stdin=DEVNULL,
        stdout=PIPE, stderr=DEVNULL, cwd="/", env=_ENVIRONMENT, start_new_session=True,
        limit=MOST_BYTES,
    ))
    try:
        return await asyncio.shield(begun)
    except asyncio.CancelledError:
        await _end(await begun)
        raise


async def _end(process: Process) -> None:
    """Kill what is left; its output is read to the end, else asyncio never sees it close."""
    if process.returncode is None:  # not yet reaped, so that the id is still its own
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(REQUEST_SECONDS):
            while process.stdout is not None and await process.stdout.read(MOST_BYTES):
                pass
            await process.wait()


async def _read(process: Process) -> bytes:
    """Up to one byte more than is allowed; a program that prints more is ended."""
    if process.stdout is None:
        return b""
    printed = b""
    while len(printed) <= MOST_BYTES and (part := await process.stdout.read(MOST_BYTES + 1)):
        printed += part
    return printed


def _number(code: int, printed: bytes) -> tuple[float | None, str]:
    if len(printed) > MOST_BYTES:
        return None, f"it printed more than {MOST_BYTES} bytes"
    if code in (124, 137, -signal.SIGKILL):
        return None, f"it did not end within {REQUEST_SECONDS:g} s"
    if code:
        return None, f"it ended with {code}"
    text = printed.decode(errors="replace").strip()
    try:
        value = float(text)
    except ValueError:
        return None, f"it printed '{text[:40]}', not one number"
    return (None, "it printed no number: nan") if isnan(value) else (value, "")
