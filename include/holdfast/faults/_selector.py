"""What a driver reads from a fault."""

from holdfast.errors import FaultError
from holdfast.model.fault import Fault


def address(fault: Fault, kind: str) -> str:
    """The service's address of this kind; FaultError if it has none."""
    found = fault.selector.get(kind)
    if not found:
        has = ", ".join(sorted(fault.selector)) or "nothing"
        text = f"{fault.type} needs a '{kind}' selector, this service has: {has}"
        raise FaultError(text, target=fault.service)
    return found


def number(fault: Fault, name: str, default: float) -> float:
    """A numeric parameter."""
    value = fault.params.get(name)
    return default if value is None else float(value)
