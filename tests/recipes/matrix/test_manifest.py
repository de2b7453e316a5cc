"""A manifest names what made each image, and each image that it began from."""

import io
import json

import pytest

from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import manifest
from generation.recipes.matrix.manifest import BadManifest, Record, Start

REQUEST = {
    "prompt": "A fox stirs a stew.",
    "seed": 7,
    "n_steps": 28,
    "guidance": 4.5,
    "width": 64,
    "height": 64,
    "negative_prompt": "",
    "keep_after": [3],
}


def record(name: str, **fields: object) -> Record:
    values = {
        "prompt": "A fox stirs a stew.",
        "method": "baseline",
        "seed": 7,
        "round": 0,
        "sha256": "aa",
        "pixels": "bb",
        "engine": EngineSpec("sd3", {"model": "tiny"}),
        "identity": {"torch": "2.13.0"},
        "request": REQUEST,
        **fields,
    }
    return Record(id=name, **values)  # type: ignore[arg-type]


BASELINE = record("a")
REFINED = record("b", start=Start("renoise", "a", 2, sha256="cc", noise_seed=7), round=1)
CHOSEN = record("c", copied_from="b", engine=None, identity={}, request={})


def as_text(*records: Record) -> str:
    stream = io.StringIO()
    manifest.write(records, stream)
    return stream.getvalue()


def test_what_is_written_is_read_again_each_after_what_it_needs() -> None:
    assert manifest.read(io.StringIO(as_text(CHOSEN, REFINED, BASELINE))) == [BASELINE, REFINED, CHOSEN]


def test_a_record_gives_the_request_that_made_it() -> None:
    request = manifest.read(io.StringIO(as_text(BASELINE)))[0].draw_request()

    assert (request.prompt, request.seed, request.n_steps, request.keep_after) == ("A fox stirs a stew.", 7, 28, (3,))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("{}\n", "Line 1: the first line must be"),
        ("no json\n", "Line 1: this is not JSON"),
        (as_text(BASELINE) + "[]\n", "Line 3: a record is a JSON object"),
        (as_text(BASELINE) + '{"id": "x"}\n', "Line 3: this is not an image's record"),
        (as_text(BASELINE, BASELINE), "Line 3: a is there twice"),
        (as_text(REFINED), "b begins from a, which is not in the manifest"),
        (as_text(record("a", copied_from="b"), record("b", copied_from="a")), "begins from itself"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(BadManifest, match=says):
        manifest.read(io.StringIO(text))


def test_no_key_is_in_it() -> None:
    rows = [json.loads(line) for line in as_text(BASELINE).splitlines()]
    assert set(rows[1]["engine"]) == {"engine", "options"}
