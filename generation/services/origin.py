"""The origin of imported rows, and whose rights decide what may be written."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from exchange.rejects import BadFile, bad_file
from generation.models import ImportRun, PromptSet


@dataclass(frozen=True)
class Origin:
    """Who adds rows, and through which import.

    Without an import, and in one by a command on the server, every set may be added to; not so by a call of the API.
    """

    user: User | None = None
    import_run: ImportRun | None = None
    by_api: bool = False

    @property
    def fields(self) -> dict[str, Any]:
        """Values of the columns of `models.added.Added`."""
        return {"added_by": self.user, "import_run": self.import_run}

    @property
    def ids(self) -> tuple[int | None, int | None]:
        """The same as keys: of the user and of the import."""
        return (None if self.user is None else self.user.pk), (None if self.import_run is None else self.import_run.pk)

    @property
    def is_bounded(self) -> bool:
        return self.by_api or (self.import_run is not None and not self.import_run.is_by_command)

    def sets(self) -> QuerySet[PromptSet] | None:
        """The prompt sets that may be added to; None for all of the site."""
        return PromptSet.objects.changeable_by(self.user) if self.is_bounded else None

    def refusal(self, prompt_set: PromptSet, *, file: str) -> BadFile | None:
        """Why nothing of this file may be added to a set; None where it may."""
        if not self.is_bounded or prompt_set.pk is None or prompt_set.may_be_changed_by(self.user):
            return None
        return bad_file(file, *not_yours(prompt_set))


def not_yours(prompt_set: PromptSet) -> tuple[str, str]:
    """(problem, cure) for somebody who may not add to a set."""
    name = prompt_set.name
    if prompt_set.owner is None:
        cure = "ask an administrator of this site to give it an owner, or import under another name"
        return f'the prompt set "{name}" has no owner, so that only administrators add to it', cure
    owner = prompt_set.owner.get_username()
    return (
        f'the prompt set "{name}" belongs to {owner}',
        f"ask {owner} to name you among its editors, on its page, or import under another name",
    )
