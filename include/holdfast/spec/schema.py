"""The JSON Schema of suite files, for editors."""

import json
from typing import Any

from holdfast.model.suite import Suite

SCHEMA_ID = "https://holdfast.dev/schema/suite/v1"


def suite_schema() -> dict[str, Any]:
    """Describe a suite file; descriptions are the model's own words."""
    schema = Suite.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **schema,
    }


def schema_text() -> str:
    """Write the schema as editors read it."""
    return json.dumps(suite_schema(), indent=2, ensure_ascii=False) + "\n"
