"""What one finding means for a reader: a strength, a weakness, something to do, or to try next."""

from collections.abc import Mapping

from holdfast.model.mechanism import MechanismState
from holdfast.model.summary import Action, Level, Next, Urgency
from holdfast.model.verdict import Finding, Verdict

THIN = 0.8
"""A recovery that took this share of the time it may take is one bad day away from too slow."""
_UNDECIDED = "Find out what kept this from being decided, and run it again"
_BLAME: Mapping[str, str] = {
    "fault": "Make {what} hold its objectives while the fault is on",
    "recovery": "See why {what} does not recover, before it happens by itself",
    "recovery_point": "Close the gap through which {what} loses acknowledged writes",
    "rollout": "Make {what} hold, then let its rollout go on",
    "blast_radius": "Narrow the fault of {what}, or raise its blast radius knowingly",
}


def is_mechanism(finding: Finding) -> bool:
    """Whether it is the verdict on a mechanism."""
    return "mechanism" in finding.measured


def strength(finding: Finding) -> str:
    """Say what is good about it; nothing for what says too little.

    Of a fault that the guard ended, how soon its end began is what is good.
    """
    if finding.verdict is not Verdict.HELD:
        return _ended(finding)
    tells = finding.name == "recovery" or is_mechanism(finding) or not finding.experiment
    return "" if not tells or _is_thin(finding) else finding.text


def weakness(finding: Finding) -> str:
    """Say what is bad or open about it; nothing for what held well."""
    if _is_thin(finding):
        share = round(_used(finding) * 100)
        return f"{place(finding)}: {finding.text}; that is {share} % of what is allowed"
    if finding.verdict is Verdict.HELD:
        return ""
    return f"{place(finding)}: {finding.text}"


def action(finding: Finding) -> Action | None:
    """Say what to do about it: at once what harms users or data, within a month the rest."""
    because = weakness(finding)
    if not because:
        return None
    if is_mechanism(finding):
        return _mend(finding, because)
    if finding.verdict is Verdict.UNKNOWN:
        return Action(Urgency.MONTH, _UNDECIDED, because)
    if _is_thin(finding):
        return Action(Urgency.MONTH, f"Give {_what(finding)} more room to recover", because)
    return _broken(finding, because)


def to_try(finding: Finding) -> Next | None:
    """Give the experiment that would decide what this run could not."""
    if finding.verdict is not Verdict.UNKNOWN:
        return None
    if is_mechanism(finding):
        name = f"a fault that makes the mechanism {finding.name} act"
        return Next(name, finding.text)
    return Next(f"{finding.experiment} again", finding.text) if finding.experiment else None


def place(finding: Finding) -> str:
    """Name where it was seen."""
    if is_mechanism(finding) and finding.name not in finding.text:  # most name themselves
        where = f" in {finding.experiment}" if finding.experiment else ""
        return f"mechanism {finding.name} {finding.measured.get('state', '')}".rstrip() + where
    known = ("fault", "recovery", "recovery_point")
    if not finding.experiment:
        return finding.name
    is_told = finding.name in known or is_mechanism(finding)
    return finding.experiment + ("" if is_told else f" ({finding.name})")


def _ended(finding: Finding) -> str:
    """Say how soon an abort began: the guard's part and the keeper's."""
    parts = [finding.measured.get(name) for name in ("guard_ms", "keeper_ms")]
    known = [ms for ms in parts if isinstance(ms, int | float)]
    if finding.verdict is not Verdict.BROKEN or finding.name != "fault" or len(known) < len(parts):
        return ""
    return f"the revert began {sum(known):.0f} ms after the guard had seen the breach"


def _mend(finding: Finding, because: str) -> Action:
    if finding.verdict is Verdict.UNKNOWN:
        return Action(Urgency.MONTH, f"See the mechanism {finding.name} at work", because)
    high = finding.measured.get("risk") == Level.HIGH
    partial = finding.measured.get("state") == MechanismState.PARTIAL
    verb = "Complete" if partial else "Repair"
    urgency = Urgency.NOW if high else Urgency.MONTH
    return Action(urgency, f"{verb} the mechanism {finding.name}", because)


def _broken(finding: Finding, because: str) -> Action:
    if finding.name == "recovery" and _used(finding) > 1:
        return Action(Urgency.MONTH, f"Shorten the recovery from {_what(finding)}", because)
    if not finding.experiment:
        return Action(Urgency.NOW, f"Find and repair what {finding.name} shows", because)
    text = _BLAME.get(finding.name, f"See why {finding.name} fails after {{what}}")
    return Action(Urgency.NOW, text.format(what=_what(finding)), because)


def _what(finding: Finding) -> str:
    return finding.experiment or "the target"


def _is_thin(finding: Finding) -> bool:
    held = finding.verdict is Verdict.HELD and finding.name == "recovery"
    return held and _used(finding) >= THIN


def _used(finding: Finding) -> float:
    """Give the share of the allowed recovery time that was used; 0 when either is not known."""
    took, bound = finding.measured.get("recovery_ms"), finding.measured.get("bound_ms")
    return took / bound if isinstance(took, int) and isinstance(bound, int) and bound else 0.0


