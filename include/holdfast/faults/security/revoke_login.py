"""Revoke a role's right to log in, and end its sessions."""

from collections.abc import Mapping, Sequence

from holdfast.errors import FaultError
from holdfast.faults.security import _roles
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_KIND = "login"


class RevokeLoginDriver:
    """Make the role NOLOGIN, as a leaked credential would be stopped. Roles survive a fail-over."""

    effect = Effect.HELD
    address = "postgres"
    params: Mapping[str, Setting] = {
        "role": Setting("text", None, "whose login; by default the connection's extra.role"),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The role, with the sessions it has now."""
        nodes, _, role = _roles.find(fault)
        name = f"role {role.name} of {nodes.target} ({role.sessions} sessions)"
        return [Target(name, fault.service, 1.0)]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Refuse a role that cannot log in as it is."""
        nodes, _, role = _roles.find(fault)
        if not role.can_login:
            raise FaultError(f"role '{role.name}' cannot log in already", target=nodes.target)
        return _roles.arm(fault, lease_id, _KIND, role)

    def inject(self, recipe: Recipe) -> None:
        """Revoke, then end the sessions."""
        _roles.take(recipe, "ALTER ROLE {} NOLOGIN")

    def revert(self, recipe: Recipe) -> None:
        """Allow it again if the role still bears the mark, and no other fault's."""
        _roles.give_back(recipe, _KIND, "ALTER ROLE {} LOGIN")

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """The mark in the role's comment, seen through another database."""
        return _roles.marked(recipe)


DRIVER: FaultDriver = RevokeLoginDriver()
