"""A study's tables by the task behind its page, by `manage.py report`, and by `analyze` from its export: the same.

`test_same_figures` has the documents of every kind of question; here are the files, to the last digit.
"""

import html
import io
import re
import shlex
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from annotations import tasks
from annotations.models import Study
from annotations.queries.reports import inputs_of
from annotations.queries.result_units import linked_methods
from annotations.questions import ALIGNMENT, RANKING
from annotations.reports.study.tables import TABLES
from annotations.reports.votes.tables import PREFERENCE_TABLES
from annotations.services.reports import ask_report
from tests.annotations.results.test_same_figures import OF_THE_SITE, rated_study
from tests.annotations.test_preferences import ranked_study, voted_study

pytestmark = pytest.mark.django_db

OF_RATINGS = TABLES.keys() - PREFERENCE_TABLES.keys() - OF_THE_SITE
OF_VOTES = PREFERENCE_TABLES.keys()


def by_page(client: Client, study: Study) -> dict[str, bytes]:
    """What the page offers once its task is done: every table, and the tables for a paper."""
    comparisons = linked_methods(study)
    snapshot, is_new = ask_report(study=study, inputs=inputs_of(study, comparisons), comparisons=comparisons)
    assert is_new
    tasks.build_report(snapshot.pk)
    client.force_login(study.owner)
    place = f"/study/{study.token}/results/{snapshot.pk}"
    found = {f"{name}.csv": content(client, f"{place}/{name}.csv") for name in TABLES}
    found["report.tex"] = content(client, f"{place}/report.tex")
    assert study.snapshots.count() == 1
    return found


def content(client: Client, address: str) -> bytes:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.getvalue()


def by_command(study: Study, out: Path) -> dict[str, bytes]:
    """The files that `report` writes when it computes everything anew."""
    study.snapshots.all().delete()
    call_command("report", study.token, out=out, quick=True, stdout=io.StringIO())
    return written(out)


def by_analyze(client: Client, study: Study, folder: Path, option: str) -> dict[str, bytes]:
    """What the printed command makes of the export."""
    archive = content(client, f"/study/{study.token}/export/study.zip")
    zipfile.ZipFile(io.BytesIO(archive)).extractall(folder)
    page = content(client, f"/study/{study.token}/export/").decode()
    commands = [html.unescape(one) for one in re.findall(r"<code>(\S+ manage\.py analyze .*?)</code>", page)]
    (command,) = [shlex.split(one)[2:] for one in commands if option in one]
    call_command(*command, "--quick", stdout=io.StringIO())
    return written(folder / command[command.index("--out") + 1])


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def same(ours: Mapping[str, bytes], theirs: Mapping[str, bytes], names: set[str]) -> None:
    for name in sorted(names):
        assert theirs[f"{name}.csv"].decode() == ours[f"{name}.csv"].decode(), name


@pytest.mark.parametrize(
    ("study_of", "option", "names", "filled"),
    [
        pytest.param(
            lambda: rated_study((ALIGNMENT,), Study.ItemKind.PAIR),
            *("--ratings", OF_RATINGS, {"agreement", "means", "comparisons", "metrics", "means_by_facet", "raters"}),
            id="ratings",
        ),
        pytest.param(voted_study, "--votes", OF_VOTES, {"strengths", "preferences", "pairs"}, id="preferences"),
        pytest.param(lambda: ranked_study(RANKING), "--rankings", OF_VOTES, {"strengths", "pairs"}, id="rankings"),
    ],
)
def test_page_task_command_and_export_have_the_same_tables(
    client: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    study_of: Callable[[], Study],
    option: str,
    names: set[str],
    filled: set[str],
) -> None:
    study = study_of()
    monkeypatch.chdir(tmp_path)

    page = by_page(client, study)
    command = by_command(study, tmp_path / "by-command")
    analyze = by_analyze(client, study, tmp_path, option)

    assert [name for name in filled if page[f"{name}.csv"].count(b"\n") < 2] == []
    same(page, command, set(TABLES))
    same(page, analyze, names)
    tex, of_command = (found["report.tex"].decode().splitlines() for found in (page, command))
    assert without_time(tex) == without_time(of_command)
    assert sum(r"\begin{table" in line for line in tex) > 1


def without_time(lines: list[str]) -> list[str]:
    """Without the second comment, which says when it was made."""
    return [line for line in lines if not line.startswith("% ") or ", inputs " not in line]
