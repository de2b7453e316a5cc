"""The compiled catalogues are those of their sources, and are made by the process that needs them."""

import gettext
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation import to_locale
from pytest_django import Settings

from evalsite import checks
from evalsite.requests.catalogues import SOURCES, compile_changed, outdated
from tests.languages.catalogues import PLURALS, ROOT, is_complete, read

FOLDERS = sorted(to_locale(language) for language in PLURALS)
HEADER = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"""
SIGN_IN = """from django.utils import translation
for language in ("zh-hans", "ar"):
    with translation.override(language):
        print(translation.gettext("Sign in"))
"""


def catalogue(folder: Path, language: str = "de") -> Path:
    return folder / language / "LC_MESSAGES" / "django.mo"


def opened(path: Path) -> gettext.GNUTranslations:
    with path.open("rb") as file:
        return gettext.GNUTranslations(file)


def write_source(folder: Path, entries: str) -> None:
    path = catalogue(folder).with_suffix(".po")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEADER}\n{entries}", encoding="utf-8")


@pytest.mark.parametrize("language", PLURALS)
def test_every_entry_reads_as_it_does_in_its_source(language: str, tmp_path: Path) -> None:
    """Babel reads the source, Python's gettext what was compiled."""
    compile_changed(SOURCES, tmp_path)
    compiled = opened(catalogue(tmp_path, to_locale(language)))
    messages = [message for message in read(language) if message.id and is_complete(message.string)]
    assert len(messages) > 600
    for message in messages:
        if isinstance(message.id, str):
            found = compiled.pgettext(message.context, message.id) if message.context else compiled.gettext(message.id)
            assert found == message.string
        else:
            numbers = (0, 1, 2, 3, 11, 100)  # one for each form of the language with the most
            assert message.context is None
            assert {compiled.ngettext(*message.id, n) for n in numbers} == set(message.string)


def test_a_process_that_starts_has_compiled_them() -> None:
    assert Path(settings.LOCALE_PATHS[0]).is_relative_to(settings.DATA_DIR)
    assert outdated(SOURCES, Path(settings.LOCALE_PATHS[0])) == []


def test_a_clone_shows_every_language_with_nothing_compiled_beforehand(tmp_path: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "*.mo"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert listed.stdout == ""
    said = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "--command", SIGN_IN],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"EVALSITE_DATA_DIR": str(tmp_path / "data"), "DJANGO_SETTINGS_MODULE": "evalsite.settings"},
    ).stdout.split("\n")
    translated = [read(language).get("Sign in") for language in ("zh-hans", "ar")]
    assert said[:2] == [message.string for message in translated if message]


def test_unfinished_entries_and_guesses_are_left_out(tmp_path: Path) -> None:
    write_source(
        tmp_path / "po",
        '#: a.html\nmsgid "done"\nmsgstr "fertig"\n\n#, fuzzy\nmsgid "guess"\nmsgstr "geraten"\n\n'
        'msgid "none"\nmsgstr ""\n\n#~ msgid "gone"\n#~ msgstr "weg"\n\n'
        'msgid "%(n)s card"\nmsgid_plural "%(n)s cards"\nmsgstr[0] "%(n)s Karte"\nmsgstr[1] ""\n',
    )
    compile_changed(tmp_path / "po", tmp_path / "mo")
    compiled = opened(catalogue(tmp_path / "mo"))
    texts = ("done", "guess", "none", "gone")
    assert [compiled.gettext(text) for text in texts] == ["fertig", "guess", "none", "gone"]
    assert compiled.ngettext("%(n)s card", "%(n)s cards", 2) == "%(n)s cards"


def test_quotes_backslashes_line_ends_and_contexts(tmp_path: Path) -> None:
    write_source(
        tmp_path / "po",
        'msgctxt "side"\nmsgid "Right"\nmsgstr "Rechts"\n\nmsgid "Right"\nmsgstr "Richtig"\n\n'
        'msgid ""\n"One \\"line\\"\\n"\n"C:\\\\new\\tb"\nmsgstr "Eine \\"Zeile\\"\\n"\n"C:\\\\neu\\tb"\n',
    )
    compile_changed(tmp_path / "po", tmp_path / "mo")
    compiled = opened(catalogue(tmp_path / "mo"))
    assert (compiled.pgettext("side", "Right"), compiled.gettext("Right")) == ("Rechts", "Richtig")
    assert compiled.gettext('One "line"\nC:\\new\tb') == 'Eine "Zeile"\nC:\\neu\tb'


def test_a_line_that_is_not_valid_is_named(tmp_path: Path) -> None:
    write_source(tmp_path / "po", 'msgid "one"\nmsgstr "eins\n')
    with pytest.raises(ValueError, match='not valid: msgstr "eins'):
        compile_changed(tmp_path / "po", tmp_path / "mo")


def test_only_a_catalogue_whose_source_changed_is_compiled_again(tmp_path: Path) -> None:
    """Also when the new source has the older date, as after a checkout or in an image that was built before."""
    sources, compiled = tmp_path / "po", tmp_path / "mo"
    write_source(sources, 'msgid "one"\nmsgstr "eins"\n')
    assert outdated(sources, compiled) == ["de"]
    compile_changed(sources, compiled)
    first = catalogue(compiled).stat()
    compile_changed(sources, compiled)
    assert catalogue(compiled).stat() == first
    write_source(sources, 'msgid "one"\nmsgstr "ein"\n')
    os.utime(catalogue(sources).with_suffix(".po"), (0, 0))
    assert outdated(sources, compiled) == ["de"]
    compile_changed(sources, compiled)
    assert opened(catalogue(compiled)).gettext("one") == "ein"
    catalogue(compiled).write_bytes(catalogue(compiled).read_bytes()[:-1])
    assert outdated(sources, compiled) == ["de"], "half of a file is not taken for a whole one"


def test_processes_that_start_at_once_leave_whole_files_and_no_drafts(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: compile_changed(SOURCES, tmp_path), range(4)))
    assert outdated(SOURCES, tmp_path) == []
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(
        catalogue(tmp_path, folder) for folder in FOLDERS
    )


def test_a_folder_that_cannot_be_written_stops_nothing_and_is_reported(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "locale").write_text("a file where the folder should be")
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    compile_changed(SOURCES, tmp_path / "locale")
    [message] = checks.translations_are_those_of_their_sources(None)
    assert (message.id, bool(message.hint)) == ("evalsite.W010", True)
    assert all(folder in message.msg for folder in FOLDERS)
    settings.LOCALE_PATHS = [tmp_path / "other"]
    compile_changed(SOURCES, tmp_path / "other")
    assert checks.translations_are_those_of_their_sources(None) == []
    assert stat.S_ISDIR((tmp_path / "other").stat().st_mode)
