"""The report that `analyze` writes, opened as a file."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import BrowserContext

pytestmark = pytest.mark.browser


def test_a_note_in_a_wide_table_keeps_its_row_low(new_context: Callable[..., BrowserContext], tmp_path: Path) -> None:
    draw = random.Random(4)
    rows = ["method_a,method_b,winner,rater,prompt"]
    for _vote in range(300):
        first, second = draw.sample([f"model-{n}" for n in range(8)], 2)
        winner = draw.choice([first, second, "tie"])
        rows.append(f"{first},{second},{winner},r{draw.randint(1, 6)},p{draw.randint(1, 40)}")
    (tmp_path / "votes.csv").write_text("\n".join(rows))
    call_command("analyze", votes=tmp_path / "votes.csv", out=tmp_path / "report", quick=True)
    page = new_context().new_page()

    page.goto((tmp_path / "report" / "report.html").as_uri())

    notes = page.get_by_role("row").filter(has_text="cannot represent others")
    assert notes.count() > 0
    assert all(box and box["height"] < 200 for box in (row.bounding_box() for row in notes.all()))
