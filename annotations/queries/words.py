"""A study's own words in other languages: raters read them, but they are never stored or analysed."""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from annotations.models import Dimension, Item, Study
from annotations.models.participation import plan_of


@dataclass(frozen=True)
class Text:
    """One text that raters read. `about` says where, in the researcher's language; `is_long` requests a large field."""

    text: str
    about: str
    is_long: bool = False


def texts_of(study: Study, dimensions: Iterable[Dimension]) -> list[Text]:
    """Every text of a study that raters read, each once, in the order in which they meet it."""
    found = [
        Text(study.title, _("Title")),
        Text(study.instructions, _("Instructions"), is_long=True),
        Text(study.consent, _("Consent"), is_long=True),
    ]
    for dimension in dimensions:
        found.append(Text(dimension.question, _("Question")))
        if dimension.kind != Dimension.Kind.RANKING:  # its levels are places, which are numbers
            found += [Text(level["label"], _("Answer")) for level in dimension.levels]
    plan = plan_of(study)
    found += [
        Text(plan.content_warning, _("Content warning"), is_long=True),
        Text(plan.screen_out_text, _("Message for raters who do not pass"), is_long=True),
        Text(plan.group_question, _("Question")),
        *(Text(group, _("Answer")) for group in plan.groups),
    ]
    explained = Item.with_checks.filter(study=study, role__in=(Item.Role.EXAMPLE, Item.Role.PRACTICE))
    reasons = explained.exclude(reason="").order_by("pk").values_list("reason", flat=True)
    found += [Text(reason, _("Why an answer is right"), is_long=True) for reason in reasons]
    return list({one.text: one for one in found if one.text.strip()}.values())


def said(study: Study, text: str) -> str:
    """A text of the study in the language of the page, or as it was written if there is no translation."""
    return study.words.get(get_language() or "", {}).get(text) or text


def asked(study: Study, dimensions: list[Dimension]) -> list[Dimension]:
    """The questions in the language of the page. Codes, values and their order are the stored ones."""
    if not study.words.get(get_language() or ""):
        return dimensions
    read = []
    for dimension in dimensions:
        own = copy(dimension)
        own.question = said(study, dimension.question)
        own.levels = [level | {"label": said(study, level["label"])} for level in dimension.levels]
        read.append(own)
    return read


def language_of(study: Study, dimension: Dimension, page: str) -> str:
    """The language in which a page in the language `page` asks this question: its own, or the original.

    dimension: as stored, not as returned by `asked`.
    """
    return page if study.words.get(page, {}).get(dimension.question) else study.main_language


def n_translated(study: Study, texts: Iterable[Text], language: str) -> int:
    return sum(bool(study.words.get(language, {}).get(one.text)) for one in texts)
