"""The columns of the tables are explained in docs/methods/preferences.md."""

from pathlib import Path

import pytest

from annotations.reports.votes.tables import PAIRS, PREFERENCES, STRENGTHS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "methods" / "preferences.md"
OBVIOUS = {"method", "method_a", "method_b", "question", "low", "high"}


@pytest.mark.parametrize("columns", [STRENGTHS, PREFERENCES, PAIRS], ids=["strengths", "preferences", "pairs"])
def test_every_column_is_named(columns: tuple[str, ...]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    ends = {"prompts_high", "raters_low", "mean_rank_low", "mean_rank_high", "log_odds_low", "log_odds_high"}
    assert [name for name in columns if name not in OBVIOUS | ends and f"`{name}`" not in text] == []
