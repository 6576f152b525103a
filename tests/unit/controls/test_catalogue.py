"""The catalogue of controls is whole, and says nothing that it may not (E2)."""

from collections import Counter
from hashlib import sha256
from importlib.resources import files

from holdfast.controls.frameworks.catalogue import CONTROLS
from holdfast.model.control import Strength
from holdfast.steps.catalogues import digests


def test_every_control_is_named_once_and_whole():
    assert 176 == len({control.name for control in CONTROLS}) == len(CONTROLS)
    for control in CONTROLS:
        texts = (control.title, control.meaning, control.fault_or_test, control.must_show,
                 control.review)
        assert all(texts), control
        assert control.max_age_days in (1, 7, 30, 90, 180, 365, 730, 1095)


def test_all_frameworks_are_there():
    counts = Counter(control.framework for control in CONTROLS)
    assert (14, 59, 23, 11) == (
        len(counts), counts["nist-800-53r5"], counts["dora"], counts["hipaa-security"])
    assert {Strength.DIRECT: 104, Strength.SUPPORTING: 27, Strength.PLATFORM: 25,
            Strength.PARTIAL: 18, Strength.NONE: 2} == Counter(c.strength for c in CONTROLS)


def test_its_digest_is_of_the_file_that_is_in_force():
    file = files("holdfast.controls.frameworks") / "catalogue.tsv"
    assert {"catalogue": "sha256:" + sha256(file.read_bytes()).hexdigest()} == digests()
