"""Prompt sets: what is new is added once, what is there stays, what contradicts is refused."""

from collections import Counter
from pathlib import Path

import pytest

from exchange.rejects import BadFile, RejectLog
from generation.models import Prompt, PromptSet, PromptVariant
from generation.queries.importers import Counts, Source
from generation.services.imports.prompts import import_prompts
from tests.generation.conftest import Table

pytestmark = pytest.mark.django_db


def problems(log: RejectLog) -> list[tuple[int | None, str]]:
    return [(reject.row, reject.field) for reject in log.first]


def test_interacting_gives_every_prompt_once(prompt_files: Path) -> None:
    files = sorted(prompt_files.glob("*.jsonl"))

    def run() -> Counts:
        total = Counts()
        for file in files:
            total.add(import_prompts(Source(file.name, file), prompt_set="InterActing", log=RejectLog()))
        return total

    assert run().n_created == 48
    prompts = Prompt.objects.filter(prompt_set__name="InterActing")
    assert Counter(prompts.values_list("category", flat=True)) == {
        "functional": 24,
        "multi_subject": 12,
        "compositional": 12,
    }
    topics = Counter(prompts.filter(category="functional").values_list("topic", flat=True))
    assert sorted(topics.values())[-3:] == [1, 2, 2]
    before = list(prompts.order_by("pk").values())
    again = run()
    assert (again.n_created, again.n_unchanged) == (0, 48)
    assert list(prompts.order_by("pk").values()) == before


def test_act2i_gives_every_prompt_with_three_variants(prompt_files: Path) -> None:
    file = prompt_files / "act2i_sample.json"
    for expected in ((5, 0), (0, 5)):
        counts = import_prompts(Source(file.name, file), prompt_set="AcT2I", log=RejectLog())
        assert (counts.n_created, counts.n_unchanged) == expected
    assert Prompt.objects.count() == 5
    assert Counter(PromptVariant.objects.values_list("kind", flat=True)) == {
        "spatial": 5,
        "temporal": 5,
        "emotional": 5,
    }
    assert Prompt.objects.get(key="1").metadata == {"animal1": "Heron", "animal2": "Mole", "action": "greeting"}


def test_published_act2i_columns_become_variants_and_metadata(table: Table, log: RejectLog) -> None:
    row = {
        "base_prompt": "a fox chasing a hen",
        "spatial_prompt": "a fox behind a hen",
        "temporal_prompt": "a fox about to leap",
        "emotional_prompt": "a furious fox",
        "rarity_label": "rare",
    }
    import_prompts(table([row]), prompt_set="published", log=log)
    prompt = Prompt.objects.get()
    assert prompt.metadata == {"rarity_label": "rare"}
    assert set(prompt.variants.values_list("kind", "text")) == {
        ("spatial", "a fox behind a hen"),
        ("temporal", "a fox about to leap"),
        ("emotional", "a furious fox"),
    }


def test_a_kind_of_wording_without_a_name_here_is_kept_as_metadata(table: Table, log: RejectLog) -> None:
    import_prompts(table([{"prompt": "a fox", "poetic_prompt": "o fox"}]), prompt_set="p", log=log)
    assert Prompt.objects.get().metadata == {"poetic_prompt": "o fox"}
    assert not PromptVariant.objects.exists()


def test_one_topic_may_have_two_prompts_and_one_row_may_come_twice(table: Table, log: RejectLog) -> None:
    rows = [{"topic": "bake", "prompt": text} for text in ("A hedgehog bakes.", "An owl bakes.", "An owl bakes.")]
    counts = import_prompts(table(rows), prompt_set="p", log=log)
    assert (counts.n_created, counts.n_unchanged, log.total) == (2, 1, 0)


def test_a_later_file_may_add_a_variant(table: Table, log: RejectLog) -> None:
    import_prompts(table([{"prompt": "a fox", "spatial_prompt": "a fox left of a hen"}]), prompt_set="p", log=log)
    more = [{"prompt": "a fox", "spatial_prompt": "a fox left of a hen", "temporal_prompt": "a fox leaps"}]
    counts = import_prompts(table(more, "more.csv"), prompt_set="p", log=log)
    assert (counts.n_created, counts.n_unchanged) == (1, 0)
    assert counts.made == {"prompts": 0, "variants": 1}


def test_other_metadata_is_refused_and_nothing_is_overwritten(table: Table, log: RejectLog) -> None:
    import_prompts(table([{"prompt": "a fox", "mood": "calm"}]), prompt_set="p", log=log)
    counts = import_prompts(table([{"prompt": "a fox", "mood": "wild"}], "b.csv"), prompt_set="p", log=log)
    assert (counts.n_created, counts.n_unchanged) == (0, 0)
    assert problems(log) == [(2, "")]
    assert "other values in its further columns" in log.first[0].problem
    assert Prompt.objects.get().metadata == {"mood": "calm"}


def test_a_key_stays_with_its_prompt(table: Table, log: RejectLog) -> None:
    import_prompts(table([{"id": "p1", "prompt": "a fox"}]), prompt_set="p", log=log)
    import_prompts(table([{"id": "p1", "prompt": "a hen"}], "b.csv"), prompt_set="p", log=log)
    assert problems(log) == [(2, "key")]
    assert Prompt.objects.get().text == "a fox"


def test_a_trial_run_writes_nothing_and_says_the_same(table: Table) -> None:
    rows = [{"id": str(i % 7), "prompt": f"a fox, number {i % 7}", "spatial_prompt": "left"} for i in range(9)]
    rows += [
        {"id": "0", "prompt": "another text", "spatial_prompt": ""},
        {"id": "", "prompt": " ", "spatial_prompt": ""},
    ]
    source = table(rows)
    dry_log, log = RejectLog(), RejectLog()
    dry = import_prompts(source, prompt_set="p", dry_run=True, log=dry_log)
    assert not PromptSet.objects.exists()
    real = import_prompts(source, prompt_set="p", log=log)
    assert (dry, dry_log.first) == (real, log.first)
    assert (real.n_created, real.n_unchanged, log.total) == (7, 2, 2)
    again = import_prompts(source, prompt_set="p", dry_run=True, log=RejectLog())
    assert (again.n_created, again.n_unchanged) == (0, 9)


def test_batches_before_the_fault_stay_and_repeating_goes_on(table: Table, log: RejectLog) -> None:
    source = table([{"prompt": f"a fox, number {i}"} for i in range(5)])

    def stop_in_the_second(counts: Counts) -> None:
        if counts.n_created > 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_prompts(source, prompt_set="p", progress=stop_in_the_second, log=log, rows_at_once=2)
    assert Prompt.objects.count() == 2
    counts = import_prompts(source, prompt_set="p", log=log)
    assert (counts.n_created, counts.n_unchanged) == (3, 2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        ("prompt\nein Füchschen\n".encode("latin-1"), "UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"colour,size\nred,3\n", "no column holds the prompts"),
        (b'prompt\n"a fox\n', "never closes"),
    ],
)
def test_a_file_that_cannot_be_taken_leaves_nothing(tmp_path: Path, content: bytes, words: str, log: RejectLog) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=words):
        import_prompts(Source("bad.csv", path), prompt_set="p", log=log)
    assert not Prompt.objects.exists()


def test_a_byte_order_mark_is_not_part_of_the_first_column(tmp_path: Path, log: RejectLog) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes("\ufeffprompt;topic\r\nein Füchschen;Fuchs\r\n".encode())
    import_prompts(Source("excel.csv", path), prompt_set="p", log=log)
    assert Prompt.objects.get().text == "ein Füchschen"
