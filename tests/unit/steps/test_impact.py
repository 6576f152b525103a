"""The impact of a plan and of each of its experiments (S9)."""

from datetime import UTC, datetime

from holdfast.model.run import EntryKind
from holdfast.plan.plan import make_plan
from holdfast.steps.impact import WHOLE, as_json, impacts, text
from support import suites
from support.kept import agrees
from support.runs import RUN, planned

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)  # a Monday


def found(*changes: tuple[str, str]):
    suite = suites.suite(*changes)
    return impacts(make_plan(suite, "sha256:ab", suites.drivers(), "/home"), suite, NOW)


def test_the_text_is_the_one_that_was_agreed():
    assert agrees("plans/impact.txt", text(found()) + "\n")


def test_the_whole_is_never_less_than_one_of_its_experiments():
    all_of_it = found()
    assert all_of_it[WHOLE].score >= max(one.score for one in all_of_it.values())
    assert ["", "first", "beside", "second"] == list(all_of_it)


def test_rounds_add_up_and_faults_side_by_side_do_not():
    told = as_json(found())["parts"][4]["text"]  # type: ignore[index]
    assert "faults may be on for 146 s at worst, 900 s count in full" == told  # 43 and 103


def test_the_time_is_local_to_the_schedule():
    change = ("blast_radius:", "schedule: {cron: '@daily', time_zone: Asia/Tokyo}\nblast_radius:")
    assert "Monday 18:30 JST: outside working hours" == found(change)[WHOLE].parts[-1].text


def test_a_run_has_its_impact_in_the_book_and_signed(tmp_path):
    ports = planned(tmp_path)
    (entry,) = ports.books.read(RUN, EntryKind.IMPACT)
    assert entry.data == ports.notary.statements[0].predicate["impact"]
    assert {"first", "beside", "second"} == set(entry.data["experiments"])  # type: ignore[call-overload]


def test_the_impact_is_no_part_of_what_is_approved():
    """The digest is of what would be done; when it is asked for does not change it."""
    plan = make_plan(suites.suite(), "sha256:ab", suites.drivers(), "/home")
    assert "impact" not in plan.as_json()
