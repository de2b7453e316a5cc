"""Asking that an image be made again, and what its page says of it."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from generation import availability, dispatch, tasks
from generation.models import Image, Reproduction
from generation.recipes.engine_spec import EngineSpec


def ask(image: Image) -> Reproduction:
    return dispatch.make_again(image=image, owner=None)[0]


def made_again(image: Image) -> Reproduction:
    """Asked for, and carried out as by a worker."""
    asked = ask(image)
    tasks.reproduce_image(asked.pk)
    asked.refresh_from_db()
    return asked


def text_of(page: Client, image: Image) -> str:
    """The part of the image's page about making it again, in words."""
    markup = page.get(reverse("image", args=[image.pk])).content.decode().split('id="again"')[1].split("</section>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def overwrite(image: Image, content: bytes) -> None:
    with default_storage.open(image.file.name or "", "wb") as stream:
        stream.write(content)


def with_engine(monkeypatch: pytest.MonkeyPatch, before: Callable[[], object]) -> None:
    """Have something happen when a worker asks for its engine."""
    engine_for = availability.engine_for

    def acting(spec: EngineSpec) -> Any:
        before()
        return engine_for(spec)

    monkeypatch.setattr(availability, "engine_for", acting)
