"""The audit log of accounts: one line for each reading, written before the answer."""

import errno
import json
import os
import time
from pathlib import Path


class Audit:
    """Lines of JSON, appended; each is one write, so that several processes may share the file."""

    def __init__(self, file: Path, api: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._api = api
        self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, reader: str, account: int) -> None:
        """Note a reading; OSError when it cannot be noted, and then it must not be answered.

        `at` is the time of day in seconds since 1970: an auditor compares it with other logs.
        """
        now = time.time()  # noqa: TID251 - see above
        line = {"at": round(now, 6), "reader": reader, "account": account, "api": self._api}
        text = (json.dumps(line, separators=(",", ":")) + "\n").encode()
        if os.write(self._descriptor, text) < len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
