"""Serve an expired certificate: clients that verify refuse to talk."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from holdfast.clients.connections import connection
from holdfast.clients.haproxy import Door
from holdfast.errors import FaultError
from holdfast.faults._selector import address
from holdfast.faults.security import _certificate
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver


@dataclass(frozen=True, slots=True)
class _Undo:
    """The recipe's plain data, read back; `serial` is hexadecimal."""

    home: str
    connection: str
    serial: str

    @classmethod
    def of(cls, recipe: Recipe) -> tuple[Door, int]:
        undo = cls(**cast("dict[str, Any]", recipe.undo))
        return _door(undo.home, undo.connection), int(undo.serial, 16)


class ExpireCertificateDriver:
    """Replace a HAProxy's certificate in its memory; no file is touched, a restart heals it.

    Sessions that are open go on: who connects anew gets the expired one.
    """

    effect = Effect.HELD
    address = "tls"
    params: Mapping[str, Setting] = {}

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The certificate, which HAProxy must know by its file; it must not have expired."""
        door = _door(fault.home, address(fault, "tls"))
        _look(door)
        return [Target(f"{door.target} {Path(door.certificate).name}", fault.service, 1.0)]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Make one on trial, so that what is missing is said before the fault."""
        link = address(fault, "tls")
        door = _door(fault.home, link)
        _look(door)
        serial = _certificate.serial_of(lease_id)
        _certificate.expired(door, serial)
        return Recipe(lease_id, fault.type, asdict(_Undo(fault.home, link, f"{serial:x}")))

    def inject(self, recipe: Recipe) -> None:
        """Make it and put it in place of the one in memory."""
        door, serial = _Undo.of(recipe)
        if door.serial() != serial:
            door.replace(_certificate.expired(door, serial))

    def revert(self, recipe: Recipe) -> None:
        """Put the one of the file back if ours is served, or was about to be."""
        door, serial = _Undo.of(recipe)
        if door.serial(transaction=True) == serial:
            door.abort()
        if door.serial() == serial:
            door.replace(_certificate.original(door))

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """What a client gets at a handshake: our serial number, or one that is over."""
        door, serial = _Undo.of(recipe)
        seen = _certificate.seen(door)
        if seen.serial_number == serial:
            return [f"{door.target} serves the certificate {serial:x}"]
        if _is_over(seen.not_valid_after_utc) and not _certificate.is_marked(seen.serial_number):
            return [f"{door.target} serves a certificate that ended {seen.not_valid_after_utc}"]
        return []


def _door(home: str, link: str) -> Door:
    return Door.of(connection(Path(home) / "connections.json", link))


def _look(door: Door) -> None:
    if door.serial() is None:
        text = f"HAProxy knows no certificate {door.certificate}"
        raise FaultError(text, target=door.target)
    seen = _certificate.seen(door)
    if _is_over(seen.not_valid_after_utc):
        text = f"its certificate has ended already: {seen.not_valid_after_utc}"
        raise FaultError(text, target=door.target)


def _is_over(moment: datetime) -> bool:
    return moment < datetime.now(UTC)  # noqa: TID251 - validity is the time of day by nature


DRIVER: FaultDriver = ExpireCertificateDriver()
