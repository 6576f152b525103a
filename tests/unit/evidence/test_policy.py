"""Which logs and witnesses are believed (C2SP tlog-policy)."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.errors import EvidenceError
from holdfast.evidence.note import COSIGNATURE, ED25519, verifier
from holdfast.evidence.policy import read_policy
from holdfast.evidence.trust import policy_text


def key(number, name="x", kind=COSIGNATURE):
    private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    return str(verifier(name, private.public_key(), kind))


LOG = f"log {key(1, 'example/log', ED25519)}"
THREE = "\n".join(f"witness w{n} {key(n, f'w{n}')}" for n in (2, 3, 4))


def policy(*lines):
    return read_policy("\n".join([LOG, *lines]).encode())


def test_a_policy_without_witnesses_is_met_by_none():
    found = policy("quorum none", "  # a remark", "")
    assert (["example/log"], True) == ([*found.logs], found.is_met(set()))


@pytest.mark.parametrize(("count", "needed"), [("2", 2), ("any", 1), ("all", 3)])
def test_so_many_of_a_group_are_enough_and_one_fewer_is_not(count, needed):
    found = policy(THREE, f"group g {count} w2 w3 w4", "quorum g")
    names = ["w2", "w3", "w4"]
    assert found.is_met({*names[:needed]})
    assert not found.is_met({*names[:needed - 1]})
    assert f"{needed} of w2, w3, w4" == found.wanted()


def test_a_group_may_hold_groups():
    found = policy(THREE, "group a any w2 w3", "group b all a w4", "quorum b")
    assert (True, True, False, False) == tuple(
        found.is_met(names) for names in ({"w2", "w4"}, {"w3", "w4"}, {"w2", "w3"}, {"w4"}))


def test_one_witness_may_be_the_quorum():
    found = policy(f"witness w {key(2, 'w')} http://127.0.0.1:1/", "quorum w")
    assert ("1 of w", "http://127.0.0.1:1/") == (found.wanted(), found.witnesses["w"].url)
    assert found.is_met({"w"})


def test_a_policy_is_written_as_it_is_read():
    found = policy(THREE, "group g 2 w2 w3 w4", "quorum g")
    assert found == read_policy(policy_text(found))
    alone = policy("quorum none")
    assert alone == read_policy(policy_text(alone))


@pytest.mark.parametrize(("lines", "said"), [
    ([], "no line says 'quorum'"),
    (["quorum w9"], "line 2: no line above names 'w9'"),
    (["quorum none", "quorum none"], "line 3: not a line of a policy"),
    (["nonsense"], "not a line of a policy: 'nonsense'"),
    ([f"witness none {key(2)}", "quorum none"], "'none' is there already"),
    ([THREE, f"witness w2 {key(5)}"], "'w2' is there already"),
    ([THREE, f"witness w9 {key(2, 'w9')}"], "the key of w9 is there twice"),
    ([f"witness w {key(2, 'w', ED25519)}"], "not a witness's"),
    ([f"log {key(2, 'w')}"], "not a log's"),
    ([THREE, "group g 4 w2 w3 w4"], "'4' of 3 members cannot be had"),
    ([THREE, "group g 0 w2"], "'0' of 1 members"),
    ([THREE, "group g any w2 w2"], "'w2' is a member twice"),
    ([THREE, "group g any w2", "group h any w2"], "'w2' is a member twice"),
    ([THREE, "group g any w7"], "no line above names 'w7'"),
    (["log nonsense"], "line 2: not a verifier key"),
    (["quorum none\x01"], "a control character"),
])
def test_what_is_wrong_is_told_with_its_line(lines, said):
    with pytest.raises(EvidenceError, match="policy") as raised:
        policy(*lines)
    assert said in str(raised.value)
