"""A plan for people."""

from holdfast.model.fault import Target
from holdfast.plan import explain
from holdfast.plan.plan import Plan, make_plan
from support import suites
from support.kept import agrees


def plan() -> Plan:
    drivers = suites.drivers()
    drivers["hang"].hit = [Target("api-1 (pid 7)", "api", 0.5)]
    return make_plan(suites.suite(), "sha256:" + "ab" * 32, drivers, "/home")


def test_the_text_is_the_one_that_was_agreed():
    assert agrees("plans/checkout.txt", explain.text(plan()) + "\n")


def test_the_chart_is_the_one_that_was_agreed():
    assert agrees("plans/checkout.mmd", explain.mermaid(plan()) + "\n")


def test_a_plan_that_hits_nothing_says_so():
    drivers = suites.drivers()
    drivers["hang"].targets = lambda fault: []
    assert "hits   nothing" in explain.text(make_plan(suites.suite(), "s", drivers, "/"))


def test_what_ends_a_fault_early_is_told_with_the_outage_that_it_takes():
    """S4: a burn rate over a long window may not notice a short fault."""
    burning = ('{prometheus: "errors:ratio"}', "{prometheus: 'e[$window]', window: 10s}")
    rate = ('"> 60% for 4s"', '["> 60%", "> 14.4x over 1h and 5m"]')
    made = make_plan(suites.suite(burning, rate), "sha256:ab", suites.drivers(), "/home")
    told = explain.text(made)
    ends = "    ends   on errors > 60%\n           on errors > 14.4x over 1h and 5m (519s of"
    assert ends in told


def test_a_cascade_is_told_and_drawn():
    """F6."""
    change = ("duration: 6s, delay: 2s", "duration: 6s, delay: 2s, after: first")
    made = make_plan(suites.suite(change), "sha256:ab", suites.drivers(), "/home")
    told = ("for    6 s after 2 s once first is on (waits 40 s at most), held, "
            "gone within 43 s at worst")
    assert told in explain.text(made)
    assert "  first -. once it is on .-> beside" in explain.mermaid(made).splitlines()
