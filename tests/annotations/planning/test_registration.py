"""Freezing a study's plan before the first answer, by the page, and what the report makes of it."""

import hashlib
import html
import json

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from annotations.models import Registration, Study
from annotations.models.planning import OnlyRegistered
from annotations.queries.planning.facts import facts_of
from annotations.queries.planning.present import registration_of
from annotations.queries.reports import inputs_of
from annotations.reports.documents.conversion import from_json
from annotations.reports.documents.study import StudyDocument
from annotations.reports.outputs import report_files
from annotations.reports.paper.checklists.heds import heds
from annotations.reports.paper.checklists.written import checklist_files, checklists
from annotations.services.exclusions import exclude_rater
from annotations.services.planning.registering import register, save_statement
from annotations.services.reports import report_now
from annotations.services.studies import close_study
from generation.models import Activity
from tests.factories import make_answer, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db


def reported(study: Study) -> StudyDocument:
    results = report_now(study=study, comparisons=[]).results
    return from_json(StudyDocument, results or {})


def test_a_registered_file_has_its_digest_and_the_plan(client: Client) -> None:
    study = make_study(n_items=3, k=2)
    client.force_login(study.owner)
    page = f"/study/{study.token}/registration/"
    assert client.post(page, {"hypotheses": "Refined is better.", "register": "yes"}).status_code == 302
    registration = Registration.objects.get(study=study)
    content = client.get(f"{page}registration.json").content
    assert hashlib.sha256(content).hexdigest() == registration.digest
    plan = json.loads(content)["plan"]
    assert plan["intentions"] == {"hypotheses": "Refined is better."}
    assert (plan["n_items"], plan["raters_per_item"]) == (3, 2)
    assert registration.digest in client.get(page).content.decode()
    for name in ("osf.md", "osf.pdf", "aspredicted.md", "aspredicted.pdf"):
        assert client.get(f"{page}{name}").status_code == 200
    assert client.get(f"{page}other.pdf").status_code == 404
    assert Activity.objects.filter(action=Activity.Action.REGISTERED, subject_key=study.token).exists()


def test_after_the_first_answer_nothing_can_be_registered(client: Client) -> None:
    study = make_study(n_items=1)
    make_answer(study.items.get(), make_rater(study), level=None)
    with pytest.raises(ValidationError, match="Answers have been given"):
        register(study=study, by=study.owner)
    client.force_login(study.owner)
    text = client.get(f"/study/{study.token}/registration/").content.decode()
    assert "can no longer be registered" in text
    assert 'name="register"' not in text


def test_a_registration_is_never_changed_and_the_next_one_is_added() -> None:
    study = make_study(n_items=1)
    first = register(study=study, by=None)
    with pytest.raises(OnlyRegistered):
        first.save()
    with pytest.raises(OnlyRegistered):
        first.delete()
    with pytest.raises(ValidationError, match="Nothing has changed"):
        register(study=study, by=None)
    study.exclusion_rule = "Slower than 1 s."
    study.save()
    assert register(study=study, by=None).number == 2
    assert [one.number for one in Registration.objects.filter(study=study)] == [2, 1]
    assert registration_of(study) == Registration.objects.get(number=2)


def test_a_study_without_items_is_not_registered() -> None:
    study = make_study(n_items=1)
    study.items.all().delete()
    with pytest.raises(ValidationError, match="needs a question and an item"):
        register(study=study, by=None)


def test_the_report_lists_what_was_done_otherwise() -> None:
    study = make_study(n_items=2, k=1)
    register(study=study, by=None)
    for item in study.items.all():
        make_answer(item, make_rater(study), level=2)
    assert reported(study).registration is not None
    assert reported(study).registration.deviations == ()  # type: ignore[union-attr] (the line above)
    study.instructions = "Look twice."
    study.save()
    found = reported(study).registration
    assert found is not None
    assert found.deviations == ("Instructions: registered nothing; now “Look twice.”.",)


