"""Checks an engine's options against the table of its valid options."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from generation.recipes.contract import Unusable

Options = TypeVar("Options", bound=BaseModel)


def checked(kind: type[Options], options: Mapping[str, Any]) -> Options:
    """The options as `kind`. Raises Unusable naming the one that is wrong, never with its value: it may be a key."""
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name = ".".join(map(str, first["loc"])) or "options"
    problem = "is not known" if first["type"] == "extra_forbidden" else f"is not valid: {first['msg']}"
    raise Unusable(f"The option {name!r} {problem}.", f"Known options: {', '.join(kind.model_fields)}.")
