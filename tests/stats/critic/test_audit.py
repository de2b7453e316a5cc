"""The door to the critic's statistics, and several auditors' verdicts made one."""

import numpy as np
import pytest

from annotations.stats.critic.audit import CANNOT_TELL, PARTLY, RIGHT, WRONG, Audit, BadAudit, credit, settle_verdicts


def test_votes_ties_and_those_who_cannot_tell():
    votes = {
        0: [RIGHT, RIGHT, WRONG],  # most votes
        1: [RIGHT, WRONG],  # a tie stays open
        2: [CANNOT_TELL, CANNOT_TELL, WRONG],  # the one who can tell decides
        3: [CANNOT_TELL, CANNOT_TELL],
        4: [],
        5: [PARTLY],
    }
    claim = np.concatenate([[key] * len(given) for key, given in votes.items()]).astype(int)
    verdict = np.concatenate(list(votes.values())).astype(int)
    settled = settle_verdicts(claim, verdict, n_claims=6)
    assert settled.verdict.tolist() == [RIGHT, CANNOT_TELL, WRONG, CANNOT_TELL, -1, PARTLY]
    assert settled.open.tolist() == [False, True, False, False, False, False]
    assert settled.unanimous.tolist() == [False, False, False, True, False, False]
    assert settled.n_judged.tolist() == [3, 2, 3, 2, 0, 1]


def test_the_adjudicator_has_the_last_word_and_is_next_to_the_votes():
    settled = settle_verdicts([0, 0, 1], [RIGHT, WRONG, RIGHT], n_claims=2, adjudicated=[PARTLY, -1])
    assert settled.verdict.tolist() == [PARTLY, RIGHT]
    assert settled.adjudicated.tolist() == [True, False]
    assert not settled.open.any()
    assert settled.n_judged.tolist() == [2, 1]


def test_what_partly_counts_as():
    verdict = np.array([RIGHT, PARTLY, WRONG, CANNOT_TELL])
    assert credit(verdict, "right").tolist() == [1, 1, 0, 0]
    assert credit(verdict, "half").tolist() == [1, 0.5, 0, 0]
    assert credit(verdict, "wrong").tolist() == [1, 0, 0, 0]
    with pytest.raises(ValueError, match="right, half, wrong"):
        credit(verdict, "quarter")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"image": np.array([0, 9])}, "image"),
        ({"verdict": np.array([0, 4])}, "verdict"),
        ({"source": np.array([0])}, "source has shape"),
        ({"lists": np.array([0, -1])}, "lists"),
        ({"missed_image": np.array([2])}, "missed_image"),
        ({"missed_image": np.array([0]), "missed_lists": np.array([0])}, "missed_lists"),
        ({"facets": {"kind": np.array(["a"])}}, "facet kind has 1 labels"),
        ({"missed_facets": {"kind": np.array(["a"])}}, "per missed error"),
        ({"searched": np.array([True])}, "searched has shape"),
    ],
)
def test_malformed_audits_are_refused(given, words):
    arguments = {"n_images": 2, "image": np.array([0, 1]), "verdict": np.array([0, 2])} | given
    with pytest.raises(BadAudit, match=words):
        Audit(**arguments)


def test_verdict_codes_are_checked():
    with pytest.raises(BadAudit):
        settle_verdicts([0], [4], n_claims=1)
