"""The catalogues of translations: `make messages` brings them up to date.

What is translated is read from the sources without running them, and without GNU gettext. New texts get
an empty entry, those that are gone lose theirs. Entries do not name the files that their texts are in, so that a
catalogue changes only when a text does; `places` finds them. docs/translating.md says how to go on from there.
"""

import ast
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

from evalsite.requests.catalogues import SOURCES

ROOT = Path(__file__).resolve().parent.parent.parent
PLURALS = {
    "zh-hans": "nplurals=1; plural=0;",
    "de": "nplurals=2; plural=(n != 1);",
    "es": "nplurals=2; plural=(n != 1);",
    "ar": (
        "nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 "
        ": n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5;"
    ),
}
"""Language → its rule, in the words of Django's own catalogues."""
EVERYTHING = ("zh-hans",)
"""Languages whose catalogue has the pages of researchers too; the others have those of raters and auditors."""

RATERS_TEMPLATES = (
    *("evalsite/templates/*.html", "evalsite/templates/accounts/*"),
    *("annotations/templates/annotations/home.html", "annotations/templates/annotations/rate/**/*.html"),
    *(f"annotations/templates/annotations/audit/{name}.html" for name in ("page", "nothing")),
    "annotations/templates/annotations/raters/*.html",
)
RATERS_MODULES = (
    *("evalsite/accounts/*.py", "evalsite/middleware.py", "annotations/views/*.py", "annotations/forms/rating.py"),
    *("annotations/kinds/*.py", "annotations/services/taking_part/*.py", "annotations/services/panels/visits.py"),
    *(f"annotations/views/raters/{name}.py" for name in ("before", "my_data", "exercise_words")),
    *("annotations/forms/studies.py", "annotations/forms/joining.py", "annotations/views/audits/context.py"),
    *("annotations/views/audits/pages.py", "annotations/views/audits/saves.py", "annotations/models/audits.py"),
    *("generation/models/critiques.py", "annotations/services/studies.py", "annotations/services/rating.py"),
    *("annotations/services/audits/answers.py", "annotations/services/audits/work.py", "evalsite/requests/*.py"),
)
"""Where raters' and auditors' texts are: these templates with all that they include, and these modules."""
RESEARCHERS_MODULES = {"annotations/kinds/protocols.py"}
"""Of these modules, those that only researchers read. A new file is for raters until it is listed here."""

_CALLS = {"_", *(f"{n}{p}gettext{lazy}" for n in ("", "n") for p in ("", "p") for lazy in ("", "_lazy"))}
_TEXT = r"""u(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL_IN_TEMPLATE = re.compile(rf"\b(_|n?p?gettext)\(({_TEXT}(?:, {_TEXT})*)")
_OTHER_TEMPLATE = re.compile(r"{%\s*(?:include|extends)\s+[\"']([^\"']+)[\"']|template_name=[\"']([^\"']+)")

Key = tuple[str, str | tuple[str, str]]
"""Context (empty for none), and the text: a pair where it has a plural."""


@cache
def messages() -> dict[Key, set[str]]:
    """Every text of the site that can be translated, with the files that it is in."""
    found: dict[Key, set[str]] = {}
    for name in _tracked():
        path = ROOT / name
        if name.endswith(".py"):
            calls = _in_python(path.read_text(encoding="utf-8"))
        else:
            calls = _in_template(path.read_text(encoding="utf-8"))
        for call, texts in calls:
            found.setdefault(_key(call, texts), set()).add(name)
    return found


@cache
def for_raters() -> dict[Key, set[str]]:
    """The texts that raters and auditors may meet."""
    files = raters_files()
    return {key: where for key, where in messages().items() if where & files}


def raters_files() -> set[str]:
    tracked = set(_tracked())
    waiting = [path for glob in RATERS_TEMPLATES for path in sorted(ROOT.glob(glob))]
    templates: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in templates:
            continue
        templates.add(path)
        for names in _OTHER_TEMPLATE.findall(path.read_text(encoding="utf-8")):
            waiting += [other for app in _APPS if (other := ROOT / app / "templates" / "".join(names)).exists()]
    modules = {path for glob in RATERS_MODULES for path in ROOT.glob(glob)}
    return {str(path.relative_to(ROOT)) for path in templates | modules} & tracked - RESEARCHERS_MODULES


def wanted(language: str) -> dict[Key, set[str]]:
    """The texts that this language's catalogue must have."""
    return messages() if language in EVERYTHING else for_raters()


