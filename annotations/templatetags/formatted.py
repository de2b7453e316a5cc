"""Text that researchers write for raters, with the little formatting that it may have."""

from django import template
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

register = template.Library()

# Paragraphs, lists, emphasis and line breaks of CommonMark; no links, images or HTML, which come out as they are typed.
_MARKDOWN = MarkdownIt("zero", {"breaks": True}).enable(["list", "emphasis", "escape", "newline"])


@register.filter
def formatted(text: str) -> SafeString:
    """HTML of the text: everything in it that is not formatting is escaped."""
    return mark_safe(_MARKDOWN.render(text))  # noqa: S308 (the renderer escapes, and passes no HTML through)
