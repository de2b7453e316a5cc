"""The language in which a question was read is stored with the answer and exported."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from annotations.models import Response, Study
from annotations.questions import ACCEPTANCE, ALIGNMENT
from annotations.services import rating as services
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db


def answer(study: Study, page: str, sent: str | None = None) -> dict[str, str]:
    """By question, the language that is stored when a rater whose pages are in `page` answers it.

    sent: the language that the card's form names, where it is not the page's own.
    """
    rater = make_rater(study)
    services.reserve(rater=rater)
    card = rater.assignments.get()
    client = Client(headers={"accept-language": page, "accept": "application/json"})
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
    shown = client.get(f"/rate/{study.token}/").content.decode()
    assert f'name="language" value="{page}"' in shown
    fields: dict[str, Any] = {f"d{dimension.pk}-0": "1" for dimension in study.dimensions.all()}
    fields["language"] = page if sent is None else sent
    assert client.post(f"/rate/{study.token}/answer/{card.token}/", fields).status_code == 200
    rows = Response.objects.filter(assignment=card)
    return dict(rows.values_list("dimension__name", "language"))


def test_it_is_that_of_the_words_that_were_read(client: Client) -> None:
    words = {"ar": {ALIGNMENT.question: "هل تطابق الصورة النص؟"}}
    study = make_study(n_items=1, k=5, presets=(ALIGNMENT, ACCEPTANCE), words=words)

    assert answer(study, "en") == {"alignment": "en", "acceptance": "en"}
    assert answer(study, "ar") == {"alignment": "ar", "acceptance": "en"}  # one of them has no Arabic words
    assert answer(study, "de") == {"alignment": "en", "acceptance": "en"}
    # Answered without a network, and sent after the rater had chosen another language.
    assert answer(study, "de", sent="ar") == {"alignment": "ar", "acceptance": "en"}
    assert answer(study, "en", sent="tlh") == {"alignment": "", "acceptance": ""}

    client.force_login(study.owner)
    file = client.get(f"/study/{study.token}/export/answers.csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(file.streaming_content).decode())))
    assert [row["language"] for row in rows if row["dimension"] == "alignment"] == ["en", "ar", "en", "ar", ""]