def po_file(language: str) -> Path:
    return SOURCES / to_locale(language) / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    path = po_file(language)
    if not path.exists():
        return Catalog(locale=to_locale(language))
    with path.open("rb") as file:
        return read_po(file, locale=to_locale(language), abort_invalid=True)


def updated(language: str) -> Catalog:
    """The catalogue with exactly the texts that it must have, and the translations that there are."""
    before = read(language)
    catalog = Catalog(locale=to_locale(language), project="evalsite", fuzzy=False, header_comment=_HEAD)
    catalog.mime_headers = [
        ("Language", to_locale(language)),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Plural-Forms", PLURALS[language]),
    ]
    for context, text in sorted(wanted(language), key=_order):
        singular = text if isinstance(text, str) else text[0]
        old = before.get(singular, context or None)
        string = old.string if old is not None and isinstance(old.string, str) == isinstance(text, str) else None
        catalog.add(
            text,
            string or ("" if isinstance(text, str) else ("",) * catalog.num_plurals),
            context=context or None,
        )
    return catalog


def key_of(message: Message) -> Key:
    return message.context or "", message.id if isinstance(message.id, str) else (message.id[0], message.id[1])


def is_complete(translation: str | tuple[str, ...] | list[str]) -> bool:
    return bool(translation) if isinstance(translation, str) else all(translation)


def po(catalog: Catalog) -> bytes:
    """As `write_po` writes it, without the headers that only say when."""
    file = io.BytesIO()
    write_po(file, catalog, width=0)
    kept = (b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Last-Translator', b'"Generated-By')
    return b"".join(line for line in file.getvalue().splitlines(keepends=True) if not line.startswith(kept))


_APPS = ("evalsite", "annotations", "generation")
_HEAD = "# Texts of evalsite: see docs/translating.md. This file is written by `make messages`.\n#"


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", *_APPS, "exchange"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    is_source = re.compile(r"\.(?:html|txt)$|(?<!/__init__)\.py$")
    return [name for name in listed if is_source.search(name) and "/migrations/" not in name and (ROOT / name).exists()]


def _in_python(source: str) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
        texts = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        if name in _CALLS and texts:
            yield name, texts


def _in_template(source: str) -> Iterator[tuple[str, list[str]]]:
    for call in _CALL_IN_TEMPLATE.finditer(templatize(source)):
        yield call[1], [ast.literal_eval(text) for text in re.findall(_TEXT, call[2])]


def _key(call: str, texts: list[str]) -> Key:
    name = call.removesuffix("_lazy")
    context, texts = (texts[0], texts[1:]) if "pgettext" in name else ("", texts)
    return context, (texts[0], texts[1]) if name.startswith("n") else texts[0]


def _order(key: Key) -> tuple[str, str]:
    return _texts(key)[0], key[0]


def _texts(key: Key) -> tuple[str, ...]:
    return (key[1],) if isinstance(key[1], str) else key[1]


def places(words: str) -> list[str]:
    """Each text that has these words, after the files that it is in."""
    return [place(key) for key in sorted(messages(), key=_order) if any(words in text for text in _texts(key))]


def place(key: Key) -> str:
    return f"{', '.join(sorted(messages()[key]))}: {_texts(key)[0]!r}"


def main() -> None:
    """With words: where the texts with these words are. Without: bring the catalogues up to date."""
    if len(sys.argv) > 1:
        print("\n".join(places(sys.argv[1])))  # noqa: T201  # this is a command
        return
    for language in PLURALS:
        catalog = updated(language)
        path = po_file(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(po(catalog))
        left = [key_of(message) for message in catalog if message.id and not is_complete(message.string)]
        lines = [f"{language}: {len(catalog)} texts, {len(left)} to translate", *map(place, left)]
        print("\n    ".join(lines))  # noqa: T201


if __name__ == "__main__":
    main()
