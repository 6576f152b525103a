"""Whether what a fault would hit now is what was planned. Pure."""

from collections.abc import Mapping, Sequence

from holdfast.model.fault import Target

_SMALL = 10
"""Thousandths of a service that a share may grow by itself, as one of free memory does."""


def drifted(planned: Sequence[Mapping[str, object]], now: Sequence[Target]) -> str:
    """Say what would be hit beyond the plan (its targets as JSON); empty for nothing.

    The same role in the service (its primary) is the same target, whoever has it by now. Fewer
    targets are no drift.
    """
    known = {_of_plan(target) for target in planned}
    others = [t.name for t in now if _of_now(t) not in known]
    if others:
        names = ", ".join(str(target["name"]) for target in planned) or "nothing"
        return f"it would hit {', '.join(others)}, and the plan names {names}"
    most = sum(int(str(target["share_permille"])) for target in planned)
    share = round(sum(target.share for target in now) * 1000)
    if share > most + _SMALL:
        more = f"{share / 10:g} % of {now[0].service}"
        return f"it would hit {more}, and the plan says {most / 10:g} %"
    return ""


def _of_plan(target: Mapping[str, object]) -> tuple[object, object]:
    return target["service"], target.get("role") or _lasting(str(target["name"]))


def _of_now(target: Target) -> tuple[object, object]:
    return target.service, target.role or _lasting(target.name)


def _lasting(name: str) -> str:
    """A name without what is told in brackets behind it: a process id, a number of sessions."""
    return name.partition(" (")[0]
