"""After an erasure the name is in no stored report, no download, no cell of the database and no file."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotations import dispatch
from annotations.models import Dimension, Rater, ReportSnapshot, Study
from annotations.queries import reports as queries
from annotations.services.exports import export_study
from annotations.services.raters import my_data
from annotations.services.reports import State, ask_report, build_report, claim
from tests.annotations.raters.test_my_data import everything_stored
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.django_db
NAMES = ("Yttriumbobolink", f"Wilhelmina{' Quist' * 30}", "raters")


def erase(rater: Rater) -> None:
    my_data.erase(rater=rater, now=timezone.now())


def forget(rater: Rater) -> None:
    my_data.forget_identity(rater=rater, now=timezone.now(), by_rule=True)


def make_named_study() -> Study:
    """Ten prompts, a method and its refinement, four raters; the first two decide which method leads."""
    study = make_study(n_items=20, k=4)
    raters = [make_rater(study, name=name) for name in (*NAMES, "otto")]
    for (at, item), (place, rater) in product(enumerate(study.items.all()), enumerate(raters)):
        better = 3 * (at % 2) if place < 2 else 1 - at % 2
        make_answer(item, rater, level=min(4, better + at // 2 % 2), at=timezone.now())
    return study


def downloads(client: Client, study: Study, snapshot: ReportSnapshot) -> dict[str, str]:
    """Every file that a researcher can take of a study and of one of its reports, by name; archives opened."""
    place = f"/study/{study.token}/results/{snapshot.pk}/"
    paths = [f"{place}report.{ending}" for ending in ("json", "html")]
    paths += [f"{place}{name}.csv" for name in ("fragility", "raters", "reliability")]
    paths += [f"{place}paper.zip", f"/study/{study.token}/export/study.zip"]
    texts = {}
    for path in paths:
        response = client.get(path)
        assert response.status_code == 200, path
        content = b"".join(response) if response.streaming else response.content
        if path.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                texts |= {f"{path}:{name}": archive.read(name).decode("latin-1") for name in archive.namelist()}
        else:
            texts[path] = content.decode()
    return texts


def differences(before: Any, after: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The keys that lead to each text that differs."""
    if isinstance(before, dict):
        assert before.keys() == after.keys()
        for key in before:
            yield from differences(before[key], after[key], (*path, key))
    elif isinstance(before, list):
        for one, other in zip(before, after, strict=True):
            yield from differences(one, other, path)
    elif before != after:
        yield path


@pytest.mark.parametrize("how", [erase, forget])
def test_a_name_is_nowhere_after_it_was_erased(client: Client, how: Callable[[Rater], None]) -> None:
    study = make_named_study()
    client.force_login(study.owner)
    first, second = sorted(set(study.items.values_list("images__method__name", flat=True)))
    snapshot = dispatch.find_report(study=study, comparisons=[(first, second)], user=study.owner).snapshot
    assert snapshot is not None
    stored = json.dumps(snapshot.results)
    export_study(study=study)
    before = downloads(client, study, snapshot)
    assert NAMES[0] in stored
    assert any(NAMES[0] in text for path, text in before.items() if "fragility" in path)

    for name in NAMES[:2]:
        how(study.raters.get(name=name))

    after = everything_stored() + json.dumps(ReportSnapshot.objects.get(pk=snapshot.pk).results)
    files = downloads(client, study, snapshot)
    assert files.keys() == before.keys()
    for trace in (NAMES[0], NAMES[1][:40]):
        assert trace not in after
        assert [path for path, text in files.items() if trace in text] == []
    export_study(study=study)
    assert NAMES[0] not in everything_stored()


def test_a_rater_who_is_called_like_a_word_of_the_report_takes_no_word_along() -> None:
    study = make_named_study()
    study.items.update(wanted=9)
    prompt, question = study.items.all()[0].prompt, Dimension.objects.get(study=study)
    for name in (prompt.text, question.name):
        make_answer(study.items.all()[3], make_rater(study, name=name), level=2)
    snapshot = dispatch.find_report(study=study, comparisons=[], user=study.owner).snapshot
    assert snapshot is not None

    for name in ("raters", prompt.text, question.name):
        erase(study.raters.get(name=name))

    after = ReportSnapshot.objects.get(pk=snapshot.pk).results
    changed = set(differences(snapshot.results, after))
    assert {path[-1] for path in changed} <= {"rater", "raters", "components", "names"}, changed
    assert '"rater": "raters"' not in json.dumps(after)


def test_a_report_that_was_being_computed_does_not_bring_the_name_back() -> None:
    study = make_named_study()
    snapshot, _is_new = ask_report(study=study, inputs=queries.inputs_of(study, []), comparisons=[], seed=0)
    held = claim(snapshot_id=snapshot.pk)
    assert held is not None
    erase(study.raters.get(name=NAMES[0]))

    build_report(snapshot=held)

    snapshot.refresh_from_db()
    assert snapshot.state == State.WAITING
    assert NAMES[0] not in json.dumps(snapshot.results)
    again = claim(snapshot_id=snapshot.pk)
    assert again is not None
    build_report(snapshot=again)
    assert NAMES[0] not in json.dumps(ReportSnapshot.objects.get(pk=snapshot.pk).results)
