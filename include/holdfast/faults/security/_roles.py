"""Take a login away from a role, marked in the role's comment, which a standby has as well."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, LiteralString, cast

from holdfast.clients.postgres import OWN_NAME, Cluster, Node, cluster
from holdfast.errors import FaultError
from holdfast.faults._selector import address
from holdfast.model.fault import Fault, Recipe

if TYPE_CHECKING:
    from holdfast.clients.postgres import Session

_LOCK = 7290351840
"""Key of the advisory lock: two leases may change one role's comment at the same time."""
_COMMENT = "SELECT shobj_description(%s::regrole, 'pg_authid')"
_FOUND: LiteralString = """
SELECT rolcanlogin, rolsuper, coalesce(rolvaliduntil < now(), false), rolvaliduntil::text,
       rolname = current_user, (SELECT count(*) FROM pg_stat_activity WHERE usename = rolname)
FROM pg_roles WHERE rolname = %s
"""


@dataclass(frozen=True, slots=True)
class Role:
    """A role as it was at arm; `until` is when its password ends, None if never."""

    name: str
    can_login: bool
    is_expired: bool
    until: str | None
    sessions: int


@dataclass(frozen=True, slots=True)
class Undo:
    """The recipe's plain data, read back."""

    home: str
    connection: str
    role: str
    mark: str
    until: str | None = None

    @classmethod
    def of(cls, recipe: Recipe) -> tuple["Undo", Cluster]:
        """Read it back; the role is the cluster's, so whoever takes writes now is asked."""
        undo = cls(**cast("dict[str, Any]", recipe.undo))
        return undo, cluster(undo.home, undo.connection)


def find(fault: Fault) -> tuple[Cluster, Node, Role]:
    """The role to hit, by the parameter or the connection's `extra.role`; never our own."""
    nodes = cluster(fault.home, address(fault, "postgres"))
    node = nodes.primary()
    name = str(fault.params.get("role") or nodes.role)
    if not name:
        text = "whose login? neither 'role' nor the connection's extra.role says so"
        raise FaultError(text, target=nodes.target)
    rows = nodes.ask(node, _FOUND, name)
    if not rows:
        raise FaultError(f"there is no role '{name}'", target=nodes.named(node))
    can_login, is_super, is_expired, until, is_ours, sessions = rows[0]
    if is_ours or is_super:
        text = f"role '{name}' is {'Holdfast itself' if is_ours else 'a superuser'}"
        raise FaultError(f"{text}: the revert could not get in", target=nodes.named(node))
    return nodes, node, Role(name, can_login, is_expired, until, sessions)


def arm(fault: Fault, lease_id: str, kind: str, role: Role, until: str | None = None) -> Recipe:
    """The recipe; `kind` tells marks of different faults on one role apart."""
    mark = f"{OWN_NAME}-{kind}-{lease_id}"
    undo = Undo(fault.home, address(fault, "postgres"), role.name, mark, until)
    return Recipe(lease_id, fault.type, asdict(undo))


def take(recipe: Recipe, change: LiteralString) -> None:
    """Mark the role, change it, and end its sessions: a change is for new ones only."""
    undo, nodes = Undo.of(recipe)
    with nodes.session(nodes.primary()) as link:
        with link.transaction():
            lines = _lines(link, undo.role)
            if undo.mark not in lines:
                _write(link, undo.role, [*lines, undo.mark])
                _alter(link, undo.role, change)
        link.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s",
                     [undo.role])


def give_back(recipe: Recipe, kind: str, change: LiteralString, *values: object) -> None:
    """Take the mark away; change the role back when no other mark of this kind is left."""
    undo, nodes = Undo.of(recipe)
    with nodes.session(nodes.primary()) as link, link.transaction():
        lines = _lines(link, undo.role)
        if undo.mark not in lines:
            return
        lines.remove(undo.mark)
        _write(link, undo.role, lines)
        if not any(line.startswith(f"{OWN_NAME}-{kind}-") for line in lines):
            _alter(link, undo.role, change, *values)


def marked(recipe: Recipe) -> Sequence[str]:
    """Whether the role bears the mark, seen through another database than the revert used."""
    undo, nodes = Undo.of(recipe)
    node = nodes.primary()
    with nodes.session(node, nodes.other_database) as link:
        row = link.execute(
            "SELECT description FROM pg_shdescription JOIN pg_roles r ON r.oid = objoid"
            " WHERE rolname = %s AND classoid = 'pg_authid'::regclass", [undo.role],
        ).fetchone()
    left = row is not None and undo.mark in str(row[0]).splitlines()
    return [f"role '{undo.role}' of {nodes.named(node)} bears {undo.mark}"] if left else []


def _lines(link: "Session", role: str) -> list[str]:
    link.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    row = link.execute(_COMMENT, [_quoted(role)]).fetchone()
    return str(row[0]).splitlines() if row and row[0] else []


def _write(link: "Session", role: str, lines: Sequence[str]) -> None:
    _alter(link, role, "COMMENT ON ROLE {} IS {}", "\n".join(lines) or None)


def _alter(link: "Session", role: str, change: LiteralString, *values: object) -> None:
    from psycopg import sql

    literals = map(sql.Literal, values)
    link.execute(sql.SQL(change).format(sql.Identifier(role), *literals))


def _quoted(role: str) -> str:
    return '"' + role.replace('"', '""') + '"'
