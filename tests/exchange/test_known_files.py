"""Known prompt files come out in one shape, and no prompt is lost."""

import io
import json
from pathlib import Path

import pytest

from exchange.known_files import PromptRow, read_prompts
from exchange.rejects import BadFile, RejectLog


def prompts_of(content: str, name: str = "prompts", category: str = "") -> tuple[list[PromptRow], RejectLog]:
    log = RejectLog()
    return list(read_prompts(io.BytesIO(content.encode()), name=name, log=log, category=category)), log


def test_interacting_takes_the_category_from_the_file_name_or_the_caller() -> None:
    content = '{"topic": "cat-sail", "prompt": "A cat sails."}\n{"topic": "cat-sail", "prompt": "A cat sails on."}\n'
    for name, given, expected in (
        ("functional_600.jsonl", "", "functional"),
        ("up/Multi_Subject_200.jsonl", "", "multi_subject"),
        ("mine.jsonl", "", ""),
        ("functional_600.jsonl", "other", "other"),
    ):
        prompts, log = prompts_of(content, name, given)
        assert [prompt.category for prompt in prompts] == [expected] * 2
        assert not log
    assert [(prompt.topic, prompt.text, prompt.key) for prompt in prompts] == [
        ("cat-sail", "A cat sails.", ""),
        ("cat-sail", "A cat sails on.", ""),
    ]


def test_act2i_sample_shape() -> None:
    row = {
        "animal1": "Sheep", "animal2": "Boar", "action": "attacking", "phrase": "a Sheep attacking a Boar",
        "spatial": "S", "temporal": "T", "emotional": "E", "id": "1",
    }  # fmt: skip
    prompts, log = prompts_of(json.dumps([row]))
    assert not log
    assert prompts == [
        PromptRow(
            number=1,
            text="a Sheep attacking a Boar",
            key="1",
            metadata={"animal1": "Sheep", "animal2": "Boar", "action": "attacking"},
            variants={"spatial": "S", "temporal": "T", "emotional": "E"},
        )
    ]


def test_act2i_published_shape() -> None:
    header = (
        "base_prompt,spatial_prompt,temporal_prompt,emotional_prompt,"
        "rarity_label,emotional_valence,spatial_topology,temporal_extent"
    )
    prompts, log = prompts_of(f"{header}\na fox biting a hen,S,T,,rare,negative,contact,short\n")
    assert not log
    assert prompts[0].text == "a fox biting a hen"
    assert prompts[0].variants == {"spatial": "S", "temporal": "T"}
    assert prompts[0].metadata == {
        "rarity_label": "rare",
        "emotional_valence": "negative",
        "spatial_topology": "contact",
        "temporal_extent": "short",
    }


def test_named_columns() -> None:
    prompts, log = prompts_of(
        "Prompt,category,Sub-Category,topic,id,variant:rewritten,refined_prompt,negative_prompt,difficulty\n"
        "a red cube,shapes,solids,cube,c1,one red cube,a red cube on grey,blurry,3\n"
        "a blue ball,,,,c2,,,,\n"
    )
    assert not log
    assert prompts[0] == PromptRow(
        number=2,
        text="a red cube",
        category="shapes",
        sub_category="solids",
        topic="cube",
        key="c1",
        metadata={"negative_prompt": "blurry", "difficulty": "3"},
        variants={"rewritten": "one red cube", "refined": "a red cube on grey"},
    )
    assert prompts[1] == PromptRow(number=3, text="a blue ball", key="c2")


def test_text_is_understood_and_the_given_category_fills_gaps_only() -> None:
    prompts, _ = prompts_of("text,category\na,own\nb,\n", category="given")
    assert [(prompt.text, prompt.category) for prompt in prompts] == [("a", "own"), ("b", "given")]


def test_a_plain_list_has_a_prompt_on_every_line() -> None:
    content = 'A red fox, on a blue bicycle\n\n  a poster; text, "loud" \nprompt engineering\n'
    prompts, log = prompts_of(content, "up/Plain.TXT")
    assert [(prompt.number, prompt.text) for prompt in prompts] == [
        (1, "A red fox, on a blue bicycle"), (3, 'a poster; text, "loud"'), (4, "prompt engineering"),
    ]  # fmt: skip
    assert not log
    with pytest.raises(BadFile, match=r"ends in \.txt"):
        prompts_of(content, "plain.csv")


@pytest.mark.parametrize("name", ["drawbench.csv", "drawbench.txt"])
def test_published_headers_are_understood(name: str) -> None:
    prompts, _ = prompts_of("Prompts,Category\nA red colored car.,Colors\n", name)
    assert [(prompt.text, prompt.category) for prompt in prompts] == [("A red colored car.", "Colors")]
    prompts, _ = prompts_of("Prompt\tCategory\tChallenge\tNote\nbond\tAbstract\tBasic\tone\n", name)
    assert [(prompt.text, prompt.metadata["Challenge"]) for prompt in prompts] == [("bond", "Basic")]


def test_a_plain_list_of_the_first_words_of_a_header() -> None:
    prompts, _ = prompts_of("A poster, text, minimalist\na cat\n", "p.txt")
    assert len(prompts) == 2


def test_rows_without_text_and_keys_used_twice_are_rejected() -> None:
    prompts, log = prompts_of("key,prompt\n1,a\n2,\n1,b\n1,a\n")
    assert [(prompt.number, prompt.text) for prompt in prompts] == [(2, "a"), (5, "a")]
    assert [(reject.row, reject.field) for reject in log.first] == [(3, "prompt"), (4, "key")]
    assert "row 2" in log.first[1].problem


def test_json_lines_of_differing_keys() -> None:
    prompts, log = prompts_of('{"prompt": "a", "n": 1}\n{"prompt": "b", "m": {"x": 2}}\n{"promt": "c"}\n')
    assert [prompt.metadata for prompt in prompts] == [{"n": 1}, {"m": {"x": 2}}]
    assert log.first[0].row == 3


@pytest.mark.parametrize("content", ["name,age\nx,3\n", '{"question": "x"}'])
def test_no_column_with_prompts(content: str) -> None:
    with pytest.raises(BadFile, match='Name the column "prompt"'):
        prompts_of(content)


def test_a_header_alone() -> None:
    with pytest.raises(BadFile, match="no rows"):
        prompts_of("prompt,topic\n")


def test_where_only_bad_rows_are_there_the_log_says_so() -> None:
    prompts, log = prompts_of("prompt,topic\na,b,c\n")
    assert not prompts
    assert log.total == 1


def test_all_interacting_prompts_survive(prompt_files: Path) -> None:
    counts, doubles, log = {}, set(), RejectLog()
    for path in sorted(prompt_files.glob("*.jsonl")):
        prompts = list(read_prompts(path, name=path.name, log=log))
        counts[prompts[0].category] = len({(prompt.topic, prompt.text) for prompt in prompts})
        topics = [prompt.topic for prompt in prompts]
        doubles |= {(prompts[0].category, topic) for topic in topics if topics.count(topic) == 2}
    assert counts == {"functional": 24, "multi_subject": 12, "compositional": 12}
    assert len({topic for category, topic in doubles if category == "functional"}) == 2
    assert not log


def test_act2i_gives_each_prompt_three_variants(prompt_files: Path) -> None:
    log = RejectLog()
    path = prompt_files / "act2i_sample.json"
    prompts = list(read_prompts(path, name=path.name, log=log))
    assert len(prompts) == 5
    assert sum(len(prompt.variants) for prompt in prompts) == 15
    assert len({prompt.key for prompt in prompts}) == 5
    assert not log
