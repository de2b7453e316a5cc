"""A study's own words, in the language of the page."""

from django import template

from annotations.models import Study
from annotations.queries.words import said

register = template.Library()


@register.filter
def in_words(study: Study, field: str) -> str:
    """`{{ study|in_words:"title" }}`: a text of the study, translated where the study has a translation."""
    return said(study, getattr(study, field))


@register.filter
def words_of(text: str, study: Study) -> str:
    """`{{ plan.content_warning|words_of:study }}`: the same for a text that is stored elsewhere."""
    return said(study, text)
