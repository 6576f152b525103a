"""`holdfast doctor` names what reports as PDF need."""

import sys

from typer.testing import CliRunner

from holdfast.cli import doctor
from holdfast.cli.doctor import doctor_app


def ask(tmp_path, monkeypatch, *words):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    return " ".join(CliRunner().invoke(doctor_app, words).stdout.split())


def test_without_the_shop_nothing_that_only_it_needs_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda *_words, **_more: None)
    assert "MISSING haproxy" in ask(tmp_path, monkeypatch)
    told = ask(tmp_path, monkeypatch, "--no-shop")
    assert "ok Python" in told
    assert "haproxy" not in told


def test_the_library_that_draws_pdfs_is_looked_for(tmp_path, monkeypatch):
    assert "ok reports as PDF (WeasyPrint " in ask(tmp_path, monkeypatch)


def test_its_package_is_named_when_it_is_missing(tmp_path, monkeypatch):
    class Wheel:
        def __getattr__(self, name):
            raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setitem(sys.modules, "weasyprint", Wheel())
    told = ask(tmp_path, monkeypatch)
    assert "MISSING libraries for reports as PDF -> apt-get install" in told
    assert "libpango-1.0-0 libpangoft2-1.0-0" in told


def test_a_shared_store_that_cannot_be_had_is_told(tmp_path, monkeypatch):
    assert " store " not in ask(tmp_path, monkeypatch, "--no-shop")
    monkeypatch.setenv("HOLDFAST_STORE", "far_db")
    assert "MISSING store far_db -> the store far_db: " in ask(tmp_path, monkeypatch, "--no-shop")
