"""The page on critics and the ledger of claims: access, contents, number of queries, downloads."""

import csv
import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotations.models import Membership, Study, Verdict
from annotations.queries.audits.ledger import LEDGER
from annotations.queries.audits.work import study_images
from annotations.reports.critic.tables import CRITIC
from annotations.services.audits import make_plan, record_simulated_audits
from generation.models import Claim, Critique
from tests.annotations.audits.audit_rows import CRITIC as ZEPHYR
from tests.annotations.audits.audit_rows import OTHER_CRITIC, make_audited_study, make_critique
from tests.annotations.audits.test_critic_data import X, Y, audit, audited_study, claims_of, worked_example
from tests.factories import make_member, make_study, make_user

pytestmark = pytest.mark.django_db
CHART = '<svg class="chart"'
PAGES = ("critic/", "critic/critic.csv", "critic/report.html", "critic/report.json", "claims/", "claims/claims.csv")


@pytest.fixture(autouse=True)
def _fresh() -> None:
    """Nothing remembered from another test."""
    cache.clear()


@pytest.fixture
def study() -> Study:
    return worked_example()[0]


def get(client: Client, study: Study, rest: str) -> str:
    response = client.get(f"/study/{study.token}/{rest}")
    assert response.status_code == 200, response.status_code
    if isinstance(response, StreamingHttpResponse):
        return b"".join(response.streaming_content).decode()  # type: ignore[arg-type]
    return response.content.decode()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_researchers_of_the_study_see_it_and_nobody_else(client: Client, study: Study) -> None:
    addresses = [f"/study/{study.token}/{rest}" for rest in PAGES]
    auditor = make_member(study, role=Membership.Role.AUDITOR)
    for user, status in (
        (study.owner, 200),
        (make_member(study), 200),
        (make_user(is_superuser=True), 200),
        (make_user(researcher=True), 403),
        (auditor, 403),
        (make_study().owner, 403),
    ):
        client.force_login(user)
        assert [client.get(address).status_code for address in addresses] == [status] * len(PAGES), user
    client.logout()
    for address in addresses:
        assert client.get(address).headers["Location"] == f"/sign-in/?next={address}"


def test_the_answer_comes_first_and_each_section_is_a_picture_before_its_figures(client: Client, study: Study) -> None:
    client.force_login(study.owner)

    text = get(client, study, "critic/")

    assert f"{ZEPHYR}: of 7 judged claims 42.9% are right" in text
    assert text.index("of 7 judged claims") < text.index(CHART) < text.index("<table")
    titles = re.findall(r'<h2 class="part"[^>]*>([^<]+)</h2>', text)
    assert titles[:2] == ["How far to trust it", "Compared with controls"]
    assert "Do auditors agree?" in titles
    assert "3 of these auditors are simulated" in text
    assert text.count(CHART) >= 4


def test_an_empty_study_says_what_to_do(client: Client) -> None:
    study = make_audited_study()
    client.force_login(study.owner)
    assert "No claim has been judged yet" in get(client, study, "critic/")
    assert reverse("study-audit", args=[study.token]) in get(client, study, "critic/")
    assert "No claim fits" in get(client, study, "claims/")
    assert client.get(f"/study/{study.token}/critic/critic.csv").status_code == 404


def test_the_convention_for_partly_right_is_chosen_and_named(client: Client, study: Study) -> None:
    Verdict.objects.filter(value="right").update(value="partly")
    client.force_login(study.owner)
    shares = {}
    for partly in ("right", "half", "wrong", "nonsense"):
        [row] = [
            r
            for r in rows_of(get(client, study, f"critic/critic.csv?partly={partly}&facet=overall"))
            if r["statistic"] == "accuracy"
        ]
        shares[partly] = float(row["value"])
        assert f"counts as {partly if partly != 'nonsense' else 'half'}" in row["method"]
    assert shares == {
        "right": pytest.approx(3 / 7),
        "half": pytest.approx(1.5 / 7),
        "wrong": 0.0,
        "nonsense": pytest.approx(1.5 / 7),
    }


def test_each_download_is_exactly_what_its_section_shows(client: Client, study: Study) -> None:
    client.force_login(study.owner)
    text = get(client, study, "critic/")
    links = re.findall(r'class="download no-print" href="([^"]+)"', text)
    assert len(links) == text.count('class="section-head"')
    for link in links:
        response = client.get(link.replace("&amp;", "&"))
        assert response.status_code == 200, link
        assert "attachment" in response.headers["Content-Disposition"]
    whole = rows_of(get(client, study, "critic/critic.csv"))
    alone = rows_of(get(client, study, "critic/critic.csv?facet=auditor"))
    assert {row["facet"] for row in alone} == {"auditor"}
    assert [row for row in whole if row["facet"] == "auditor"] == alone
    assert tuple(whole[0]) == CRITIC


