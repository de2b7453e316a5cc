"""Critiques and their claims, in the three shapes that files have."""

import pytest

from exchange.rejects import RejectLog
from generation.models import Claim, Critique
from generation.services.imports.critiques import import_critiques
from generation.services.imports.items import import_items
from tests.generation.conftest import Table

TEXT = "Here is what I see:\n1. The **fox** holds\n   no spoon.\n2) The pot is missing.\n\nOverall it is nice."


@pytest.fixture
def items(table: Table, db: None) -> None:
    rows = [{"item": key, "prompt": "a fox", "method": "m"} for key in ("i1", "i2")]
    import_items(table(rows, "items.csv"), prompt_set="p", log=RejectLog())


def claims() -> list[tuple[int, str]]:
    return list(Claim.objects.order_by("critique", "rank").values_list("rank", "text"))


@pytest.mark.usefixtures("items")
def test_free_text_is_kept_as_it_came_and_its_list_becomes_claims(table: Table, log: RejectLog) -> None:
    rows = [{"image": "i1", "critic": "vlm", "text": TEXT, "refined_prompt": "a fox with a spoon", "temperature": 0.5}]
    source = table(rows, "critiques.jsonl")
    counts = import_critiques(source, log=log)
    assert counts.made == {"critiques": 1, "claims": 2}
    critique = Critique.objects.get()
    assert (critique.text, critique.refined_prompt) == (TEXT, "a fox with a spoon")
    assert (critique.split, critique.provenance) == (Critique.Split.NUMBERED, {"temperature": 0.5})
    assert claims() == [(1, "The fox holds no spoon."), (2, "The pot is missing.")]
    again = import_critiques(source, log=log)
    assert (again.n_created, again.n_unchanged, Critique.objects.count()) == (0, 1, 1)


@pytest.mark.usefixtures("items")
def test_a_critic_that_finds_nothing_claims_nothing(table: Table, log: RejectLog) -> None:
    text = "Nothing in this picture contradicts the prompt."
    counts = import_critiques(table([{"image": "i1", "critic": "vlm", "text": text}]), log=log)
    assert (counts.made["critiques"], counts.made["claims"], log.total) == (1, 0, 0)
    assert Critique.objects.get().split == Critique.Split.GIVEN


@pytest.mark.usefixtures("items")
def test_a_list_of_claims_is_taken_as_it_is(table: Table, log: RejectLog) -> None:
    stated = [{"text": "no spoon", "severity": "Major", "confidence": 0.9, "kind": "missing", "about": "r1"}, "no pot"]
    import_critiques(table([{"item": "i1", "claims": stated}], "c.jsonl"), critic="vlm", log=log)
    assert log.total == 0
    first = Claim.objects.get(rank=1)
    assert (first.text, first.severity, first.confidence) == ("no spoon", "major", 0.9)
    assert (first.kind, first.about, first.critique.critic) == ("missing", "r1", "vlm")
    assert claims()[1] == (2, "no pot")


@pytest.mark.usefixtures("items")
def test_rows_of_one_critique_make_it_together(table: Table, log: RejectLog) -> None:
    rows = [
        {"image": "i1", "critic": "vlm", "rank": 2, "text": "no pot", "severity": "", "confidence": ""},
        {"image": "i1", "critic": "vlm", "rank": 1, "text": "no spoon", "severity": "minor", "confidence": 0.5},
        {"image": "i1", "critic": "vlm", "rank": 1, "text": "no tree", "severity": "", "confidence": ""},
        {"image": "i1", "critic": "vlm", "rank": 3, "text": "no fox", "severity": "grave", "confidence": 2},
        {"image": "i2", "critic": "vlm", "rank": 1, "text": "no fox", "severity": "", "confidence": ""},
        {"image": "i1", "critic": "vlm", "rank": 4, "text": "late", "severity": "", "confidence": ""},
    ]
    counts = import_critiques(table(rows), log=log)
    assert counts.made == {"critiques": 2, "claims": 3}
    assert claims() == [(1, "no spoon"), (2, "no pot"), (1, "no fox")]
    assert [(reject.row, reject.field) for reject in log.first] == [
        (4, "rank"),
        (5, "severity"),
        (5, "confidence"),
        (7, "image"),
    ]


@pytest.mark.usefixtures("items")
def test_what_cannot_be_taken_is_refused_with_its_place(table: Table, log: RejectLog) -> None:
    rows: list[dict[str, object]] = [
        {"image": "i1", "critic": "", "text": "1. x", "claims": None},
        {"image": "i1", "critic": "vlm", "text": "", "claims": None},
        {"image": "i1", "critic": "vlm", "text": "", "claims": "no list"},
        {"image": "i1", "critic": "vlm", "text": "", "claims": ["fine", {"severity": "major"}]},
        {"image": "i9", "critic": "vlm", "text": "1. x", "claims": None},
    ]
    counts = import_critiques(table(rows, "c.jsonl"), log=log)
    assert counts.n_created == 0
    assert [(reject.row, reject.field) for reject in log.first] == [
        (1, "critic"),
        (2, "text"),
        (3, "claims"),
        (4, "claims"),
        (5, "image"),
    ]
    assert "claim 2, text" in log.first[3].problem


@pytest.mark.usefixtures("items")
def test_a_trial_run_writes_nothing_and_says_the_same(table: Table, log: RejectLog) -> None:
    rows = [{"image": key, "critic": "vlm", "text": TEXT} for key in ("i1", "i2", "i1", "i3")]
    source = table(rows, "c.jsonl")
    dry = import_critiques(source, dry_run=True, known={"i3"}, log=log)
    assert (dry.n_created, dry.n_unchanged, Critique.objects.exists()) == (3, 1, False)
    real = import_critiques(source, log=log)
    assert (real.n_created, real.n_unchanged, log.total) == (2, 1, 1)


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize("cell", ["[" + "9" * 5000 + "]", "[" * 100_000, '["\\u0000"]', '["\\ud800"]'])
def test_json_in_a_cell_that_would_break_a_reader_is_refused(cell: str, table: Table, log: RejectLog) -> None:
    counts = import_critiques(table([{"image": "i1", "critic": "vlm", "claims": cell}], "c.jsonl"), log=log)
    assert counts.n_created == 0
    assert [reject.field for reject in log.first] == ["claims"]


@pytest.mark.usefixtures("items")
def test_controls_are_distinguished_from_the_critic_s_own(table: Table, log: RejectLog) -> None:
    rows = [
        {"image": "i1", "critic": "vlm", "claims": ["no pot"], "source": source}
        for source in (None, "wrong_image", "Planted", "elsewhere")
    ]
    counts = import_critiques(table(rows, "c.jsonl"), log=log)

    assert list(Critique.objects.order_by("pk").values_list("source", flat=True)) == [
        "critic",
        "wrong_image",
        "planted",
    ]
    assert counts.n_created == 3
    [reject] = log.first
    assert (reject.row, reject.field, reject.value) == (4, "source", "elsewhere")
    assert "wrong_image" in reject.cure
