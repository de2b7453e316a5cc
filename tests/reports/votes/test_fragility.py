"""What is said about how few prompts, raters and votes decide who leads."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from annotations.reports.documents.supporting import ReportedFewest
from annotations.reports.outputs import text_files
from annotations.reports.votes.document import preference_document
from annotations.reports.votes.files import read_votes
from annotations.reports.votes.fragility import fragility_sentence
from annotations.reports.votes.ranking_files import read_rankings
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.votes import Votes
from exchange.rejects import RejectLog


def rows(questions: dict[str, Votes | Rankings]) -> list[dict[str, str]]:
    found = preference_document(questions, title="t", code_version="1", made_at="now")
    text = dict(text_files(found))["fragility.csv"].decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_a_file_of_votes_names_the_prompts_and_raters_that_decide(tmp_path: Path) -> None:
    # Nets of the prompts: cat 3, dog 1, sun −1; of the raters: ann 2, bob 1, cem 0.
    votes = [("cat", "ann", "A"), ("cat", "bob", "A"), ("cat", "cem", "A"), ("dog", "ann", "A"), ("dog", "bob", "tie")]
    votes += [("sun", "ann", "tie"), ("sun", "cem", "B")]
    file = tmp_path / "votes.csv"
    lines = (f"{prompt},{rater},B,A,{winner}\n" for prompt, rater, winner in votes)
    file.write_text("prompt,rater,method_a,method_b,winner\n" + "".join(lines), encoding="utf-8")
    found = {row["kind"]: row for row in rows(dict(read_votes(file, on_bad_value="error", log=RejectLog())))}
    assert [(row["dimension"], row["baseline"], row["refined"]) for row in found.values()] == [
        ("preference", "", "")
    ] * 3
    assert (found["prompts"]["fewest"], found["prompts"]["of"], found["prompts"]["names"]) == ("1", "3", "cat")
    assert (found["raters"]["fewest"], found["raters"]["of"], found["raters"]["names"]) == ("2", "3", "ann, bob")
    assert (found["votes"]["fewest"], found["votes"]["names"]) == ("3", "")


@pytest.mark.parametrize(("eve", "names"), [("eve", "eve, ann"), ("", "")])
def test_a_file_of_rankings_names_all_or_none(tmp_path: Path, eve: str, names: str) -> None:
    given = [("p1", "ann", "a > b > c"), ("p1", eve, "a > c > b"), ("p1", "dan", "a > b > c")]
    given += [("p2", "bob", "b > c > a"), ("p2", "ann", "a > b > c"), ("p3", "cem", "c > a > b")]
    file = tmp_path / "rankings.csv"
    lines = (f"{prompt},{rater},{ranking}\n" for prompt, rater, ranking in given)
    file.write_text("prompt,rater,ranking\n" + "".join(lines), encoding="utf-8")
    (rankings,) = read_rankings(file, on_bad_value="error", log=RejectLog()).values()
    found = {row["kind"]: row for row in rows({"q": rankings})}
    assert (found["prompts"]["fewest"], found["prompts"]["names"]) == ("1", "p1")
    assert (found["raters"]["fewest"], found["raters"]["of"], found["raters"]["names"]) == ("2", "5", names)


def one(kind: str, n: int | None, of: int, *names: str, is_exact: bool = True) -> ReportedFewest:
    return ReportedFewest(kind=kind, n=n, of=of, names=names, is_exact=is_exact)


class TestTheSentence:
    def test_few_are_named_and_many_are_not(self) -> None:
        fewest = (one("prompts", 4, 9, *"abcd"), one("raters", 1, 3, "ann"), one("votes", 12, 90, is_exact=False))
        assert fragility_sentence(fewest) == (
            "The lead would be gone without 4 of 9 prompts, 1 of 3 raters (ann) or 12 of 90 votes (possibly fewer)."
        )
        of_prompts = one("prompts", 2, 9, "A red circle, number 80.", "A cat…")
        assert fragility_sentence((of_prompts,)) == (
            "The lead would be gone without 2 of 9 prompts (“A red circle, number 80”, “A cat…”)."
        )
        assert fragility_sentence((one("raters", 2, 3, "ann", "bob", is_exact=False),)) == (
            "The lead would be gone without 2 of 3 raters (ann, bob; possibly fewer)."
        )

    def test_what_was_searched_without_a_change_is_said(self) -> None:
        fewest = (one("prompts", 1, 9), one("raters", None, 3), one("votes", None, 90, is_exact=False))
        assert fragility_sentence(fewest) == (
            "The lead would be gone without 1 of 9 prompts. "
            "Leaving out raters never takes the lead away, whichever are chosen. "
            "A search found no votes without which the lead would be gone."
        )

    def test_without_a_leader_or_with_one_rater_there_is_nothing_to_say(self) -> None:
        assert fragility_sentence((one("prompts", 0, 9), one("raters", 0, 3))) == ""
        assert fragility_sentence((one("raters", None, 1),)) == ""


def test_eighty_rankings_that_only_most_prompts_decide() -> None:
    """Sixteen prompts, five raters: a is first on average, and no half of the prompts changes that."""
    rng = np.random.default_rng(4)
    prompt, rater = np.repeat(np.arange(16), 5), np.tile(np.arange(5), 16)
    score = np.array([1.2, 0, 0]) + rng.normal(0, 0.8, (16, 3))[prompt] + rng.gumbel(size=(80, 3))
    rank = np.tile([1, 2, 3], (80, 1))
    rankings = Rankings(["a", "b", "c"], np.argsort(-score, axis=1), rank, rater=rater, prompt=prompt)
    part = preference_document({"q": rankings}, title="t", code_version="1", made_at="now").preferences[0]
    of_prompts = next(one for one in part.fewest if one.kind == "prompts")
    assert of_prompts.n is not None
    assert 8 < of_prompts.n < 16
    assert f"The lead would be gone without {of_prompts.n} of 16 prompts" in fragility_sentence(part.fewest)