def test_report_files_are_self_contained(client: Client, study: Study) -> None:
    client.force_login(study.owner)
    page = get(client, study, "critic/report.html")
    assert "<style>" in page
    assert not [word for word in ("<script", "http-equiv", 'src="') if word in page]
    document = json.loads(get(client, study, "critic/report.json"))
    assert (document["made"]["seed"], document["made"]["partly"]) == (0, "half")
    assert client.get(f"/study/{study.token}/critic/report.exe").status_code == 404
    assert client.get(f"/study/{study.token}/critic/nothing.csv").status_code == 404
    assert client.get(f"/study/{study.token}/claims/claims.exe").status_code == 404


def test_a_new_verdict_is_in_the_next_look(client: Client, study: Study) -> None:
    client.force_login(study.owner)
    assert "of 7 judged claims" in get(client, study, "critic/")
    image = study.audit_plan.items.get(image=study.audit_plan.items.order_by("image_id")[2].image_id).image
    open_claim = claims_of(image)[1]
    auditor = study.auditors.get(name=Y)
    Verdict.objects.create(study=study, claim_id=open_claim, auditor=auditor, value="right", answered_at=timezone.now())
    assert "of 8 judged claims 50.0% are right" in get(client, study, "critic/")


def test_an_unchanged_study_is_not_computed_again(client: Client, study: Study) -> None:
    client.force_login(study.owner)
    with CaptureQueriesContext(connection) as first_queries:
        first = get(client, study, "critic/")
    with CaptureQueriesContext(connection) as second_queries:
        second = get(client, study, "critic/")
    reading = 'FROM "generation_claim"'
    assert any(reading in query["sql"] for query in first_queries)
    assert not any(reading in query["sql"] for query in second_queries)
    assert re.sub(r"(csrf|nonce)[^>]*", "", second) == re.sub(r"(csrf|nonce)[^>]*", "", first)


def test_two_critics_are_compared(client: Client) -> None:
    study = make_audited_study(n_images=6)
    images = [critique.image for critique in study_critiques(study)]
    for image in images:
        make_critique(image, ["another view"], critic=OTHER_CRITIC)
    plan = make_plan(study=study, state="open")
    rows = []
    for n, image in enumerate(images):
        one, two, other = claims_of(image)
        rows.append(
            audit(X, image, {one: "right", two: "right" if n else "wrong", other: "right" if n > 3 else "wrong"})
        )
    record_simulated_audits(plan=plan, audits=rows)
    client.force_login(study.owner)

    text = get(client, study, "critic/")

    assert "Critics compared" in text
    [row] = [r for r in rows_of(get(client, study, "critic/critic_differences.csv")) if r["statistic"] == "accuracy"]
    assert (row["first"], row["second"], row["n_images"]) == (OTHER_CRITIC, ZEPHYR, "6")
    assert float(row["difference"]) == pytest.approx(2 / 6 - 11 / 12)


def study_critiques(study: Study) -> list[Any]:
    return list(Critique.objects.filter(image__in=study_images(study)).select_related("image").order_by("image_id"))


