"""A witness as a picture (R6): all that takes part is in it, and nothing breaks out of it."""

from xml.etree import ElementTree as ET

import pytest

from holdfast.model.witness import Act, Reason, Witness
from holdfast.reports._witness import svg


def ring(size, text="append x 1"):
    names = [f"T{n}" for n in range(1, size + 1)]
    return Witness(
        anomaly="G2-item",
        acts=[Act(name=n, index=i, process=i - 1, outcome="ok", text=text)
              for i, n in enumerate(names)],
        reasons=[Reason(before=a, after=b, kind="rw", label="x: 1 before 2", text="because")
                 for a, b in zip(names, names[1:] + names[:1], strict=True)],
    )


@pytest.mark.parametrize("size", [2, 3, 5, 8])
def test_every_transaction_has_a_box_and_every_reason_an_arrow_in_the_picture(size):
    root = ET.fromstring(svg(ring(size)))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    boxes = [e for e in root.iter() if e.attrib.get("class") == "box"]
    arrows = [e for e in root.iter() if e.attrib.get("class") == "arrow rw"]
    assert (size, size) == (len(boxes), len(arrows))
    assert all(0 <= float(b.attrib["x"]) <= width - float(b.attrib["width"]) and
               0 <= float(b.attrib["y"]) <= height - float(b.attrib["height"]) for b in boxes)


def test_what_a_history_holds_cannot_become_markup():
    assert "<script>" not in svg(ring(2, 'append "<script>" 1'))


def test_a_long_transaction_is_cut_and_a_long_circle_is_not_drawn():
    assert "…" in svg(ring(3, "append x 1, " * 60 + "x" * 90))
    assert "" == svg(ring(9))
