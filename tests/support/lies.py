"""Runs that are signed by everybody, and say what a forger likes."""

from support.bundles import World

ART = "dora:art-24.4"


def result(made: World, run: str, verdict: str = "HELD", **told: object) -> None:
    """A result without files, which says what a forger likes."""
    made.say("result", run, **{
        "verdict": verdict, "is_postponed": False, "reason": "", "controls": [ART],
        "sealed_at": made.clock.now().isoformat(), "findings": [], "artefacts": [],
        "experiments": [{"name": "x", "verdict": verdict, "service": "api"}]} | told)


def ran(made: World, run: str, verdict: str = "HELD", **told: object) -> World:
    """Plan, start and such a result."""
    made.say("plan", run)
    made.say("run-start", run)
    result(made, run, verdict, **told)
    return made
