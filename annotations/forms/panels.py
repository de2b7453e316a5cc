"""The settings of a study's panel."""

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext as _

from annotations.models import Panel

if TYPE_CHECKING:
    PanelModelForm = forms.ModelForm[Panel]
else:
    PanelModelForm = forms.ModelForm  # Django's forms take no type arguments when they run

CODES = ("completed_code", "screened_out_code", "no_consent_code", "returned_code")
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def new_codes() -> dict[str, str]:
    """A random code per outcome of a visit, so that nobody can guess the one for a completed study."""
    return {name: "".join(secrets.choice(LETTERS) for _letter in range(8)) for name in CODES}


class PanelForm(PanelModelForm):
    """Parameters of the link, and the codes with which participants return."""

    use_required_attribute = False

    class Meta:
        model = Panel
        fields = [
            *("panel_study", *CODES, "return_address", "is_only_way"),
            *("participant_parameter", "session_parameter", "study_parameter"),
        ]

    def clean_return_address(self) -> str:
        address: str = self.cleaned_data["return_address"].strip()
        if address and urlsplit(address).scheme not in ("http", "https"):
            raise forms.ValidationError(_("The address must begin with https://."))
        return address

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        codes = [cleaned[name] for name in CODES if cleaned.get(name)]
        if len(set(codes)) < len(codes):
            self.add_error("screened_out_code", _("Two codes are the same: the panel could not tell them apart."))
        return cleaned
