"""The form of an import, made of what its importer says it takes: the same for the web page and the API."""

from collections.abc import Sequence
from typing import Any, TypedDict

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generation.models import ImportRun
from generation.queries.importers import Importer
from generation.services.importers import check_options, importers


class Suggestions(TypedDict):
    id: str
    values: Sequence[str]


class ImportForm(forms.Form):
    """Files, options, and whether only to try. `suggestions` are the lists that option fields offer."""

    use_required_attribute = False

    def __init__(self, importer: Importer, owner: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.importer, self.owner = importer, owner
        self.suggestions: list[Suggestions] = []
        for role in importer.files:
            self.fields[role.name] = forms.FileField(
                label=str(role.title),
                help_text=str(role.help),
                required=role.required,
                max_length=255,
                widget=forms.ClearableFileInput(attrs={"accept": role.accepts}),
            )
        for option in importer.options:
            widget: forms.Widget = forms.Textarea(attrs={"rows": 2}) if option.several else forms.TextInput()
            if option.suggest is not None:
                name = f"suggest-{option.name}"
                self.suggestions.append({"id": name, "values": option.suggest(owner)})
                widget.attrs |= {"list": name, "autocomplete": "off"}
            self.fields[option.name] = forms.CharField(
                label=str(option.title),
                help_text=str(option.help),
                required=option.required,
                max_length=option.max_length,
                widget=widget,
            )
        self.fields["dry_run"] = forms.BooleanField(
            label=gettext_lazy("Try it first"),
            help_text=gettext_lazy("Reports what would be added and refused, and writes nothing."),
            required=False,
            initial=True,
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for role in self.importer.files:
            upload = cleaned.get(role.name)
            if isinstance(upload, UploadedFile) and (upload.size or 0) > settings.UPLOAD_MAX_BYTES:
                most = {"most": filesizeformat(settings.UPLOAD_MAX_BYTES)}
                self.add_error(role.name, _("This file is larger than %(most)s. Split it.") % most)
        if not self.errors:
            try:
                check_options(self.importer, self.options(), self.owner)
            except ValidationError as error:
                for name, problems in error.message_dict.items():
                    self.add_error(name if name in self.fields else None, problems)
        return cleaned

    def uploads(self) -> dict[str, File]:
        return {r.name: self.cleaned_data[r.name] for r in self.importer.files if self.cleaned_data.get(r.name)}

    def options(self) -> dict[str, str]:
        """The options that were filled in."""
        return {o.name: value for o in self.importer.options if (value := self.cleaned_data.get(o.name, ""))}


def described(run: ImportRun) -> list[tuple[str, str]]:
    """What a run was given, as (label, value), for its page."""
    importer = importers().get(run.kind)
    if importer is None:
        return []
    files = {importer.files[0].name: run.file_name}
    files |= {role: file["name"] for role, file in run.options.get("files", {}).items()}
    rows = [(str(role.title), files[role.name]) for role in importer.files if role.name in files]
    options = run.options.get("options", {})
    return rows + [(str(o.title), " ".join(options[o.name].split())) for o in importer.options if o.name in options]
