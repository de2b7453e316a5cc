"""The form of an import, made of what its importer says it takes: the same for the web page and the API."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generation.models import ImportRun
from generation.queries.importers import FileRole, Importer
from generation.services.imports.importers import check_options, importers

MOST_FILES = 50


class Suggestions(TypedDict):
    id: str
    values: Sequence[str]


class SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    """One file or several, each as a FileField checks it; a list."""

    widget = SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> Any:
        given = data if isinstance(data, list | tuple) else [data] if data else []
        if len(given) > MOST_FILES:
            raise ValidationError(_("Send at most %(n)d files at once.") % {"n": MOST_FILES})
        return [super(SeveralFilesField, self).clean(file, initial) for file in given or [None] if file or not given]


class ImportForm(forms.Form):
    """Files, options, and whether only to try. `suggestions` are the lists that option fields offer.

    several  whether the main file may be several, each of which becomes an import of its own
    """

    use_required_attribute = False

    def __init__(self, importer: Importer, owner: User, *args: Any, several: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.importer, self.owner = importer, owner
        self.suggestions: list[Suggestions] = []
        for role in importer.files:
            takes_several = several and role is importer.files[0]
            kind = SeveralFilesField if takes_several else forms.FileField
            widget_of_files = SeveralFiles if takes_several else forms.ClearableFileInput
            self.fields[role.name] = kind(
                label=str(role.title),
                help_text=_with_example(role, several=takes_several),
                required=role.required,
                max_length=255,
                widget=widget_of_files(attrs={"accept": role.accepts}),
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
            given = cleaned.get(role.name)
            for upload in given if isinstance(given, list) else [given]:
                if isinstance(upload, UploadedFile) and (upload.size or 0) > settings.UPLOAD_MAX_BYTES:
                    most = {"most": filesizeformat(settings.UPLOAD_MAX_BYTES), "name": upload.name}
                    self.add_error(role.name, _("%(name)s is larger than %(most)s. Split it.") % most)
        if not self.errors:
            try:
                check_options(self.importer, self.options(), self.owner)
            except ValidationError as error:
                for name, problems in error.message_dict.items():
                    self.add_error(name if name in self.fields else None, problems)
        return cleaned

    def ask_again_for_files(self) -> None:
        """No browser keeps a chosen file when a form comes back: say so at each."""
        for role in self.importer.files:
            if role.name in self.files and role.name not in self.errors:
                self.add_error(
                    role.name, _("Choose this file again: it was not kept, because another field has an error.")
                )

    def uploads_of_each(self) -> list[dict[str, File]]:
        """For each of several main files what its own import gets: itself, and the files next to it."""
        main, *others = [role.name for role in self.importer.files]
        beside = {name: self.cleaned_data[name] for name in others if self.cleaned_data.get(name)}
        return [{main: file, **beside} for file in self.cleaned_data[main]]

    def uploads(self) -> dict[str, File]:
        return {r.name: self.cleaned_data[r.name] for r in self.importer.files if self.cleaned_data.get(r.name)}

    def options(self) -> dict[str, str]:
        """The options that were filled in."""
        return {o.name: value for o in self.importer.options if (value := self.cleaned_data.get(o.name, ""))}


def _with_example(role: FileRole, *, several: bool) -> str:
    said = [str(role.help)]
    if several:
        said.append(_("Several files are imported one by one, with the same options."))
    text = " ".join(said)
    if not role.example:
        return text
    words = _("Example: %s") % Path(role.example).name
    return format_html('{} <a href="{}" download>{}</a>', text, static(role.example), words)


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
