"""The compose file is what the Compose specification allows, and keeps the house's rules."""

import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = ROOT / "docker-compose.yaml"


@pytest.fixture(scope="module")
def services():
    return YAML(typ="safe").load(COMPOSE)["services"]


def test_the_file_satisfies_the_compose_specification():
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*checker, str(COMPOSE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_checker_would_notice_a_wrong_key(tmp_path):
    wrong = tmp_path / "docker-compose.yaml"
    wrong.write_text(COMPOSE.read_text().replace("command: [scheduler]", "comand: [scheduler]"))
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    assert subprocess.run([*checker, str(wrong)], capture_output=True, check=False).returncode == 1


def test_every_published_port_is_on_loopback(services):
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)


def test_two_triggerers_watch(services):
    watching = [n for n, s in services.items() if s.get("command") == ["triggerer"]]
    assert watching == ["triggerer-1", "triggerer-2"]


def test_no_secret_is_written_in_the_file():
    text = COMPOSE.read_text()
    assert "PASSWORD:" not in text and "JWT_SECRET:" not in text and "FERNET_KEY:" not in text


def test_what_the_image_copies_is_there():
    copied = [
        word for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("COPY")
        for word in line.split()[2:-1]
    ]
    assert copied and all((ROOT / word).exists() for word in copied)
