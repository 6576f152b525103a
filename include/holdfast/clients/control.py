"""Small HTTP control APIs of targets: one question, one answer, JSON where there is some."""

import json
from typing import Any

from holdfast.clients.connections import Connection
from holdfast.errors import TransientFaultError

_TIMEOUT = 2.0


def ask(link: Connection, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """The status and the JSON, or the text if it is none; TransientFaultError without an answer."""
    from http.client import HTTPConnection, HTTPException

    http = HTTPConnection(link.host, link.port, timeout=_TIMEOUT)
    try:
        content = None if body is None else json.dumps(body)
        http.request(method, path, content, {"Content-Type": "application/json"})
        answer = http.getresponse()
        text = answer.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        raise TransientFaultError(
            f"the control API does not answer: {error}", target=link.id
        ) from error
    finally:
        http.close()
    try:
        return answer.status, json.loads(text) if text.strip() else {}
    except ValueError:
        return answer.status, text
