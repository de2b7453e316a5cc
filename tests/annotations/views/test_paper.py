"""Files for a paper from the results page and by command: the same ones, for those who run the study alone."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.models import Study
from tests.annotations.views.test_results import address, rated_study
from tests.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return rated_study(n_items=8, consent="I agree.", instructions="Look at the whole picture.")


def seen(client: Client, study: Study) -> str:
    client.force_login(study.owner)
    return client.get(address(study)).content.decode()


def test_the_page_leads_with_the_answer_and_has_limits_and_methods(client: Client, study: Study) -> None:
    page = seen(client, study)
    assert page.index('id="summary"') < page.index('class="dimension"') < page.index('id="limits"')
    assert "to be rated by 3 raters; all 8 items were." in page
    assert "Raters saw one image at a time, with its prompt." in page
    assert "Rating was blind" in page
    assert "[@" not in page, "citations are spelled out"


def test_every_figure_of_the_page_is_a_file_in_three_formats(client: Client, study: Study) -> None:
    page = seen(client, study)
    links = re.findall(r'href="([^"]*/figure/[^"]*)"', page)
    n_drawn = page.count('<figure class="plot">')
    n_leads = 1  # the picture next to the sentence, which the comparison's own pictures show in full
    assert len(links) == 3 * (n_drawn - n_leads) > 0
    begins = {"svg": b"<?xml", "pdf": b"%PDF-", "png": b"\x89PNG"}
    for link in links[:6]:
        answer = client.get(link)
        assert answer.status_code == 200
        assert answer.content.startswith(begins[link.rpartition(".")[2]])
        assert answer.headers["Content-Disposition"].startswith("attachment; ")
    narrow = client.get(f"{links[0]}?column").content
    assert b'width="3.3in"' in narrow
    assert client.get(links[0].replace("/figure/", "/figure/no-")).status_code == 404
    assert client.get(links[0].replace(".svg", ".gif")).status_code == 404


def test_single_files_open(client: Client, study: Study) -> None:
    seen(client, study)
    place = address(study, f"{study.snapshots.get().pk}/paper/")
    for name, begins in (
        ("report.pdf", b"%PDF-"),
        ("report.docx", b"PK"),
        ("report.md", b"# "),
        ("methods.tex", b"%"),
        ("references.bib", b"@"),
    ):
        assert client.get(place + name).content.startswith(begins), name
    assert client.get(place + "secret.txt").status_code == 404


def test_the_zip_holds_what_the_command_writes(client: Client, study: Study, tmp_path: Path) -> None:
    seen(client, study)
    answer = client.get(address(study, f"{study.snapshots.get().pk}/paper.zip"))
    archive = zipfile.ZipFile(io.BytesIO(answer.getvalue()))  # type: ignore[attr-defined]
    told, out = io.StringIO(), tmp_path / "report"

    call_command("report", study.token, out=out, stdout=told)

    written = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert set(archive.namelist()) == set(written)
    assert "report.pdf" in written
    for name, content in written.items():
        if not name.endswith(".docx"):  # a .docx is a zip with the time in it
            assert archive.read(name) == content, name
    assert f"report: {len(written)}\n" in told.getvalue()
    assert study.snapshots.count() == 1, "the same report, not a second one"


def test_a_quick_report_has_no_typesetting(study: Study, tmp_path: Path) -> None:
    call_command("report", study.token, out=tmp_path / "report", quick=True, stdout=io.StringIO())
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert "means.csv" in names
    assert "report.pdf" not in names


def test_a_study_without_answers_has_nothing_to_report(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Nobody has answered yet"):
        call_command("report", make_study(n_items=2).token, out=tmp_path)
    with pytest.raises(CommandError, match="There is no study 'nowhere'"):
        call_command("report", "nowhere", out=tmp_path)
