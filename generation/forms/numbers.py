"""Whole numbers as people write several of them: "42, 45", "42–45", one per line."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MOST_NUMBERS = 1_000
LARGEST = 2**63 - 1
DASHES = re.compile(r"\s*[-–—…]\s*")


def read_numbers(text: str) -> tuple[int, ...]:
    """Every number once, in the order in which they come. Raises ValidationError naming what is not a number."""
    found: dict[int, None] = {}
    for piece in filter(None, re.split(r"[,;\s]+", DASHES.sub("-", text.strip()))):
        match = re.fullmatch(r"([0-9]{1,19})(?:-([0-9]{1,19}))?", piece)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first or last > LARGEST:
            raise ValidationError(
                _("“%(piece)s” is neither a number nor a range such as 42–45.") % {"piece": piece[:30]}
            )
        if last - first >= MOST_NUMBERS or len(found) + last - first >= MOST_NUMBERS:
            raise ValidationError(_("At most %(most)s numbers.") % {"most": MOST_NUMBERS})
        found |= dict.fromkeys(range(first, last + 1))
    return tuple(found)


class NumbersField(forms.CharField):
    """Cleans to a tuple of different whole numbers, from 0."""

    def clean(self, value: Any) -> Any:
        return read_numbers(super().clean(value) or "")
