"""Let a role's password expire: the server refuses it as if it were wrong."""

from collections.abc import Mapping, Sequence

from holdfast.errors import FaultError
from holdfast.faults.security import _roles
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_KIND = "password"
_PASSWORDS = """
SELECT count(*) FROM pg_hba_file_rules
WHERE auth_method IN ('scram-sha-256', 'md5', 'password') AND error IS NULL
"""


class FailAuthenticationDriver:
    """Set VALID UNTIL of the role to a past day, and end its sessions.

    A role whose password never ended gets `infinity` back, which means the same.
    """

    effect = Effect.HELD
    address = "postgres"
    params: Mapping[str, Setting] = {
        "role": Setting("text", None, "whose password; by default the connection's extra.role"),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The role, with the sessions it has now; refuse a server that asks for no password."""
        nodes, node, role = _roles.find(fault)
        if not nodes.one(node, _PASSWORDS):
            raise FaultError("no rule of it asks for a password", target=nodes.named(node))
        name = f"password of role {role.name} of {nodes.target} ({role.sessions} sessions)"
        return [Target(name, fault.service, 1.0)]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Remember until when it is valid; refuse one that has ended already."""
        nodes, _, role = _roles.find(fault)
        if role.is_expired or not role.can_login:
            raise FaultError(f"role '{role.name}' cannot log in already", target=nodes.target)
        return _roles.arm(fault, lease_id, _KIND, role, role.until or "infinity")

    def inject(self, recipe: Recipe) -> None:
        """Let it expire, then end the sessions."""
        _roles.take(recipe, "ALTER ROLE {} VALID UNTIL '2000-01-01 00:00:00+00'")

    def revert(self, recipe: Recipe) -> None:
        """Make it valid again if the role still bears the mark, and no other fault's."""
        undo, _ = _roles.Undo.of(recipe)
        _roles.give_back(recipe, _KIND, "ALTER ROLE {} VALID UNTIL {}", undo.until)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """The mark in the role's comment, seen through another database."""
        return _roles.marked(recipe)


DRIVER: FaultDriver = FailAuthenticationDriver()
