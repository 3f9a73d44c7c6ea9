"""The JSON Schema of rule files, for editors: written from the fields, published as ``docs/rules.schema.json``."""

import json
from collections.abc import Iterable
from typing import Any, Final

from rules.fields import RULE_FIELDS, Field, Shape

_TEXT: Final[dict[str, Any]] = {"type": "string", "pattern": "\\S"}
_NAMES: Final[dict[str, Any]] = {"type": "array", "items": _TEXT}
_VERSION: Final[dict[str, Any]] = {"type": "string", "pattern": "^(?=.*\\S)[^*]*\\*?$"}
_SHAPES: Final[dict[Shape, dict[str, Any]]] = {
    Shape.IDENTIFIER: {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
    Shape.TEXT: _TEXT,
    Shape.NAMES: _NAMES,
    Shape.EXPRESSION: _TEXT,
    Shape.NUMBER: _TEXT,
    Shape.SPAN: {"type": "string", "pattern": "^\\s*\\+?\\d+(\\.\\d+)?\\s*(ms|s|min|h|d|w)\\s*$"},
    Shape.QUANTITY: {
        "anyOf": [{"type": "number"}, {"type": "string", "pattern": "^\\s*[+-]?\\d+(\\.\\d+)?\\s*\\S*\\s*$"}]
    },
    Shape.WHOLE: {"type": "integer", "minimum": 1},
    Shape.SHARE: {"type": "number", "minimum": 0, "maximum": 1},
    Shape.FLAG: {"type": "boolean"},
    Shape.CHOICE: {"type": "string"},
    Shape.FACTS: {
        "type": "object",
        "properties": {"software": {"anyOf": [_VERSION, {"type": "array", "items": _VERSION, "minItems": 1}]}},
        "additionalProperties": {"anyOf": [_TEXT, {**_NAMES, "minItems": 1}]},
    },
}


def rules_schema() -> str:
    """``docs/rules.schema.json``."""
    rules = {"type": "array", "minItems": 1, "items": _table(RULE_FIELDS)}
    system = {**_TEXT, "description": "the vehicle system that the rules are of"}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rules of the virtual service centre",
        "type": "object",
        "properties": {"system": system, "rules": rules},
        "required": ["system", "rules"],
        "additionalProperties": False,
    }
    return json.dumps(schema, indent=2) + "\n"


def _table(fields: Iterable[Field]) -> dict[str, Any]:
    known = tuple(fields)
    return {
        "type": "object",
        "properties": {field.name: {"description": field.meaning, **_shape(field)} for field in known},
        "required": [field.name for field in known if field.required],
        "additionalProperties": False,
    }


def _shape(field: Field) -> dict[str, Any]:
    if field.choices:
        return {"enum": list(field.choices)}
    match field.shape:
        case Shape.TABLE:
            return _table(field.inner)
        case Shape.TABLES:
            return {"type": "array", "minItems": 1, "items": _table(field.inner)}
        case Shape.LATCH:
            return {"anyOf": [{"enum": ["workshop"]}, _table(field.inner)]}
        case _:
            return _SHAPES[field.shape]
