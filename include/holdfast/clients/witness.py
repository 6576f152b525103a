"""Ask a witness to sign the head of a log (C2SP tlog-witness)."""

import httpx

SECONDS = 5.0
_MOST_BYTES = 64 * 2**10


def ask_witness(url: str, body: bytes) -> tuple[int, str]:
    """Give the HTTP status and the answer; status 0 and why if it is silent."""
    try:
        answer = httpx.post(f"{url.rstrip('/')}/add-checkpoint", content=body, timeout=SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return 0, f"{type(error).__name__}: {error}"
    return answer.status_code, answer.text[:_MOST_BYTES]
