"""The JSON schemas of the spec, compiled once."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from importlib import resources
from typing import Any


@functools.cache
def validator(name: str, definition: str = "") -> Callable[[Any], Any]:
    """Return the validator of ``spec/schema/NAME.schema.json``, or of one of its definitions."""
    import fastjsonschema

    text = resources.files("nnconform.spec").joinpath(f"schema/{name}.schema.json").read_text()
    schema = json.loads(text)
    if definition:
        schema = {"definitions": schema["definitions"], "$ref": f"#/definitions/{definition}"}
    return fastjsonschema.compile(schema)  # type: ignore[no-any-return]


def schema_problem(check: Callable[[Any], Any], document: Any) -> str:
    """Return the first violation of a schema in a document, in one sentence, or ""."""
    import fastjsonschema

    try:
        check(document)
    except fastjsonschema.JsonSchemaException as error:
        return str(error.message)
    return ""
