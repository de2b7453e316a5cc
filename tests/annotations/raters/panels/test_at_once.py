"""One person who opens the panel's link, agrees and begins several times at the same moment; each in a thread."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import Assignment, PanelVisit, Study
from tests.annotations.raters.test_panels import PID, SESSION, arrive, make_panel_study
from tests.annotations.test_rating_at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)
N = 8


def agree(client: Client, study: Study) -> str:
    """Where consent leads to."""
    answer = client.post(f"/join/{study.invitation}/", {"consent": "on"})
    assert answer.status_code == 302, answer.content
    return answer.headers["Location"]


@pytest.mark.parametrize("round_", range(3))
def test_a_person_who_comes_several_times_at_once_is_one_rater_with_one_batch(round_: int) -> None:
    study = make_panel_study(n_items=12, k=2, batch_size=3)
    n_users = User.objects.count()
    clients = [Client() for _ in range(N)]
    answers: list[int] = []
    at_once([lambda client=client: answers.append(arrive(client, study).status_code) for client in clients])  # type: ignore[misc]
    assert answers == [302] * N
    assert PanelVisit.objects.get().state == PanelVisit.State.ARRIVED

    # Half of them press twice in one browser.
    again = [Client() for _ in range(N // 2)]
    for client, other in zip(clients, again, strict=False):
        other.cookies = client.cookies.copy()
    led: list[str] = []
    at_once([lambda client=client: led.append(agree(client, study)) for client in (*clients, *again)])  # type: ignore[misc]

    assert led == [f"/rate/{study.token}/"] * (N + N // 2)
    rater = study.raters.get()
    assert User.objects.count() == n_users + 1
    assert PanelVisit.objects.get().rater == rater

    pages: list[int] = []
    at_once([lambda client=client: pages.append(client.get(f"/rate/{study.token}/").status_code) for client in clients])  # type: ignore[misc]
    assert pages == [200] * N
    held = Assignment.objects.filter(study=study)
    assert held.count() == sum(study.items.values_list("taken", flat=True))
    assert held.values("item").distinct().count() == held.count() <= 2 + N, "an item came twice"
    assert set(held.values_list("rater", flat=True)) == {rater.pk}


def test_arriving_with_everything_at_once_while_others_come_too() -> None:
    study = make_panel_study(n_items=12, k=2)
    clients = [Client() for _ in range(N)]
    people = [
        (PID, SESSION),
        (f"{PID}0", f"{SESSION}0"),
        (f"{PID}1", SESSION),
    ]  # the third under the first one's number
    statuses: list[tuple[str, int]] = []

    def come(client: Client, pid: str, session: str) -> None:
        statuses.append((pid, arrive(client, study, pid, session).status_code))

    at_once([lambda c=client, p=people[n % 3]: come(c, *p) for n, client in enumerate(clients)])  # type: ignore[misc]

    came = {pid for pid, status in statuses if status == 302}
    assert len(came) == 2, "the first and the third person have one submission: one of them is refused"
    assert f"{PID}0" in came
    assert {status for _pid, status in statuses} == {302, 403}
    assert PanelVisit.objects.count() == 2
