"""The schema for editors, and the suites that come with the house (O1)."""

from pathlib import Path

import jsonschema
import pytest

from holdfast.spec.load import load_suite
from holdfast.spec.schema import schema_text, suite_schema
from holdfast.spec.text import read
from support import suites
from support.kept import agrees

EXAMPLES = sorted((Path(__file__).parents[3] / "experiments").glob("*.suite.yaml"))


def test_the_schema_is_the_one_that_was_agreed():
    assert agrees("suite.schema.json", schema_text())


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(suite_schema())


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda path: path.name.partition(".")[0])
def test_each_example_is_valid_for_editors_and_for_the_house(file: Path):
    jsonschema.validate(read(file.read_text(), file.name).data, suite_schema())
    assert file.name == f"{load_suite(file).suite.metadata.name}.suite.yaml"


def test_the_schema_refuses_a_word_it_does_not_know():
    data = read(suites.TEXT, "f").data | {"extra": 1}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, suite_schema())


def test_every_part_of_a_suite_is_described():
    parts = suite_schema()["$defs"]
    assert [] == [name for name, part in parts.items() if not part.get("description")]
