"""Published protocols: one press in the design form, every word stored, and recognised by what is asked."""

import json
from pathlib import Path

import pytest
from django.test import Client

from annotations.forms.dimensions import DimensionForm, preset_fields
from annotations.kinds.protocols import PROTOCOLS, Protocol, protocol_of
from annotations.models import Dimension, Study
from annotations.services.exports import study_description
from tests.factories import make_image, make_method, make_prompt, make_prompt_set, make_study, make_user

pytestmark = pytest.mark.django_db
EACH = pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)


@EACH
def test_its_questions_pass_the_design_form_unchanged(protocol: Protocol) -> None:
    asked = []
    for preset in protocol.questions:
        values = {name: value for name, value in preset_fields(preset).items() if value is not False}
        form = DimensionForm(values)
        assert form.is_valid(), form.errors
        asked.append(form.dimension())
    assert protocol_of(Study(item_kind=protocol.item_kind), asked) is protocol


@EACH
def test_the_document_has_its_source(protocol: Protocol) -> None:
    document = (Path(__file__).parents[3] / "docs" / "protocols.md").read_text()
    assert protocol.source.split(",")[0].split(";")[0] in document


def test_a_changed_word_is_no_longer_the_protocol() -> None:
    study = make_study(n_items=1, presets=PROTOCOLS["imagenhub"].questions)
    described = json.loads(study_description(study))
    assert described["protocol"] == {"key": "imagenhub", "version": 1, "source": "Ku et al., ICLR 2024"}
    assert described["dimensions"][0]["levels"][1] == {"value": "0.5", "label": "in part"}
    Dimension.objects.filter(name="perceptual-quality").update(question="Is it real?")
    assert json.loads(study_description(study))["protocol"] is None


def test_one_press_fills_in_what_is_shown_and_asked(client: Client) -> None:
    prompts = make_prompt_set()
    prompt = make_prompt(prompt_set=prompts)
    methods = [make_method(), make_method()]
    for method in methods:
        make_image(prompt=prompt, method=method)
    client.force_login(make_user(researcher=True))
    data = {
        "title": "kept",
        "item_kind": "image",
        "prompt_sets": [prompts.pk],
        "methods": [method.pk for method in methods],
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "0",
        "form-0-question": "mine",
        "action": "protocol:gecko-pairs",
    }
    page = client.post("/study/new/", data).content.decode()
    assert 'value="kept"' in page
    assert "Which image is more consistent with the prompt?" in page
    assert 'value="mine"' not in page
    assert 'value="pair" required' in page or 'value="pair"' in page
    checked = page.split('value="pair"')[1].split(">")[0]
    assert "checked" in checked
