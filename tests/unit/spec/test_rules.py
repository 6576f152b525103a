"""Rules of suites: what the broken suites do not show."""

import pytest

from holdfast.spec.load import load_text
from holdfast.spec.problems import SpecErrors, nearest
from holdfast.spec.rules import installed
from support import suites


def complaints(*changes: tuple[str, str], **known: object) -> list[str]:
    try:
        load_text(suites.text(*changes), "f", suites.known(**known))
    except SpecErrors as error:
        return [f"{e.message} ({e.hint})" if e.hint else e.message for e in error.errors]
    return []


def test_the_suite_of_the_tests_is_valid():
    assert [] == complaints()


@pytest.mark.parametrize("value", ["200ms", "2s", "1m"])
def test_a_duration_among_params_is_written_as_elsewhere(value):
    assert [] == complaints(("latency: 100ms", f"latency: {value}"))


@pytest.mark.parametrize(("given", "told"), [
    ("latency: 5", "'latency' is '5' "
     "(a duration is a number and ms, s, m or h, such as 500ms or 8s)"),
    ("latency: 1ms", "'latency' is '1ms' (at least 0.01s)"),
    ("share: 150%", "'share' is '150%' (a ratio is between 0 and 1, or 0% and 100%)"),
    ("share: much", "'share' is 'much' (a number is expected)"),
    ("share: \u0668%", "'share' is '\u0668%' (a number is expected)"),
    ("latency: 99999999999999h", "'latency' is '99999999999999h' (a duration is not that long)"),
    ("count: 1.5", "'count' is '1.5' (a whole number is expected)"),
    ("count: true", "'count' is true (a whole number is expected)"),
    ("count: 0", "'count' is '0' (at least 1)"),
    ("loud: very", "'loud' is 'very' (true or false is expected)"),
    ("note: [a]", "'note' is '['a']' (a text is expected)"),
    ("nose: x", "unknown parameter 'nose' (did you mean 'note'?)"),
])
def test_params_are_typed_and_bounded_by_the_driver(given, told):
    assert [told] == complaints(("latency: 100ms", given))


def test_a_driver_without_params_takes_none():
    told = complaints(("target: api, duration: 7s", "target: api, duration: 7s, params: {x: 1}"))
    assert ["unknown parameter 'x' (it takes none)"] == told


def test_a_driver_that_names_no_address_takes_any():
    drivers = suites.drivers()
    drivers["latency"].address = ""
    assert [] == complaints(("target: link,", "target: api,"), drivers=drivers)


@pytest.mark.parametrize("pattern", [
    "airflow/run/triggerer.pid", "shop/run/prometheus.pid", "shop/run/p*.pid", "keys/x", "*/*/*",
])
def test_who_watches_a_fault_is_never_its_target(pattern):
    told = complaints(("shop/run/api-1.pid", pattern))
    assert "service 'api' carries Holdfast itself" in told[0]


def test_the_prometheus_of_the_guard_is_never_behind_the_proxy():
    assert complaints(("proxy: shop_proxy", "proxy: prometheus_default"))


def test_the_same_fault_may_hit_a_target_in_two_rounds():
    assert [] == complaints(("type: kill, target: api", "type: hang, target: api"))


@pytest.mark.parametrize(("stop", "told"), [
    ("> 0.6", []),
    ("> 60", ["'> 60' is no ratio, as the objective '< 1%' is "
              "(a ratio is between 0 and 1, or 0% and 100%)"]),
    ("> -0.6", ["'> -0.6' is no ratio, as the objective '< 1%' is "
                "(a ratio is between 0 and 1, or 0% and 100%)"]),
    (">= 60%", []),
    ("> 500ms", ["'> 500ms' and the objective '< 1%' differ in unit"]),
    ("<= 60%", ["'<= 60%' would stop while errors holds (< 1%) "
                "(a stop condition says when to stop: begin it with >)"]),
    ("> 60% for 20m", ["'> 60% for 1200s' waits 1200s (at most 900s)"]),
])
def test_a_stop_condition_looks_against_its_objective(stop, told):
    assert told == complaints(('"> 60% for 4s"', f'"{stop}"'))


@pytest.mark.parametrize(("guard", "told"), [
    ("{poll: 500ms, lease: 2s}", []),
    ("{poll: 50ms}", ["'poll' is 50ms (at least 100ms)"]),
    ("{poll: 2s, lease: 6s}", ["'poll' is 2s (less than a third of the lease, which is 6s)"]),
    ("{lease: 2m}", ["'lease' is 120s (at most 60s)"]),
    ("{grace: 2m}", ["'grace' is 120s (at most 60s)"]),
])
def test_a_lease_lasts_several_polls(guard, told):
    assert told == complaints(("baseline:", f"guard: {guard}\nbaseline:"))


