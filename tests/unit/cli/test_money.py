"""budget and metrics at the terminal, on real stores (B3, V1)."""

import json
import threading
import urllib.request
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from wsgiref.simple_server import make_server

import pytest
from prometheus_client import make_wsgi_app
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from holdfast import wiring
from holdfast.cli import metrics as metrics_of_cli
from holdfast.cli.main import app
from holdfast.model.lease import Lease, LeaseState, Renewal
from holdfast.model.ledger import Claim
from holdfast.model.run import Entry, EntryKind, Run, RunState
from holdfast.model.verdict import Finding, Verdict
from holdfast.settings import Settings
from holdfast.steps.book import write_finding
from holdfast.steps.gauges import Gauges

run = CliRunner().invoke
SUITE = """\
apiVersion: holdfast/v1
kind: Suite
metadata: {name: checkout, owner: team}
target: {environment: demo, services: {api: {http: shop_http}}}
objectives: [{name: up, indicator: {prometheus: up}, objective: ">= 1"}]
rounds: [{experiments: [{name: a, hypothesis: h, fault: {type: noop, target: api, duration: 5s}}]}]
traffic: {requests: r, hit: h}
budget: {most_requests_per_second: 10}
"""


@pytest.fixture
def ports(tmp_path, monkeypatch):
    home, experiments = tmp_path / "home", tmp_path / "experiments"
    experiments.mkdir()
    (experiments / "checkout.suite.yaml").write_text(SUITE)
    monkeypatch.setenv("HOLDFAST_HOME", str(home))
    monkeypatch.setenv("HOLDFAST_EXPERIMENTS", str(experiments))
    return wiring.ports(Settings(home=home, experiments=experiments))


def today(ports):
    return ports.clock.now().date().isoformat()


def spent(ports, day):
    ports.ledger.reserve(Claim("checkout--1", day, "EUR", Decimal(500), {"a": Decimal("12.5")}))
    ports.ledger.settle("checkout--1", {"a": Decimal("2.25")})


def ended(ports, number, verdict, score=None):
    """A run of the suite with this verdict for its one experiment."""
    name = f"checkout--{number}"
    began = Run(name, "checkout", "demo", "sre", "d", "2026-01-01T00:00:00", 0.0)
    ports.books.open_run(began)
    from holdfast.spec.load import load_suite

    suite = load_suite(ports.settings.experiments / "checkout.suite.yaml").suite
    ports.books.write(Entry(name, EntryKind.SUITE, "checkout", {
        "suite": suite.model_dump(mode="json", by_alias=True), "only": []}))
    write_finding(ports, name, Finding("fault", verdict, "t", "a"))
    if score is not None:
        ports.books.write(Entry(name, EntryKind.SCORE, "resilience", {"score": score}))
        ports.books.write(Entry(name, EntryKind.HEALTH, "health", {"score": 0.97}))
    ports.books.close_run(replace(began, state=RunState.ENDED, verdict=verdict))


def told(ports):
    """Every sample by name and labels, as Prometheus reads it."""
    text = run(app, ["metrics"]).output
    families = text_string_to_metric_families(text)
    return {(s.name, *sorted(s.labels.values())): s.value for f in families for s in f.samples}


def test_a_day_is_told_with_limits_and_what_is_left(ports):
    spent(ports, "2026-01-31")
    done = run(app, ["budget", "--day", "2026-01-31"])
    sums = "reserved 12.5, spent 2.25, released 10.25, still set aside 0"
    assert (0, (
        "2026-01-31 (UTC)\n"
        f"  EUR: {sums}\n"
        "  checkout: at most 100 EUR an experiment and 500 EUR a day, 497.75 EUR left\n"
        f"  run checkout--1: {sums} EUR\n"
    )) == (done.exit_code, done.output)


def test_today_is_each_budgets_own_date(ports):
    """B2: two suites, two zones, and a moment at which their dates differ."""
    file = ports.settings.experiments / "checkout.suite.yaml"
    far = SUITE.replace("name: checkout", "name: far")
    for name, zone in (("checkout", "Pacific/Kiritimati"), ("far", "Etc/GMT+12")):
        text = far if name == "far" else SUITE
        file.with_name(f"{name}.suite.yaml").write_text(
            text.replace("{most", f"{{time_zone: {zone}, most"))
    now = ports.clock.now()
    dates = [(now + timedelta(hours=h)).date().isoformat() for h in (-12, 14)]
    spent(ports, dates[1])
    done = json.loads(run(app, ["budget", "--json"]).output)
    assert (" and ".join(dates), "Etc/GMT+12, Pacific/Kiritimati") == (
        done["day"], done["time_zone"])
    assert {"checkout": "497.75", "far": "500"} == {s["suite"]: s["left"] for s in done["suites"]}


