"""Files of every format become the same columns; what is damaged is named by its line (R6)."""

import random
import time

import pytest

from holdfast.errors import SpecError
from holdfast.history import source
from holdfast.history.columns import INFO, NEMESIS, NIL, NO_TIME, OK, Kind, Shape
from holdfast.history.open import FORMATS, open_history

ROWS = '''{"index":0,"time":5,"type":"invoke","process":0,"f":"write","value":3}
{"index":1,"time":6,"type":"invoke","process":1,"f":"read","value":null}
{"index":2,"time":7,"type":"ok","process":0,"f":"write","value":3}
{"index":3,"time":8,"type":"info","process":1,"f":"read","value":null}
'''
EDN = '''; a comment
{:index 0 :time 5 :type :invoke, :process 0, :f :write, :value 3}
{:index 1 :time 6 :type :invoke, :process 1, :f :read}
{:index 2 :time 7 :type :ok, :process 0, :f :write, :value 3}
#jepsen.history.Op{:index 3, :time 8 :type :info, :process 1, :f :read, :value nil, :error [:x "}"]}
'''
LOG = '''INFO  jepsen.util - 0\t:invoke\t:write\t3
INFO  jepsen.core - something else
INFO  jepsen.util - 1\t:invoke\t:read\tnil
INFO  jepsen.util - 0\t:ok\t:write\t3
INFO  jepsen.util - 1\t:info\t:read\t:timed-out
'''


@pytest.fixture
def opened(tmp_path):
    def read(content, form=""):
        path = tmp_path / "h"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return open_history(path, form)

    return read


@pytest.mark.parametrize(("name", "content"), [
    ("jsonl", ROWS), ("jsonl", "\n" + ROWS.replace("\n", "\n\n")), ("edn", EDN),
    ("json", "[" + ROWS.strip().replace("\n", ",\n") + "]"), ("edn", f"[{EDN}]"),
    ("edn", EDN.replace("; a comment", "(") + ")"), ("jepsen_log", LOG),
    ("jepsen_log", LOG.replace("INFO  jepsen.util - ", "")),
    ("jsonl", ROWS.replace('"read"', '":read"').replace("\n", "\r\n")),
])
def test_one_history_in_many_formats(opened, name, content):
    found = opened(content)
    history = found.history
    assert (name, ("write", "read"), [2, 3, 0, 1]) == (
        found.format, history.fs, history.pair.tolist())
    assert ([3, NIL, 3, NIL], [0, 0, OK, INFO]) == (history.atom.tolist(), history.type.tolist())


def test_who_breaks_things_is_no_client(opened):
    rows = ROWS + '{"type":"info","process":"nemesis","f":"start","value":"split"}\n' * 2
    history = opened(rows.replace('"process":1', '"process":"one"')).history
    assert ([NEMESIS] * 2, 2) == (history.process[4:].tolist(), len(history.invocations))


def test_rows_without_a_process_are_paired_by_what_they_do(opened):
    history = opened("{:type :invoke :f :r} {:type :invoke :f :w} {:type :ok :f :w} "
                     "{:type :ok :f :r}").history
    assert [3, 2, 1, 0] == history.pair.tolist()
    assert (True, [NO_TIME] * 4) == ((history.process < NEMESIS).all(), history.time_ns.tolist())


def test_a_transaction_is_its_micro_operations(opened):
    history = opened(
        '{"type":"invoke","process":0,"f":"txn","value":[["append","x",1],["r",2,null]]}\n'
        '{"type":"ok","process":0,"f":"txn","value":[["append","x",1],["r",2,[7,8]]]}\n'
        '{"type":"invoke","process":0,"f":"txn","value":[]}\n').history
    micro = history.transactions
    assert ([0, 2, 4, 4], [Kind.APPEND, Kind.READ] * 2) == (
        micro.offsets.tolist(), micro.kind.tolist())
    assert ([0, 0, 0, 0, 2], [7, 8]) == (micro.read_offsets.tolist(), micro.reads.tolist())
    assert ['"x"', "2"] == [history.atoms.text(code) for code in micro.key[:2].tolist()]
    assert [Shape.TXN] * 3 == history.shape.tolist()


