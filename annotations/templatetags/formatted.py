"""Text that researchers write for raters, with its limited formatting."""

from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import normalize

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from annotations.models import Study, TextImage
from annotations.queries.raters.text_images import NAMED_IMAGE

register = template.Library()


@register.filter
def formatted(text: str, study: Study | None = None) -> SafeString:
    """HTML of the text: everything in it that is not formatting is escaped.

    `![what it shows](name)` shows the image of that name, if it is one of the study's own. For a missing image, readers
    see its description. An address in such brackets is shown as typed, so no page requests an image from another
    server.
    """
    images: dict[str, TextImage] = {}
    if study is not None and study.pk and "![" in text:
        images = {image.name: image for image in study.text_images.all()}
    return mark_safe(_MARKDOWN.render(text, {"images": images}))  # noqa: S308 (everything but formatting is escaped)


def _study_image(state: StateInline, silent: bool) -> bool:
    """An image of the study at this place of the text, or the description of a missing one."""
    found = NAMED_IMAGE.match(state.src, state.pos)
    if found is None:
        return False
    image = state.env["images"].get(normalize("NFC", found[2]))
    if not silent and image is not None:
        token = state.push("study_image", "img", 0)
        token.content, token.meta = found[1], {"image": image}
    elif not silent:
        state.push("text", "", 0).content = found[1]
    state.pos = found.end()
    return True


def _drawn(_renderer: object, tokens: Sequence[Token], index: int, _options: object, _env: Mapping[str, Any]) -> str:
    image = tokens[index].meta["image"]
    return format_html(
        '<img src="{}" width="{}" height="{}" alt="{}" loading="lazy">',
        reverse("text-image", args=[image.token]),
        image.width,
        image.height,
        tokens[index].content,
    )


# Paragraphs, lists, emphasis and line breaks of CommonMark; no links or HTML, which are shown as typed.
_MARKDOWN = MarkdownIt("zero", {"breaks": True}).enable(["list", "emphasis", "escape", "newline"])
_MARKDOWN.inline.ruler.before("emphasis", "study_image", _study_image)
_MARKDOWN.add_render_rule("study_image", _drawn)
