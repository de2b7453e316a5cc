"""Forms with files, as the API takes them."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import MultiPartParser

from generation.services.imports.importers import importers


class FormWithFiles(MultiPartParser):
    """`multipart/form-data`. A part in an unknown encoding is refused and is not a server error."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type=media_type, parser_context=parser_context)
        except (LookupError, ValueError) as error:
            raise ParseError(_("This form cannot be read: %(problem)s") % {"problem": error}) from error


def uploads_described() -> dict[str, Any]:
    """The possible content of an import, for the API's description: the files and options of all kinds together.

    A refusal names those that its kind accepts, and those that it needs.
    """
    kinds = importers().values()
    files = {role.name: {"type": "string", "format": "binary"} for importer in kinds for role in importer.files}
    options = {
        option.name: {"type": "string", "title": str(option.title), "maxLength": option.max_length}
        for importer in kinds
        for option in importer.options
    }
    return {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": [importer.kind for importer in kinds]},
            "dry_run": {"type": "boolean"},
            **files,
            **options,
        },
        "required": ["kind"],
        "additionalProperties": False,
    }