def test_keys_of_json_maps_that_are_numbers_are_numbers(opened):
    history = opened(
        '{"type":"invoke","process":0,"f":"read"}\n'
        '{"type":"ok","process":0,"f":"read","value":{"7":1,"07":2}}\n').history
    assert [7, 1] == history.list_of(1).tolist()[:2]
    assert '"07"' == history.atoms.text(history.list_of(1).tolist()[2])


@pytest.mark.parametrize("value", ["[1,true,1.5]", "[1,99999999999999999999,2]", "[1,null]",
                                   "[1,[2],{}]", '["a",1]'])
def test_lists_of_other_things_than_small_numbers_are_kept_apart(opened, value):
    history = opened('{"type":"invoke","process":0,"f":"read","value":' + value + "}\n").history
    codes = history.list_of(0).tolist()
    assert len(codes) == len(set(codes))


def test_large_numbers_are_no_codes_of_other_things(opened):
    history = opened('{"type":"invoke","process":0,"f":"w","value":4611686018427387904}\n').history
    assert str(1 << 62) == history.atoms.text(int(history.atom[0]))


def test_sessions_without_times_stand_in_no_order(opened):
    plume, awdit = opened("w(1,2,0,0)\nr(1,2,1,1)\nw(3,4,0,0)\n").history, opened(
        "w 1 2\nw 3 4\n=====\nr 1 2\n").history
    for history in (plume, awdit):
        assert (False, [0, 0, 1, 1]) == (history.is_ordered, history.process.tolist())
        assert [1, 3, 1, 3, 1, 1] == history.transactions.key.tolist()


def row(index=0, kind="invoke", process=0, time=0, f="w"):
    return (f'{{"index":{index},"time":{time},"type":"{kind}","process":{process},'
            f'"f":"{f}","value":1}}\n')


@pytest.mark.parametrize(("content", "told"), [
    (row() + row(0, "ok"), "line 2: index 0 is there already, at line 1"),
    (row(5) + row(4, "ok"), "line 2: index 4 comes after 5"),
    (row(kind="ok"), "line 1: process 0 completes what it did not invoke"),
    (row() + row(1), "line 2: process 0 invokes while its operation of line 1 is open"),
    (row() + row(1, "ok") + row(2, "fail"), "line 3: process 0 completes what it did not invoke"),
    (row() + row(1, "ok", f="r"), "line 2: it completes another kind of operation"),
    (row(time=9) + row(1, "ok", time=8), "line 2: time goes back"),
    (row(time=9_000_000_000) + row(1, process=1), "line 2: time goes back by 9.0 s"),
    (row() + row(1, "done"), "line 2: the type is 'done'"),
    (row(process=-3), "line 1: the process is -3"), (row(process="1.5"), "line 1: the process is"),
    (row(index='"a"'), "line 1: index is 'a', not a whole number"),
    (row(time=1 << 70), "line 1"), (row(f="r").replace('"r"', "[]"), "line 1: f is"),
    (row() + row(1, "ok")[:-9], "line 2: damaged.*the file was cut there"),
    (row() + "\n{]\n" + row(1, "ok"), "line 3: damaged"),
    (row() + "5\n", "line 2: damaged"),
    ('{"type":"invoke","f":"w"}\n' * 2, "line 2: two operations of one kind are open"),
    ('{"type":"ok","f":"w"}\n', "line 1: a completion without an invocation"),
    ('{"value":' + "[" * 5000, "line 1: damaged"),
    ('{"type":"invoke","process":0,"value":[[[' + "[" * 90 + "]" * 90 + "]]]}\n", "nested deeper"),
    ("".join(row(n, process=n, f=f"f{n}") for n in range(300)), "line 256: more than 255 kinds"),
    ("[" + row() + "{", "line 2|no JSON array"), ("[5]", "no JSON array|no history"),
    ("{:type :invoke", "line 1: damaged: '{' is never closed"),
    ("{:type :invoke :process 0}\n5", "line 2: a row is no map"),
    ("{:type :invoke :process 0}\n}", "line 2: damaged: '}' closes nothing"),
    ("0\t:invoke\t:read\tnil\nwhat is this\n", "line 2: no operation"),
    ("0\t:invoke\t:read\t[1\n", "line 1: damaged"),
    ("r(1,2,3,4)\nr(1,2)\n", "line 2: damaged.*each line is"),
    ("w 1 2\n-----\nw 1\n", "line 3: damaged"),
    (b"{:type :invoke\n\xff}", "line 2: no text"),
    (b'[{"type":"invoke",\n"process":0,"f":"\xff"},\n{}]', "line 2: no JSON array"),
    ("{:type :invoke :process 0\n :type :ok}", "line 1: damaged: a map has a key twice"),
    (b"0\t:invoke\t:read\tnil\n0\t:ok\t:read\t\"\xff\"\n", "line 2: no UTF-8 text"),
    (LOG + "INFO  jepsen.util - 0\t:okk\t:read\t3\n", "line 6: no operation"),
    (LOG + "INFO  jepsen.util - 0\t:in", "line 6: no operation"),
     ("", "it is empty"), ("hello\n", "no history that is"),
    (b"PK\x03\x04 no zip", "damaged"),
])
def test_a_file_that_lies_is_named_by_its_line(opened, content, told):
    with pytest.raises(SpecError, match=f"(?s)h: .*{told}|h: {told}"):
        opened(content)


