"""The imports that this app offers. `importers` finds them, and other apps' beside them."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from generation.models import PromptSet
from generation.queries.importers import Counts, FileRole, Importer, Job, Option
from generation.services.critiques import import_critiques
from generation.services.images import import_images
from generation.services.items import import_items
from generation.services.prompts import import_prompts
from generation.services.scores import import_scores

TABLE = _("CSV, TSV, JSON lines, JSON or Parquet; the content decides, not the name.")


def prompt_set_names(owner: User | None) -> Sequence[str]:
    return list(PromptSet.objects.order_by("-pk").values_list("name", flat=True)[:200])


PROMPT_SET = Option(
    "prompt_set",
    _("Prompt set"),
    _("Its name. A new name makes a new set."),
    required=True,
    suggest=prompt_set_names,
)
WHICH_PROMPT_SET = Option(
    "prompt_set",
    _("Prompt set"),
    _("The set whose images are meant. Empty: all images here; their keys must then be unique."),
    suggest=prompt_set_names,
)
METHOD = Option("method", _("Method"), _("For images whose row names none. Empty: “imported”."))


def _prompts(job: Job) -> Counts:
    return import_prompts(
        job.source,
        prompt_set=job.options["prompt_set"],
        category=job.options.get("category", ""),
        owner=job.owner,
        dry_run=job.dry_run,
        progress=job.progress,
        log=job.log,
    )


def _images(job: Job) -> Counts:
    return import_images(
        job.source,
        prompt_set=job.options["prompt_set"],
        method=job.options.get("method", ""),
        owner=job.owner,
        dry_run=job.dry_run,
        progress=job.progress,
        log=job.log,
    )


def _items(job: Job) -> Counts:
    return import_items(
        job.source,
        prompt_set=job.options["prompt_set"],
        method=job.options.get("method", ""),
        owner=job.owner,
        dry_run=job.dry_run,
        progress=job.progress,
        log=job.log,
    )


def _scores(job: Job) -> Counts:
    return import_scores(
        job.source,
        prompt_set=job.options.get("prompt_set", ""),
        known=job.known,
        dry_run=job.dry_run,
        progress=job.progress,
        log=job.log,
    )


def _critiques(job: Job) -> Counts:
    return import_critiques(
        job.source,
        critic=job.options.get("critic", ""),
        prompt_set=job.options.get("prompt_set", ""),
        known=job.known,
        dry_run=job.dry_run,
        progress=job.progress,
        log=job.log,
    )


IMPORTERS = (
    Importer(
        kind="prompts",
        title=_("Prompts"),
        help=_(
            "One prompt a row: a column “prompt” or “text”; category, sub_category, topic and key are understood, "
            "further columns are kept. InterActing’s and AcT2I’s own files are read as they are, with their variants."
        ),
        files=(FileRole("table", _("Prompts"), TABLE),),
        options=(
            PROMPT_SET,
            Option("category", _("Category"), _("For rows without one."), max_length=100),
        ),
        run=_prompts,
        position=10,
    ),
    Importer(
        kind="images",
        title=_("Images"),
        help=_(
            "A zip of PNG, JPEG or WebP files and manifest.csv with the columns image, prompt (or prompt_key), method, "
            "and perhaps seed, parent, round, key; or pairs.csv with prompt, baseline, refined. "
            "Refined images are linked to what they were refined from."
        ),
        files=(FileRole("bundle", _("Images and manifest"), _("One zip file."), accepts=".zip"),),
        options=(PROMPT_SET, METHOD),
        run=_images,
        position=20,
    ),
    Importer(
        kind="items",
        title=_("Images without files"),
        help=_(
            "For analysis alone, where the files are elsewhere: the columns item, prompt (or prompt_id) and method "
            "(or model, generator); further columns are kept as facets."
        ),
        files=(FileRole("table", _("Items"), TABLE),),
        options=(PROMPT_SET, METHOD),
        run=_items,
        position=30,
    ),
    Importer(
        kind="scores",
        title=_("Metric scores"),
        help=_("The columns image (or item, key, sha256, file), metric, value and perhaps version; one score a row."),
        files=(FileRole("table", _("Scores"), TABLE),),
        options=(WHICH_PROMPT_SET,),
        run=_scores,
        position=50,
    ),
    Importer(
        kind="critiques",
        title=_("Critiques"),
        help=_(
            "What a critic says of an image: the columns image, critic and text, whose numbered list becomes claims; "
            "or claims as a list; or a row for each claim with rank, text, kind, about, severity, confidence."
        ),
        files=(FileRole("table", _("Critiques"), TABLE),),
        options=(WHICH_PROMPT_SET, Option("critic", _("Critic"), _("For rows that name none."))),
        run=_critiques,
        position=60,
    ),
)
