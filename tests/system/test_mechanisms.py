"""R2, R5: a shop that was started without its mechanisms, and a suite that says so of each.

With all of them the same suite says WORKING: see `shop-core` in tests/system/airflow.
"""

import json

import pytest
from ruamel.yaml import YAML

from holdfast.settings import Settings
from holdfast.steps.book import findings
from holdfast.wiring import ports
from shop.mechanisms import MECHANISMS
from support.lab import CHECKOUT
from support.shop import whole_shop
from support.trial import trial

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

ROUNDS = {
    "payment-slow": ("dependency.slow", "payment", ["payment-timeout"]),
    "payment-failing": ("dependency.failing", "payment", [
        "payment-retry", "payment-breaker", "payment-later", "selling-goes-on"]),
    "api-hang": ("process.hang", "api", ["load-balancer"]),
    "primary-failover": ("postgres.kill_primary", "database", ["connection-pool"]),
}
"""The last one leaves connections that nobody replaces: nothing comes after it."""
EXPECTED = {name: {"BROKEN"} for _, _, names in ROUNDS.values() for name in names} | {
    "selling-goes-on": {"PARTIAL"},
    # connections that broke are handed out until they are 10 to 20 s old: errors end then, or not
    # within the watch
    "connection-pool": {"PARTIAL", "BROKEN"},
}


def _suite(folder):
    """The mechanisms as shop-core has them, with objectives that let every fault run its time."""
    shipped = YAML(typ="safe").load(CHECKOUT / "experiments" / "shop-core.suite.yaml")
    availability = next(o for o in shipped["objectives"] if o["name"] == "availability")
    suite = {
        "apiVersion": "holdfast/v1", "kind": "Suite",
        "metadata": {"name": "without", "owner": "platform-team"},
        "target": shipped["target"],
        "objectives": [availability | {"objective": ">= 0%"}],
        "blast_radius": {"instances": "100%"}, "baseline": {"window": "2s"},
        "mechanisms": {name: shipped["mechanisms"][name] for name in EXPECTED},
        "rounds": [{"experiments": [{
            "name": name, "hypothesis": "Nothing keeps the shop up.",
            "fault": {"type": fault, "target": target, "duration": "8s"},
            "expect": {"recovery_within": "5s", "mechanisms": expected},
        }]} for name, (fault, target, expected) in ROUNDS.items()],
    }
    file = folder / "without.suite.yaml"
    file.write_text(json.dumps(suite))
    return file


def test_each_mechanism_that_the_shop_lacks_is_named(tmp_path):
    home = tmp_path / "home"
    with whole_shop(home, frozenset(MECHANISMS)):
        run = trial(home, _suite(tmp_path))
    found = findings(ports(Settings(home=home, experiments=tmp_path)), run.id)
    said = {f.name: f for f in found if "mechanism" in f.measured}
    texts = [f.text for f in said.values()]
    assert EXPECTED.keys() == said.keys(), texts
    assert [] == [n for n, f in said.items() if f.measured["state"] not in EXPECTED[n]], texts
    assert ["HELD"] * len(ROUNDS) == [f.verdict.name for f in found if f.name == "fault"]