def test_every_deviation_is_named_in_report_checklists_and_the_document_for_the_registry(client: Client) -> None:
    study = make_study(n_items=4, k=2)
    register(study=study, by=None)
    raters = [make_rater(study, name=f"rater {n}") for n in range(2)]
    for at, item in enumerate(study.items.all()):
        for rater in raters[: 1 + (at < 2)]:
            make_answer(item, rater, level=at)
    study.exclusion_rule = "Thought of afterwards."
    study.save()
    close_study(study=study)
    study.refresh_from_db()
    exclude_rater(rater=raters[1], reason="too fast", by=study.owner)
    found = reported(study).registration
    assert found is not None
    sample, rule, excluded = "8 cards were planned; the study was closed after", "Thought of afterwards", "too fast"
    for words in (sample, rule, excluded):
        assert any(words in line for line in found.deviations), words
    files = {
        name: content.decode() for name, content in report_files(reported(study)) if name.endswith((".md", ".html"))
    }
    client.force_login(study.owner)
    registry = client.get(f"/study/{study.token}/registration/osf.md").content.decode()
    for text in (files["report.html"], files["report.md"], files["checklists/checklists.md"], registry):
        for words in (sample, rule, excluded):
            assert words in html.unescape(text), words


def test_a_registered_comparison_that_is_left_out_is_named_in_report_and_checklists() -> None:
    study = make_study(item_kind=Study.ItemKind.PAIR, n_items=2, k=1)
    register(study=study, by=None)
    rater = make_rater(study)
    for item in study.items.all():
        make_answer(item, rater, level=1)
    document = reported(study)  # without any comparison
    assert document.registration is not None
    (line,) = document.registration.deviations
    assert line.endswith("registered, but not in the report.")
    files = dict(report_files(document, is_quick=True)) | dict(checklist_files(document))
    for name in ("report.html", "checklists/checklists.md"):
        assert line in html.unescape(files[name].decode()), name


def test_a_careless_study_learns_from_every_checklist_what_is_missing() -> None:
    study = make_study(n_items=4, k=1)
    rater = make_rater(study)
    for at, item in enumerate(study.items.all()):
        make_answer(item, rater, level=at)
    document = reported(study)
    otani, grras = checklists(document)
    cures = {item.number: item.cure for item in otani.missing}
    assert cures["5"].startswith("Write instructions")
    assert "at least two raters" in cures["12"]
    assert "consent" in cures["15"]
    assert "at least two raters" in {item.number: item.cure for item in grras.missing}["13"]
    for checklist in (otani, grras):
        assert any("No plan was registered" in item.answer for item in checklist.items)
        assert all(item.cure for item in checklist.missing)


def test_a_study_can_still_be_deleted_with_its_registration() -> None:
    study = make_study(n_items=1)
    register(study=study, by=None)
    study.items.all().delete()
    study.delete()
    assert not Registration.objects.exists()


def test_facts_go_into_checklists_methods_and_the_hash_of_the_inputs(client: Client) -> None:
    study = make_study(n_items=2, k=1)
    for item in study.items.all():
        make_answer(item, make_rater(study), level=2)
    before = inputs_of(study, []).inputs_hash
    client.force_login(study.owner)
    page = f"/study/{study.token}/facts/"
    facts = {
        "payment": "12 GBP per hour",
        "ethics": "Board 7, number 12",
        "recruitment": "Prolific",
        "special_data": "No",
    }
    assert client.post(page, facts).status_code == 302
    assert "12 GBP per hour" in client.get(page).content.decode()
    assert dict(facts_of(study)) == facts
    assert inputs_of(study, []).inputs_hash != before
    document = reported(study)
    filled = heds(document)
    assert filled["heds-ethics-review_body"]["data"] == {"": "Board 7, number 12"}
    assert filled["heds-ethics-special_category_data-1"]["data"] == {"": True}
    client_text = client.get(f"/study/{study.token}/results/").content.decode()
    assert "Payment: 12 GBP per hour." in client_text


def test_saving_one_part_keeps_the_other() -> None:
    study = make_study(n_items=1)
    save_statement(study=study, part="facts", texts={"payment": "none"}, by=None)
    changed = save_statement(study=study, part="intentions", texts={"hypotheses": "x"}, by=None)
    assert changed == ["hypotheses"]
    assert dict(facts_of(study)) == {"payment": "none"}
    assert save_statement(study=study, part="facts", texts={"payment": "none"}, by=None) == []


def test_strangers_neither_read_nor_register(client: Client) -> None:
    study = make_study(n_items=1)
    client.force_login(make_user(researcher=True))
    for rest in ("registration/", "facts/", "registration/registration.json"):
        assert client.get(f"/study/{study.token}/{rest}").status_code == 403
    assert client.post(f"/study/{study.token}/registration/", {"register": "yes"}).status_code == 403