def test_a_format_that_is_named_is_believed(opened):
    with pytest.raises(SpecError, match="line 1: damaged"):
        opened("w 1 2\n", "plume")
    with pytest.raises(SpecError, match="unknown reader 'xml'"):
        opened("w 1 2\n", "xml")


def test_what_is_no_file_says_so(tmp_path):
    with pytest.raises(SpecError, match="cannot be read"):
        open_history(tmp_path / "none")
    with pytest.raises(SpecError, match="it is no file"):
        open_history(tmp_path)


def test_files_too_large_are_refused(opened, monkeypatch):
    monkeypatch.setattr(source, "LARGEST", 20)
    with pytest.raises(SpecError, match="are read"):
        opened(ROWS)


def test_text_too_large_to_hold_is_refused(opened, monkeypatch):
    monkeypatch.setattr(source, "LARGEST_TEXT", 20)
    with pytest.raises(SpecError, match="one row a line"):
        opened(EDN)


def test_a_line_without_an_end_is_refused(opened, monkeypatch):
    monkeypatch.setattr(source, "LONGEST_LINE", 20)
    monkeypatch.setattr(source, "_CHUNK", 16)
    with pytest.raises(SpecError, match="a line of more than"):
        opened('{"value": "' + "x" * 50)


def test_chunks_change_nothing(opened, monkeypatch):
    whole = opened(ROWS)
    monkeypatch.setattr(source, "_CHUNK", 50)
    parts = opened(ROWS)
    assert (whole.digest, whole.history.pair.tolist(), whole.history.time_ns.tolist()) == (
        parts.digest, parts.history.pair.tolist(), parts.history.time_ns.tolist())


@pytest.mark.parametrize("content", [ROWS, EDN, LOG, "w(1,2,0,0)\nr(1,2,1,1)\n", "w 1 2\n-----\n"])
def test_damage_never_ends_in_a_traceback(opened, content):
    chance = random.Random(content)
    for _ in range(300):
        bad = bytearray(content.encode())
        for _ in range(chance.randrange(1, 4)):
            bad[chance.randrange(len(bad))] = chance.choice(b'{}[]":,0a9\n\\ \xff#;-')
        try:
            opened(bytes(bad[:chance.randrange(len(bad))]) if chance.random() < 0.3 else bytes(bad))
        except SpecError as error:
            assert error.where.startswith("h")


@pytest.mark.parametrize("content", [b" " * 10**6, b"[" + b" " * 10**6, b";\n" * 10**6,
                                     b"{:type :invoke :value " + b"[" * 10**6])
def test_a_hostile_file_is_refused_at_once(opened, content):
    begun = time.process_time()
    with pytest.raises(SpecError):
        opened(content)
    assert time.process_time() - begun < 5


def test_each_format_is_its_file():
    assert ["awdit", "edn", "jepsen_log", "json", "jsonl", "npz", "plume"] == list(FORMATS)


def test_a_process_of_more_digits_than_any_is_a_name(opened):
    assert opened(LOG.replace("util - 1", f"util - {'9' * 5000}")).format == "jepsen_log"