@pytest.mark.parametrize(("schedule", "told"), [
    ('{cron: "0 2 * * *"}', []),
    ('{cron: "@daily", time_zone: Europe/Berlin}', []),
    ('{cron: "0 2 * * *", time_zone: Moon/Base}',
     ["unknown time zone 'Moon/Base' (such as Europe/Berlin or UTC)"]),
    ('{cron: "0 2 * * *", time_zone: ../etc/passwd}',
     ["unknown time zone '../etc/passwd' (such as Europe/Berlin or UTC)"]),
    ('{cron: "0 2 * * * 30"}', ["'0 2 * * * 30' is not a cron expression "
                                "(minute hour day month weekday, such as '0 2 * * *')"]),
    ('{cron: "tonight"}', ["'tonight' is not a cron expression "
                           "(minute hour day month weekday, such as '0 2 * * *')"]),
])
def test_a_schedule_can_be_kept(schedule, told):
    assert told == complaints(("baseline:", f"schedule: {schedule}\nbaseline:"))


@pytest.mark.parametrize("control", [
    "dora:art-24.4", "nist-800-53r5:cp-4.5", "soc2-tsc-2017:a1.3", "iso-27001-2022:a.5.30",
    "soc2-tsc-2017:A1.3", "hipaa-security:164.312(c)(1)-(2)",
])
def test_controls_of_the_frameworks_are_accepted(control):
    assert [] == complaints(("dora:art-24.4", control))


@pytest.mark.parametrize(("control", "told"), [
    ("dora:art-24.5", []),
    ("dora:art-2404", ["unknown control 'dora:art-2404' (did you mean 'dora:art-24.4'?)"]),
    ("nist-800-53r5:cp-4(2)",
     ["unknown control 'nist-800-53r5:cp-4(2)' (did you mean 'nist-800-53r5:cp-4.2'?)"]),
])
def test_an_unknown_control_gets_the_nearest(control, told):
    beside = ("hypothesis: It also", f"controls: [{control!r}]\n        hypothesis: It also")
    assert (told, told) == (complaints(("dora:art-24.4", control)), complaints(beside))


def test_a_history_is_named_where_there_is_none():
    histories = suites.TEXT[suites.TEXT.index("  histories"):suites.TEXT.index("objectives:")]
    assert ["unknown history 'orders' (target.histories has none)"] == complaints((histories, ""))


@pytest.mark.parametrize(("more", "told"), [(37, []), (38, ["41 experiments (at most 40)"])])
def test_a_suite_has_forty_experiments_at_most(more, told):
    old = suites.TEXT[suites.TEXT.index("  - experiments:"):suites.TEXT.index("consistency:")]
    extra = "".join(
        f"  - experiments: [{{name: more-{n}, hypothesis: x, "
        "fault: {type: hang, target: api, duration: 1s}}]\n" for n in range(more)
    )
    assert told == complaints((old, old + extra))


def test_each_step_of_a_rollout_counts_as_an_experiment():
    steps = ", ".join(f"{{params: {{latency: {n + 1}ms}}}}" for n in range(41))
    first, second = suites.TEXT.index("      - name: first"), suites.TEXT.index("consistency:")
    alone = (f"      - {{name: all, hypothesis: x, rollout: {{steps: [{steps}]}}, "
             "fault: {type: latency, target: link, duration: 1s}}\n")
    assert ["41 experiments (at most 40)"] == complaints((suites.TEXT[first:second], alone))


@pytest.mark.parametrize(("address", "shown"), [
    ("postgresql://u:planted@h/db", "h/db"),
    ("postgresql://h/db?password=planted", "postgresql://h/db"),
    ("host=h password=planted", "host"), ("u:p@planted@h", "h"),
])
def test_an_address_in_a_suite_is_told_without_its_password(address, shown):
    told = f"'{shown}' is no connection (addresses are in connections)"
    assert [told] == complaints(("postgres: shop_db", f'postgres: "{address}"'))


def test_two_objectives_have_two_names():
    told = complaints(("{name: latency, indicator", "{name: errors, indicator"))
    assert "objective 'errors' is there twice (give it a name of its own)" in told


@pytest.mark.parametrize(("word", "hint"), [
    ("Api", "did you mean 'api'?"),
    ("database-lnik", "did you mean 'database-link'?"),
    ("cache", "known: api, database-link"),
])
def test_the_nearest_word_is_named_or_all_of_them(word, hint):
    assert hint == nearest(word, ["database-link", "api"])


def test_every_fault_that_is_installed_can_be_named():
    assert {"noop", "process.hang"} <= set(installed().drivers)
