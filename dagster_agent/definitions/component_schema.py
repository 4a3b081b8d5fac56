"""The YAML schema of the component: `Settings`, described by its own docstrings, with templates.

Nothing is written twice: fields, types, limits and defaults are those of the settings, and the
descriptions are the docstrings that stand under the fields.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, cast

import docstring_parser
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, create_model
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.functional_validators import model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from dagster_agent.settings import Settings

_TEMPLATE = r"\{\{.*\}\}"
_TOLD = ("title", "description", "default", "examples")
_DBT = "Folders of the dbt components to watch, below `defs`; empty: every DbtProjectComponent."


class Attributes(BaseModel):
    """Refuses an unknown key with the names that are known."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        for key in map(str, cast("Mapping[object, object]", given)):
            if key not in cls.model_fields:
                near = difflib.get_close_matches(key, cls.model_fields, n=1)
                meant = f" (did you mean {near[0]!r}?)" if near else ""
                allowed = ", ".join(sorted(cls.model_fields))
                raise ValueError(f"unknown setting {key!r}{meant}; allowed: {allowed}")
        return cast("object", given)


class Templated:
    """Lets a value be a template such as `{{ env.STATE_URL }}`, which is judged when filled in."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(_unless_template, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return _with_template(handler(schema))


@cache
def attributes_model() -> type[BaseModel]:
    """What may stand under `attributes` in a `defs.yaml`: the settings, and `dbt`."""
    dbt = (Annotated[tuple[str, ...], Templated()], Field(default=(), description=_DBT))
    return _described(Settings, "DataOpsAgentAttributes", dbt=dbt)


def _described(model: type[BaseModel], name: str, **more: Any) -> type[BaseModel]:
    told = {
        param.arg_name: param.description or ""
        for owner in reversed(model.__mro__)
        if issubclass(owner, BaseModel) and owner is not BaseModel
        for param in docstring_parser.parse_from_object(owner).params
    }
    fields: dict[str, Any] = {}
    for field_name, known in model.model_fields.items():
        field = copy.copy(known)
        field.description = " ".join(told[field_name].split())
        nested = known.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            described = _described(nested, nested.__name__)
            fields[field_name] = (described, Field(described(), description=field.description))
        else:
            fields[field_name] = (Annotated[known.rebuild_annotation(), Templated()], field)
    # create_model's overloads do not know of fields that are made at run time
    make = cast("Callable[..., type[BaseModel]]", create_model)
    return make(name, __base__=Attributes, __doc__=model.__doc__, **fields, **more)


def _unless_template(value: Any, handler: core_schema.ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, str) and "{{" in value:
        return value
    return handler(value)


def _with_template(schema: JsonSchemaValue) -> JsonSchemaValue:
    """A template, or else what the schema says: so that an error names what is wrong."""
    told = {key: schema[key] for key in _TOLD if key in schema}
    judged = {key: value for key, value in schema.items() if key not in told}
    return {**told, "if": {"type": "string", "pattern": _TEMPLATE}, "else": _plain(judged)}


def _plain(schema: JsonSchemaValue) -> JsonSchemaValue:
    """Number or null as one list of types: an `anyOf` would only say that none of it fits."""
    options = schema.get("anyOf", ())
    if not options or not all(isinstance(option.get("type"), str) for option in options):
        return schema
    merged = {key: value for option in options for key, value in option.items()}
    return {**merged, "type": [option["type"] for option in options]}