def test_programs_get_amounts_as_text(ports):
    spent(ports, today(ports))
    done = json.loads(run(app, ["budget", "--json"]).output)
    assert today(ports) == done["day"]
    assert [{"suite": "checkout", "currency": "EUR", "per_experiment": "100", "per_day": "500",
             "left": "497.75"}] == done["suites"]
    own = {"reserved": "12.5", "spent": "2.25", "released": "10.25", "open": "0"}
    assert [{"run": "checkout--1", "currency": "EUR"} | own] == done["runs"]
    assert {"EUR": own} == done["currencies"]


def test_without_any_budget_it_says_so(ports):
    (ports.settings.experiments / "checkout.suite.yaml").unlink()
    assert "no suite here has a budget" in run(app, ["budget"]).output


def test_a_broken_suite_is_named_and_hides_no_other(ports):
    (ports.settings.experiments / "worse.suite.yaml").write_text("kind: [")
    done = run(app, ["budget"])
    assert "worse.suite.yaml is broken" in done.stderr
    assert "checkout: at most" in done.stdout


def test_what_is_no_date_is_refused(ports):
    done = run(app, ["budget", "--day", "31.1."])
    assert (2, True) == (done.exit_code, "'31.1.' is no date (such as 2026-01-31)" in done.stderr)


def test_the_money_of_today_is_told(ports):
    spent(ports, today(ports))
    found = told(ports)
    assert (0.0, 2.25, 10.25) == tuple(
        found[f"holdfast_budget_{name}", "EUR"] for name in ("open", "spent", "released"))
    assert (500.0, 497.75) == tuple(
        found[f"holdfast_budget_{name}", "EUR", "checkout"] for name in ("limit", "left"))


def test_experiments_are_counted_by_verdict_and_the_latest_score_is_told(ports):
    ended(ports, 1, Verdict.BROKEN, score=0.4)
    ended(ports, 2, Verdict.HELD, score=0.93)
    ended(ports, 3, Verdict.HELD)
    found = told(ports)
    assert (1.0, 2.0) == tuple(
        found["holdfast_experiments_total", v, "checkout"] for v in ("BROKEN", "HELD"))
    assert 2.0 == found["holdfast_runs_total", "HELD", "checkout"]
    assert (0.93, 0.97) == tuple(
        found[name, "checkout", "demo"] for name in ("holdfast_score", "holdfast_health"))


def test_runs_that_go_on_are_not_counted_yet(ports):
    ports.books.open_run(Run("c--1", "c", "demo", "sre", "d", "2026-01-01T00:00:00", 0.0))
    assert not [key for key in told(ports) if key[0] == "holdfast_runs_total"]


def test_leases_guards_and_margins_are_told(ports):
    ports.leases.open(Lease("1", "s--r", 0, "hang", "demo", "noop", "api", "h", "b", 0, 5.0, 5.0,
                            0.0, "2026-01-01T00:00:00+00:00"))
    ports.leases.renew([Renewal("1")])
    for state in (LeaseState.ARMED, LeaseState.INJECTING):
        ports.leases.move("1", state, widest_gap=0.7)
    found = told(ports)
    assert (1.0, 1.0, 4.3, 0.0) == (
        found["holdfast_leases_open", "demo", "injecting"], found["holdfast_guards", "demo"],
        found["holdfast_lease_margin_seconds", "demo", "hang"],
        found["holdfast_environment_held", "demo"])


def test_a_store_that_does_not_answer_is_told_and_hides_no_other(ports):
    ports.leases.close()
    ports.settings.live.unlink(missing_ok=True)
    ports.settings.live.write_bytes(b"garbage " * 1000)
    found = told(ports)
    assert (0.0, 1.0) == tuple(found["holdfast_store_readable", s] for s in ("live", "books"))
    assert ("holdfast_budget_left", "EUR", "checkout") in found


def test_what_has_ended_is_read_once(ports, monkeypatch):
    ended(ports, 1, Verdict.HELD)
    gauges = Gauges(ports)
    first = gauges.families()
    monkeypatch.setattr("holdfast.steps.gauges.judged", None)
    assert first == gauges.families()


def test_they_are_served_on_loopback(ports):
    registry = metrics_of_cli.registry_of(Gauges(ports))
    with make_server(metrics_of_cli.HOST, 0, make_wsgi_app(registry),
                     handler_class=metrics_of_cli._Quiet) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as answer:
            text = answer.read().decode()
        thread.join()
    assert 'holdfast_store_readable{store="books"} 1.0' in text