class TestLedger:
    def test_a_claim_is_shown_with_every_verdict_and_what_became_of_it(self, client: Client, study: Study) -> None:
        client.force_login(study.owner)
        text = get(client, study, "claims/")
        adjudicated = text[text.index("Claim 0 about picture 1.") :]
        adjudicated = adjudicated[: adjudicated.index("</article>")]
        assert f"<bdi>{X}</bdi>: <b>right</b>" in adjudicated
        assert f"<bdi>{Y}</bdi>: <b>wrong</b> (it misread the image)" in adjudicated
        assert re.search(r"z</bdi>: <b>wrong</b>.*adjudication", adjudicated)
        assert 'class="verdict wrong"' in adjudicated
        assert "error 1 of this image" in text
        assert 'class="badge">wrong image<' in text

    @pytest.mark.parametrize(
        ("query", "n"),
        [
            ("settled=right", 4),
            ("settled=right&source=critic", 3),
            ("settled=cannot_tell", 1),
            ("source=planted", 4),
            ("source=nonsense", 16),
            ("settled=nonsense", 16),
            ("q=picture+2", 4),
            ("kind=relation", 16),
            ("kind=other", 0),
        ],
    )
    def test_filters_hold_for_the_page_and_for_the_files(
        self, client: Client, study: Study, query: str, n: int
    ) -> None:
        client.force_login(study.owner)
        assert get(client, study, f"claims/?{query}").count("<article") == n
        rows = rows_of(get(client, study, f"claims/claims.csv?{query}"))
        lines = [json.loads(line) for line in get(client, study, f"claims/claims.jsonl?{query}").splitlines()]
        assert (len(rows), len(lines)) == (n, n)
        assert [row["claim_id"] for row in rows] == [str(line["claim_id"]) for line in lines]

    def test_json_lines_hold_the_verdicts_as_objects(self, client: Client, study: Study) -> None:
        client.force_login(study.owner)
        line = json.loads(get(client, study, "claims/claims.jsonl?q=Claim+0+about+picture+1").splitlines()[0])
        assert list(line) == [column.name for column in LEDGER]
        assert [(one["auditor"], one["verdict"], one["adjudication"]) for one in line["verdicts"]] == [
            (X, "right", False),
            (Y, "wrong", False),
            ("z", "wrong", True),
        ]

    def test_texts_of_critics_cannot_break_out(self, client: Client, study: Study) -> None:
        Claim.objects.filter(text="Claim 0 about picture 0.").update(text="=1+1 <script>alert(1)</script>")
        client.force_login(study.owner)
        assert "<script>alert" not in get(client, study, "claims/")
        assert "'=1+1 <script>" in get(client, study, "claims/claims.csv")

    @pytest.mark.parametrize("n", [2, 14])
    def test_pages_cost_the_same_whatever_the_size(
        self, client: Client, django_assert_num_queries: Callable[..., Any], n: int
    ) -> None:
        study, plan, images = audited_study(n_images=n)
        record_simulated_audits(
            plan=plan,
            audits=[
                audit(who, i, dict.fromkeys(claims_of(i), "right"), errors=("e",)) for i in images for who in (X, Y)
            ],
        )
        client.force_login(study.owner)
        with django_assert_num_queries(28):
            get(client, study, "critic/")
        with django_assert_num_queries(12):
            get(client, study, "critic/")
        with django_assert_num_queries(18):
            get(client, study, "claims/")

    def test_long_ledgers_come_in_pages(self, client: Client) -> None:
        study, plan, images = audited_study(n_images=25)
        work = [audit(X, image, dict.fromkeys(claims_of(image), "right")) for image in images]
        record_simulated_audits(plan=plan, audits=work)
        client.force_login(study.owner)
        assert get(client, study, "claims/").count("<article") == 40
        assert "Page 2 of 2" in get(client, study, "claims/?page=2")
        assert get(client, study, "claims/?page=2").count("<article") == 10


def test_a_studys_exported_verdicts_give_the_same_accuracy_by_command(
    client: Client, study: Study, tmp_path: Path
) -> None:
    claim = Claim.objects.get(text="Claim 0 about picture 0.")
    Verdict.objects.create(  # what its auditor said before: exported, and not counted
        study=study,
        claim=claim,
        auditor=study.auditors.get(name=X),
        value="wrong",
        is_current=False,
        revision=7,
        answered_at=timezone.now(),
    )
    client.force_login(study.owner)
    (tmp_path / "verdicts.csv").write_text(get(client, study, "export/verdicts.csv"), encoding="utf-8")

    files = {"verdicts": tmp_path / "verdicts.csv", "out": tmp_path}
    call_command("analyze_critic", **files, resamples=100, quick=True, verbosity=0)

    def of(text: str, statistic: str) -> list[tuple[str, ...]]:
        names = ("value", "wilson_low", "wilson_high", "n_judged", "n_right", "n_wrong", "n_cannot_tell")
        rows = [row for row in rows_of(text) if (row["facet"], row["statistic"]) == ("overall", statistic)]
        return [tuple(row[name] for name in names) for row in rows]

    here, there = get(client, study, "critic/critic.csv"), (tmp_path / "critic.csv").read_text(encoding="utf-8")
    for statistic in ("accuracy", "control_accuracy", "planted_claims_accepted"):
        assert of(here, statistic) == of(there, statistic) != []
    same = rows_of(get(client, study, "critic/verdict_agreement.csv"))
    again = rows_of((tmp_path / "verdict_agreement.csv").read_text(encoding="utf-8"))
    shares = [row["statistic"] for row in same if row["statistic"].endswith("_share")]
    assert len(shares) == 3
    for name in shares:
        assert {r["value"] for r in same if r["statistic"] == name} == {
            r["value"] for r in again if r["statistic"] == name
        }
