"""Where the texts of a study name images."""

import re
from unicodedata import normalize

from annotations.models import Item, Study

NAMED_IMAGE = re.compile(r"!\[([^\[\]\n]*)\]\(([^\s()\[\]/:\\]+)\)")
"""`![what it shows](name)`; an address is not a name."""


def named_images(study: Study) -> set[str]:
    """All image names in the study's texts, whether the study has the images or not. One query."""
    reasons = Item.with_checks.filter(study=study).exclude(reason="").values_list("reason", flat=True)
    translations = [text for words in study.words.values() for text in words.values()]
    texts = [study.instructions, study.consent, study.notes, *translations, *reasons]
    return {normalize("NFC", name) for text in texts for _words, name in NAMED_IMAGE.findall(text)}
