"""The changes of a run's page as server-sent events."""

import asyncio
import json
import re
from collections.abc import AsyncIterator

from holdfast.web.poller import Poller, Pollers

STREAM_SECONDS = 30.0
"""A stream ends after this and the browser asks anew: so access is checked again, and a server
that wants to stop need not wait for long."""
KEEP_ALIVE_SECONDS = 10.0
_RETRY_MS = 500


async def events(pollers: Pollers, run_id: str, last: str) -> AsyncIterator[str]:
    """Each part as it changes; `last` is the id of the last event that the browser has seen."""
    loop = asyncio.get_running_loop()
    until = loop.time() + STREAM_SECONDS
    yield f"retry: {_RETRY_MS}\n\n"
    async with pollers.listen(run_id) as poller:
        seen = _number(last, poller)
        while loop.time() < until:
            for name, part in poller.since(seen):
                seen = part.number
                data = json.dumps({"name": name, "html": part.html})
                yield f"id: {poller.mark}-{part.number}\nevent: part\ndata: {data}\n\n"
            if poller.is_over:
                yield "event: end\ndata: {}\n\n"
            if poller.is_over or poller.is_dead:
                return
            before = poller.number
            await poller.change(seen, min(KEEP_ALIVE_SECONDS, until - loop.time()))
            if poller.number == before:
                yield ": nothing new\n\n"


def _number(last: str, poller: Poller) -> int:
    """What the browser has seen of this very poller; of another it has to see all anew."""
    mark, _, number = last.partition("-")
    return int(number) if mark == poller.mark and re.fullmatch(r"[0-9]{1,15}", number) else 0
