"""Images known by key alone."""

from pathlib import Path

import pytest

from exchange.rejects import RejectLog
from generation.models import Image, Prompt
from generation.queries.importers import Source
from generation.services.imports.images import import_images
from generation.services.imports.items import import_items
from tests.factories import tiny_png
from tests.generation.conftest import Bundle, Table

pytestmark = pytest.mark.django_db


def test_the_dsg_items_come_with_prompts_methods_and_facets(dsg_tifa160: Path, log: RejectLog) -> None:
    source = Source("items.csv", dsg_tifa160 / "items.csv")
    counts = import_items(source, prompt_set="DSG", log=log)
    assert (counts.n_created, log.total) == (800, 0)
    image = Image.objects.select_related("prompt", "method").get(key="mini-dalle|tifa160_143")
    assert (image.prompt.text, image.method.name) == ("the prompt tifa160_143", "mini-dalle")
    assert image.provenance == {"facets": {"item_id": "tifa160_143", "source_id": "partiprompt_366"}}
    assert (image.sha256, bool(image.file)) == ("", False)
    again = import_items(source, prompt_set="DSG", log=log)
    assert (again.n_created, again.n_unchanged, Prompt.objects.count()) == (0, 800, 160)


def test_a_prompt_of_which_only_the_id_is_known_is_marked_so(table: Table, log: RejectLog) -> None:
    rows = [{"item": "i1", "prompt_id": "p1", "model": "m"}, {"item": "i2", "prompt_id": "p1", "model": "n"}]
    import_items(table(rows), prompt_set="p", log=log)
    prompt = Prompt.objects.get()
    assert (prompt.key, prompt.text, prompt.metadata) == ("p1", "p1", {"text_is_unknown": True})


def test_rows_that_contradict_are_refused_and_repeated_ones_are_unchanged(table: Table, log: RejectLog) -> None:
    rows = [
        {"item": "i1", "prompt": "a fox", "method": "m"},
        {"item": "i1", "prompt": "a fox", "method": "m"},
        {"item": "i1", "prompt": "a hen", "method": "m"},
        {"item": "i2", "prompt": "", "method": "m"},
        {"item": "", "prompt": "a fox", "method": "m"},
    ]
    counts = import_items(table(rows), prompt_set="p", log=log)
    assert (counts.n_created, counts.n_unchanged) == (1, 1)
    assert {(reject.row, reject.field) for reject in log.first} == {(4, "item"), (5, "prompt"), (6, "item")}
    assert any("row 2 says something else" in reject.problem for reject in log.first)
    other = import_items(table([{"item": "i1", "prompt": "a fox", "method": "n"}], "b.csv"), prompt_set="p", log=log)
    assert other.n_created == other.n_unchanged == 0
    assert 'another method ("m")' in log.first[-1].problem


def test_an_image_whose_file_is_here_is_the_same_image_and_gets_its_facets(
    bundle: Bundle, table: Table, log: RejectLog
) -> None:
    files = {"a.png": tiny_png(1), "manifest.csv": "image,prompt,method,key\na.png,a fox,m,i1\n"}
    import_images(bundle(files), prompt_set="p", log=log)
    rows = [{"item": "i1", "prompt": "a fox", "method": "m", "scene": "night"}]
    counts = import_items(table(rows), prompt_set="p", log=log)
    assert (counts.n_created, log.total) == (1, 0)
    image = Image.objects.get()
    assert image.provenance["facets"] == {"scene": "night"}
    assert image.sha256


def test_a_trial_run_hands_on_the_keys_that_it_would_have_made(table: Table) -> None:
    rows = [{"item": f"i{n % 3}", "prompt": "a fox", "method": "m"} for n in range(5)]
    counts = import_items(table(rows), prompt_set="p", dry_run=True, log=RejectLog())
    assert (counts.n_created, counts.n_unchanged, counts.keys) == (3, 2, {"i0", "i1", "i2"})
    assert not Image.objects.exists()
    assert not Prompt.objects.exists()


def test_a_method_that_is_nearly_one_of_before_is_named(table: Table) -> None:
    import_items(table([{"item": "i1", "prompt": "a fox", "method": "SD 3.5"}]), prompt_set="p", log=RejectLog())
    later = [{"item": f"i{n}", "prompt": "a fox", "method": name} for n, name in ((2, "sd  3.5"), (3, "SD 3.5"))]
    for dry_run in (True, False):
        log = RejectLog()
        import_items(table(later), prompt_set="p", dry_run=dry_run, log=log)
        (warning,) = log.warnings
        assert "method: these names differ only in case" in warning
        assert 'count as different: "SD 3.5", "sd  3.5" (with U+0073 LATIN SMALL LETTER S at the start' in warning
        assert warning.endswith('Here already: "SD 3.5".')
