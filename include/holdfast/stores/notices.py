"""Tell people: a line in notices.jsonl always, a webhook where the deployment has one."""

import fcntl
import json
import os
import sys
import urllib.request
from dataclasses import asdict
from http.client import HTTPException
from pathlib import Path
from typing import TextIO

from holdfast.clients.connections import Connection, connection
from holdfast.clock import Clock, SystemClock
from holdfast.errors import SpecError
from holdfast.model.run import Notice
from holdfast.settings import Settings

WEBHOOK = "holdfast_webhook"
"""Connection id: type http or https, host, port, `schema` as path, password as bearer token."""
_TIMEOUT_SECONDS = 3.0


class HomeNotifier:
    """Each notice once for each kind and run, with what became of its delivery."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self._settings, self._clock = settings, clock or SystemClock()

    def tell(self, notice: Notice) -> None:
        """Deliver, or say in the log why not; never raises."""
        try:
            with _opened(self._settings.notices) as log:
                fcntl.flock(log, fcntl.LOCK_EX)
                log.seek(0)
                if not _told(log, notice):
                    line = asdict(notice) | {
                        "at": self._clock.now().isoformat(timespec="milliseconds"),
                        "webhook": self._deliver(notice),
                    }
                    log.write(json.dumps(line, default=str) + "\n")
                    log.flush()
                    os.fsync(log.fileno())
        except OSError as error:
            _complain(f"holdfast: a notice could not be written: {error}: {notice.text}")

    def _deliver(self, notice: Notice) -> str:
        try:
            found = connection(self._settings.connections, WEBHOOK)
        except SpecError as error:
            absent = ("unknown connection", "there is no connections file")
            return "none" if error.message.startswith(absent) else f"not sent: {error}"
        try:
            request = _request(found, notice)
            opener = urllib.request.build_opener(_Stay)
            with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                return f"sent: HTTP {answer.status}"
        except (OSError, SpecError) as error:
            return f"not sent: {error}"
        except (ValueError, HTTPException) as error:  # its text quotes what was sent, secrets too
            return (f"not sent: {type(error).__name__}, look at host, port, schema and password of "
                    f"{WEBHOOK}")


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nobody: the token is for one address."""

    def redirect_request(self, *_: object) -> None:
        return None


def _opened(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+")


def _told(log: TextIO, notice: Notice) -> bool:
    for line in log:
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # a line torn by a crash told nobody
        if (entry.get("kind"), entry.get("run_id")) == (notice.kind, notice.run_id):
            return True
    return False


def _request(found: Connection, notice: Notice) -> urllib.request.Request:
    if found.type not in ("http", "https"):
        raise SpecError(f"connection {found.id}: type '{found.type}' is neither http nor https")
    port = f":{found.port}" if found.port else ""
    headers = {"Content-Type": "application/json"}
    if found.password:
        headers["Authorization"] = f"Bearer {found.password}"
    return urllib.request.Request(  # noqa: S310 - the scheme was checked above
        f"{found.type}://{found.host}{port}/{found.schema.lstrip('/')}",
        data=json.dumps(asdict(notice), default=str).encode(), headers=headers, method="POST",
    )


def _complain(text: str) -> None:
    sys.stderr.write(text + "\n")
