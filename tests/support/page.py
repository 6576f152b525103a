"""A page of docs/ whose commands are typed in a folder of their own, as a reader would."""

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from holdfast.clients import processes
from holdfast.clients.connections import write_connection
from holdfast.model.fault import Fault
from shop.binaries import postgres_program
from shop.postgres import rights
from support.waiting import wait_for

CHECKOUT = Path(__file__).resolve().parents[2]
_PATIENCE = 240.0  # a dozen commands that take a second each, on a machine that may be busy
_PORTS = "1234567"  # the last digits of those that the page uses


class Page:
    """Its commands by section."""

    def __init__(self, name: str) -> None:
        self.text = (CHECKOUT / "docs" / name).read_text()

    def commands(self, number: int) -> str:
        """What the code blocks of one section say."""
        section = re.split(r"^## ", self.text, flags=re.MULTILINE)[number]
        assert section.startswith(f"{number}. "), section[:40]
        return "".join(re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE))


class Reader:
    """Somebody in a fresh checkout; the page's ports are others here, so that nobody collides."""

    def __init__(self, root: Path, page: Page) -> None:
        self.root, self._page = root, page
        self._digits = _free_decade()
        (root / "experiments").mkdir()
        (root / ".venv").symlink_to(sys.prefix)
        self._tools = root / "tools"
        self._tools.mkdir()
        if os.geteuid() == 0:  # the page tells root to be somebody else
            for name in ("initdb", "pg_ctl"):
                tool = self._tools / name
                tool.write_text(f'#!/bin/sh\nexec {" ".join(rights.command(name))} "$@"\n')
                tool.chmod(0o755)

    def types(self, *sections: int, codes: Sequence[int] = (0,)) -> str:
        """Run the commands of these sections, stopping at the first that fails; what they said.

        :param codes: with what they may end
        """
        script = "set -e\n" + "".join(map(self._page.commands, sections))
        bash = subprocess.run(
            ["bash"], input=re.sub(r"\b810(?=[1-7$])", self._digits, script), text=True,
            cwd=self.root, env=self._environment(), capture_output=True, check=False,
            timeout=_PATIENCE,
        )
        assert bash.returncode in codes, bash.stdout + bash.stderr
        return bash.stdout

    @property
    def home(self) -> Path:
        """The state folder."""
        return self.root / ".holdfast"

    def fault(self, name: str, connection_id: str) -> Fault:
        """A fault of the page's database."""
        address, seconds = {"postgres": connection_id}, timedelta(seconds=5)
        return Fault(name, "database", address, str(self.home), seconds)

    def connects(self, connection_id: str, login: str) -> None:
        """Write down the page's database under another login of the page's."""
        write_connection(self.home / "connections.json", connection_id, {
            "conn_type": "postgres", "host": "127.0.0.1", "port": self.port(8107),
            "login": login, "password": self._secret(login), "schema": "example",
        })

    def address(self, login: str) -> str:
        """The page's database for libpq."""
        return (f"host=127.0.0.1 port={self.port(8107)} dbname=example user={login}"
                f" password={self._secret(login)}")

    def _secret(self, login: str) -> str:
        return (self.home / "example" / f"{login}.secret").read_text().strip()

    def port(self, of_page: int) -> int:
        """Which port it is here."""
        return int(f"{self._digits}{of_page % 10}")

    def leave(self) -> None:
        """End whatever was started here and still works here."""
        for folder in (self.root, self.home / "example" / "data"):
            for process in processes.working_in(str(folder)):
                processes.send(process, signal.SIGKILL)
            wait_for(lambda there=folder: not processes.working_in(str(there)))

    def _environment(self) -> dict[str, str]:
        postgres = Path(postgres_program("psql")).parent  # the page adds it in its second section
        places = (self._tools, Path(sys.prefix) / "bin", os.defpath, "/usr/sbin", postgres)
        return {"PATH": os.pathsep.join(map(str, places)), "HOME": str(self.root), "USER": "reader",
                "LANG": "C.UTF-8", "COLUMNS": "200"}


def _free_decade() -> str:
    """All but the last digit of ports that nobody listens on now."""
    for _ in range(200):
        digits = str(1100 + secrets.randbelow(2100))
        with ExitStack() as held:
            try:
                for last in _PORTS:
                    server = socket.create_server(("127.0.0.1", int(digits + last)))
                    held.enter_context(server)
            except OSError:
                continue
            return digits
    raise OSError("found no free ports")
