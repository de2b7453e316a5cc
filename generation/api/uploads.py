"""Forms with files, as the API takes them."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import MultiPartParser

from generation.services.imports.importers import importers


class FormWithFiles(MultiPartParser):
    """`multipart/form-data`. A part in an encoding that nobody knows is refused, and no failure of the site."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type=media_type, parser_context=parser_context)
        except (LookupError, ValueError) as error:
            raise ParseError(_("This form cannot be read: %(problem)s") % {"problem": error}) from error


def uploads_described() -> dict[str, Any]:
    """What an import may be sent, for the API's description: the files and options of all kinds together.

    Which of them a kind takes, and which it needs, its refusals say by name.
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
