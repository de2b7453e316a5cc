"""One sheet and one script per page: an entry file's imports are written into it when static files are collected.

In the sources a page's sheet imports the sheets that it builds on, and its script is an ES module that imports others.
With EVALSITE_DEBUG a browser gets them as they are and follows the imports itself. Otherwise it would have
to wait for one request after another before showing anything, and imports would need names with hashes in them.
"""

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

OUR_FOLDERS = ("evalsite/", "annotations/", "generation/")
_SHEET_IMPORT = re.compile(r'^@import "(?P<path>\.[^"]+)"(?: (?P<media>\w+))?;\n', re.MULTILINE)
_MODULE_IMPORT = re.compile(r'^import (?:\{(?P<names>[^}]*)\} from )?"(?P<path>\.[^"]+)";\n', re.MULTILINE)
_MODULE_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (?P<name>\w+))", re.MULTILINE)
_UNREAD = re.compile(r"^(?:@import|import|export)\b.*$", re.MULTILINE)

Read = Callable[[str], str]


class WholeFiles(CompressedManifestStaticFilesStorage):
    """Hashed and compressed static files; our sheets and scripts without imports."""

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        def read(name: str) -> str:
            storage, path = sources[name]
            with storage.open(path) as file:
                return str(file.read().decode())

        sources, whole = dict(paths), InMemoryStorage()
        for name in sources:
            if name.startswith(OUR_FOLDERS) and name.endswith((".css", ".js")):
                text = whole_sheet(name, read) if name.endswith(".css") else whole_script(name, read)
                if text != read(name):
                    whole.save(name, ContentFile(text.encode()))
                    paths[name] = (whole, name)
        yield from super().post_process(paths, dry_run, **options)


def whole_sheet(name: str, read: Read) -> str:
    """A sheet preceded by those that it imports, each once. Raises ValueError for an import in another form."""
    done: set[str] = set()

    def write(name: str) -> str:
        done.add(name)
        text, parts = read(name), []
        for found in _SHEET_IMPORT.finditer(text):
            imported = _beside(name, found["path"])
            if imported not in done:
                part = write(imported)
                parts.append(f"@media {found['media']} {{\n{part}}}\n" if found["media"] else part)
        return "".join(parts) + _rest(name, _SHEET_IMPORT.sub("", text))

    return write(name)


def whole_script(name: str, read: Read) -> str:
    """A module preceded by those that it imports, each in its own scope; a script without imports is unchanged.

    Raises ValueError for imports in a circle and for other forms than `import { a, b as c } from "./file.js"`,
    `import "./file.js"` and `export` before a function, a constant or a class.
    """
    text = read(name)
    if not _MODULE_IMPORT.search(text):
        return text
    places: dict[str, str] = {}  # module → the name of its scope; empty while it is being written
    parts: list[str] = []

    def write(name: str) -> None:
        places[name] = ""
        text = read(name)

        def taken(found: re.Match[str]) -> str:
            imported = _beside(name, found["path"])
            if imported not in places:
                write(imported)
            if not places[imported]:
                raise ValueError(f"{name} and {imported} import each other")
            names = (found["names"] or "").replace(" as ", ": ")
            return f"const {{{names}}} = {places[imported]};\n" if names else ""

        body = _MODULE_IMPORT.sub(taken, text)
        exported = [found["name"] for found in _MODULE_EXPORT.finditer(body)]
        body = _rest(name, _MODULE_EXPORT.sub("", body))
        places[name] = f"$module{len(parts)}"
        parts.append(f"const {places[name]} = (() => {{\n{body}return {{ {', '.join(exported)} }};\n}})();\n")

    write(name)
    return "".join(parts)


def _beside(name: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def _rest(name: str, text: str) -> str:
    if unread := _UNREAD.search(text):
        raise ValueError(f"{name}: this form of import or export is not known here: {unread[0]}")
    return text
