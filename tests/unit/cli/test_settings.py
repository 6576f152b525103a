"""Which programs suites may have run is the deployment's to say (S4)."""

import pytest

from holdfast.errors import SpecError
from holdfast.settings import Settings, commands


def test_names_stand_for_absolute_paths(tmp_path):
    given = {"HOLDFAST_HOME": str(tmp_path), "HOLDFAST_COMMANDS": "depth=/bin/d, lag = /opt/l ,"}
    assert {"depth": "/bin/d", "lag": "/opt/l"} == Settings.of(given, tmp_path).commands


def test_by_default_none_is_allowed(tmp_path):
    assert {} == Settings.of({"HOLDFAST_HOME": str(tmp_path)}, tmp_path).commands


@pytest.mark.parametrize(("text", "why"), [
    ("depth", "'depth' allows no command"), ("depth=bin/d", "allows no command"),
    ("/bin/d=/bin/d", "allows no command"), ("=/bin/d", "allows no command"),
    ("a=/x,a=/y", "'a' is there twice"),
])
def test_anything_else_is_refused(text, why):
    with pytest.raises(SpecError, match=why):
        commands(text)


def test_a_store_of_several_machines_is_named_by_its_connection(tmp_path):
    given = {"HOLDFAST_HOME": str(tmp_path), "HOLDFAST_STORE": " holdfast_store "}
    assert "holdfast_store" == Settings.of(given, tmp_path).store
    assert "" == Settings.of({"HOLDFAST_HOME": str(tmp_path)}, tmp_path).store


@pytest.mark.parametrize("address", [
    "postgresql://u:planted@127.0.0.1/db", "host=h password=planted", "planted@h", "a\nplanted",
])
def test_an_address_in_place_of_a_connection_goes_no_further(tmp_path, address):
    found = Settings.of({"HOLDFAST_HOME": str(tmp_path), "HOLDFAST_STORE": address}, tmp_path)
    assert "planted" not in repr(found)
    assert found.store, "a store was wanted: files are not what is meant"
