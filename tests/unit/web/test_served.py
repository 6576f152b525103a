"""E3: without Airflow, evidence is for whoever sends the token, and there always is one."""

import pytest

from holdfast.errors import SpecError
from holdfast.settings import Settings
from holdfast.web.__main__ import served, token_file, token_of
from support.evidence_runs import two_runs
from support.web import Asking


def asked(app, authorization):
    with Asking(app) as asking:
        return asking("", "/evidence/v1/checkpoint", "GET",
                      {"authorization": authorization}).status_code


def test_whoever_sends_the_token_is_let_in(tmp_path):
    ports = two_runs(tmp_path)
    token = token_of(ports.settings)
    app = served(lambda: ports, token)
    assert [200, 401, 401, 401] == [asked(app, text) for text in (
        f"Bearer {token}", "Bearer ", f"Basic {token}", f"Bearer {token}x")]
    assert (0o600, token) == (
        token_file(ports.settings).stat().st_mode & 0o777, token_of(ports.settings))


@pytest.mark.parametrize("content", ["", "\n", "short"])
def test_a_token_that_anybody_could_send_is_none(tmp_path, content):
    """A start that was killed had left an empty file: `Bearer` alone let everybody in."""
    where = Settings(tmp_path, tmp_path)
    token_file(where).parent.mkdir()
    token_file(where).touch(0o600)
    token_file(where).write_text(content)
    with pytest.raises(SpecError, match="no token"):
        token_of(where)


def test_a_token_that_others_may_read_is_refused(tmp_path):
    where = Settings(tmp_path, tmp_path)
    token_of(where)
    token_file(where).chmod(0o644)
    with pytest.raises(SpecError, match="others may read the token"):
        token_of(where)
