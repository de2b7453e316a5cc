"""Who came from a panel, read by both clients from a real server, as long as the list is."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from annotations.models import Panel, PanelVisit
from annotations.services.exclusions import exclude_rater
from evalsite_client import AsyncEvalsite, Evalsite, Problem
from generation.models import Activity
from tests.factories import make_rater, make_study, make_token, make_user

State = PanelVisit.State


def test_who_came_from_a_panel_and_whom_to_pay(live_site: str, key: str) -> None:
    ruth = User.objects.get(username="ruth")
    study = make_study(owner=ruth)
    with Evalsite(live_site, key) as site:
        assert site.study(study.token).participants() == []
    panel = Panel.objects.create(study=study, participant_parameter="PROLIFIC_PID", completed_code="DONE")
    now = timezone.now()
    for participant, state in (("paid", State.COMPLETED), ("careless", State.COMPLETED), ("gone", State.RETURNED)):
        rater = make_rater(study, name=f"rater {participant}")
        panel.visits.create(participant=participant, session="s", rater=rater, state=state, ended_at=now)
        if participant == "careless":
            exclude_rater(rater=rater, reason="failed all checks", by=ruth)
    others = [PanelVisit(panel=panel, participant=f"visit {n:03}") for n in range(250)]
    PanelVisit.objects.bulk_create(others)

    with Evalsite(live_site, key) as site:
        rows = site.study(study.token).participants()
    assert [row["participant"] for row in rows[:3]] == ["paid", "careless", "gone"]
    assert [row["participant"] for row in rows[3:]] == [one.participant for one in others]
    assert [(row["state"], row["rater_name"], row["pay"], row["reason"]) for row in rows[:4]] == [
        ("completed", "rater paid", "approve", ""),
        ("completed", "rater careless", "reject", "failed all checks"),
        ("returned", "rater gone", "", ""),
        ("arrived", "", "", ""),
    ]
    # Anyone who reads the panel's identifiers is on record, once for each reading.
    assert Activity.objects.filter(details__file="participants (API)").count() == 2

    async def awaited() -> list[dict[str, Any]]:
        async with AsyncEvalsite(live_site, key) as site:
            return await (await site.study(study.token)).participants()

    with ThreadPoolExecutor(1) as thread:  # a browser test before may have left an event loop in this one
        assert thread.submit(asyncio.run, awaited()).result() == rows


def test_nobody_else_reads_them(live_site: str, key: str) -> None:
    study = make_study(owner=User.objects.get(username="ruth"))
    other = make_token(make_user("otto", researcher=True))
    with Evalsite(live_site, other) as site, pytest.raises(Problem) as refused:
        site.study(study.token).participants()
    assert refused.value.status == 404
