"""A HAProxy that serves TLS, told by its runtime socket and seen by a handshake from outside."""

import os
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from holdfast.clients.connections import Connection
from holdfast.errors import FaultError, TransientFaultError

_LIMIT = 3.0
_SERIAL = re.compile(r"^Serial: ([0-9A-Fa-f]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Door:
    """One TLS end point: `extra` names the certificate's file, the socket, and who signs."""

    target: str
    host: str
    port: int
    socket: str
    certificate: str
    authority: str = ""
    authority_key: str = ""

    @classmethod
    def of(cls, entry: Connection) -> "Door":
        """Read the connection; FaultError if it does not say which certificate, and how to tell."""
        words = {key: str(entry.extra.get(key) or "") for key in (
            "socket", "certificate", "authority", "authority_key",
        )}
        for key in ("socket", "certificate"):
            if not words[key]:
                raise FaultError(f"the connection's extra has no '{key}'", target=entry.id)
        return cls(entry.id, entry.host, entry.port, **words)

    def serial(self, transaction: bool = False) -> int | None:
        """The serial number of the certificate in memory, or of one that is set and not committed.

        None if there is none.
        """
        answer = self._tell(f"show ssl cert {'*' if transaction else ''}{self._name}")
        found = _SERIAL.search(answer)
        return int(found[1], 16) if found else None

    def replace(self, pem: str) -> None:
        """Serve this certificate, with its key, to whoever connects from now on."""
        self._expect("Transaction", f"set ssl cert {self._name} <<\n{pem.strip()}\n")
        self._expect("Success", f"commit ssl cert {self._name}")

    def abort(self) -> None:
        """Forget what was set and not committed."""
        self._tell(f"abort ssl cert {self._name}")

    def served(self) -> bytes:
        """The certificate (DER) that a client gets now; TransientFaultError if it gets none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # to look at any
        try:
            with socket.create_connection((self.host, self.port), timeout=_LIMIT) as line, \
                    context.wrap_socket(line) as door:
                return door.getpeercert(binary_form=True) or b""
        except OSError as error:
            raise TransientFaultError(f"no handshake: {error}", target=self.target) from error

    @property
    def _name(self) -> str:
        return self.certificate.replace("\\", "\\\\").replace(" ", "\\ ")

    def _expect(self, word: str, command: str) -> None:
        answer = self._tell(command)
        if word not in answer:
            said = " ".join(answer.split())
            raise FaultError(f"HAProxy refused the certificate: {said}", target=self.target)

    def _tell(self, command: str) -> str:
        folder, name = os.path.split(self.socket)
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            text = f"there is no folder of its socket: {error.strerror}"
            raise FaultError(text, target=self.target) from error
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(_LIMIT)
                # A socket's whole path may have 108 letters at most; a home may be deep.
                line.connect(str(Path("/proc/self/fd") / str(handle) / name))
                line.sendall(command.encode() + b"\n")
                with line.makefile(encoding="utf-8", errors="replace") as answer:
                    return answer.read()
        except OSError as error:
            text = f"its runtime socket does not answer: {error}"
            raise TransientFaultError(text, target=self.target) from error
        finally:
            os.close(handle)
