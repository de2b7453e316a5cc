"""The imports that this app offers. `importers` finds them, and other apps' next to them."""

from collections.abc import Callable, Sequence

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from generation.models import PromptSet
from generation.queries.importers import Counts, FileRole, Importer, Job, Option
from generation.services.imports.critiques import import_critiques
from generation.services.imports.images import import_images
from generation.services.imports.items import import_items
from generation.services.imports.prompts import import_prompts
from generation.services.imports.scores import import_scores

EXAMPLES = "generation/examples"
TABLE = _("CSV, TSV, JSON lines, JSON, Parquet, Excel or OpenDocument; the content decides, not the name.")

PROMPT_TABLE = _(
    "CSV, TSV, JSON lines, JSON, Parquet, Excel or OpenDocument; the content decides, not the name. "
    "A plain list, one prompt per line, needs a name that ends in .txt."
)


def prompt_set_names(owner: User | None) -> Sequence[str]:
    """The newest sets that this person may add to."""
    return list(PromptSet.objects.changeable_by(owner).order_by("-pk").values_list("name", flat=True)[:200])


PROMPT_SET = Option(
    "prompt_set",
    _("Prompt set"),
    _("One of yours, or of which you are an editor. A new name makes a new set."),
    required=True,
    suggest=prompt_set_names,
)
WHICH_PROMPT_SET = Option(
    "prompt_set",
    _("Prompt set"),
    _("The set that contains the images. Empty: all sets that you can add to; keys must then be unique."),
    suggest=prompt_set_names,
)
METHOD = Option("method", _("Method"), _("For images whose row names none. Empty: “imported”."))


def _run(load: Callable[..., Counts], *options: str, builds_on: bool = False) -> Callable[[Job], Counts]:
    """How a job calls one of this app's imports.

    options    which of the job's options it takes
    builds_on  whether its rows refer to images, which an earlier step of a dry run would have made
    """

    def run(job: Job) -> Counts:
        return load(
            job.source,
            **{name: job.options.get(name, "") for name in options},
            **({"known": job.known} if builds_on else {}),
            owner=job.owner,
            import_run=job.import_run,
            dry_run=job.dry_run,
            progress=job.progress,
            log=job.log,
        )

    return run


IMPORTERS = (
    Importer(
        kind="prompts",
        title=_("Prompts"),
        help=_(
            "One prompt per row, in a column “prompt” or “text”. The columns category, sub_category, topic and "
            "key are understood; further columns are kept. InterActing’s and AcT2I’s own files are read as they "
            "are, with their variants."
        ),
        files=(
            FileRole(
                "table",
                _("Prompts"),
                PROMPT_TABLE,
                example=f"{EXAMPLES}/prompts.csv",
            ),
        ),
        options=(
            PROMPT_SET,
            Option("category", _("Category"), _("For rows without one."), max_length=100),
        ),
        run=_run(import_prompts, "prompt_set", "category"),
        writes_into="prompt_set",
        position=10,
    ),
    Importer(
        kind="images",
        title=_("Images"),
        help=_(
            "A zip of PNG, JPEG or WebP files and manifest.csv with the columns image, prompt (or prompt_key), "
            "method, and optionally seed, parent, round, key, reference; or pairs.csv with prompt, baseline, refined. "
            "Refined images are linked to what they were refined from; a reference image belongs to its prompt."
        ),
        files=(
            FileRole(
                "bundle", _("Images and manifest"), _("One zip file."), accepts=".zip", example=f"{EXAMPLES}/images.zip"
            ),
        ),
        options=(PROMPT_SET, METHOD),
        run=_run(import_images, "prompt_set", "method"),
        writes_into="prompt_set",
        position=20,
    ),
    Importer(
        kind="items",
        title=_("Images without files"),
        help=_(
            "For analysis only, when the files are elsewhere: the columns item, prompt (or prompt_id) and method "
            "(or model, generator); further columns are kept as facets."
        ),
        files=(FileRole("table", _("Items"), TABLE, example=f"{EXAMPLES}/items.csv"),),
        options=(PROMPT_SET, METHOD),
        run=_run(import_items, "prompt_set", "method"),
        writes_into="prompt_set",
        position=30,
    ),
    Importer(
        kind="scores",
        title=_("Metric scores"),
        help=_(
            "The columns image (or item, key, sha256, file), metric, value and optionally version; one score per row."
        ),
        files=(FileRole("table", _("Scores"), TABLE, example=f"{EXAMPLES}/scores.csv"),),
        options=(WHICH_PROMPT_SET,),
        run=_run(import_scores, "prompt_set", builds_on=True),
        writes_into="prompt_set",
        position=50,
    ),
    Importer(
        kind="critiques",
        title=_("Critiques"),
        help=_(
            "A critic's claims about an image: the columns image, critic and text, whose numbered list becomes "
            "claims; or claims as a list; or one row per claim with rank, text, kind, about, severity, "
            "confidence."
        ),
        files=(FileRole("table", _("Critiques"), TABLE, example=f"{EXAMPLES}/critiques.csv"),),
        options=(WHICH_PROMPT_SET, Option("critic", _("Critic"), _("For rows that name none."))),
        run=_run(import_critiques, "prompt_set", "critic", builds_on=True),
        writes_into="prompt_set",
        position=60,
    ),
)
