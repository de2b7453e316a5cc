"""A run of the generator as rows: its steps, who is working on them, their results and their cost."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from generation.jobs import Leased
from generation.models.critiques import Critique
from generation.models.images import Image, Method, MetricScore
from generation.models.prompts import Decomposition, Prompt, PromptSet, PromptVariant

if TYPE_CHECKING:
    from generation.recipes.matrix.matrix import Matrix


class Run(Leased):
    """One matrix over the prompts of one set. Its steps are the truth of how far it is; messages are only hints.

    PAUSED has a message if the site paused it: then nothing can continue before somebody has done what `cure` says.
    """

    class State(models.TextChoices):
        PLANNING = "planning", _("being planned")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")

    ENDED = (State.DONE, State.CANCELLED)
    AT_WORK = State.PLANNING  # the lease is its planner's; its steps have their own

    name = models.CharField(max_length=200)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    prompt_set = models.ForeignKey(PromptSet, models.PROTECT, related_name="runs")
    prompts = models.ManyToManyField(Prompt, related_name="runs")
    matrix = models.JSONField()
    priority = models.SmallIntegerField(default=0, help_text=_("Higher goes first."))
    may_reuse = models.BooleanField(
        default=True, help_text=_("Take over what an earlier run has made in exactly the same way.")
    )
    state = models.CharField(max_length=10, choices=State, default=State.PLANNING)
    message = models.TextField(blank=True)
    cure = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["done", "cancelled"], ended_at__isnull=False)
                | Q(state__in=["planning", "running", "paused"], ended_at=None),
                name="run_ended_has_time",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_ended(self) -> bool:
        return self.state in self.ENDED

    @property
    def plan(self) -> "Matrix":
        from generation.recipes.matrix.matrix import Matrix  # pydantic comes with it

        return Matrix.from_json(self.matrix)


class Step(Leased):
    """One thing to do for one prompt. A worker claims it with a lease; `claim` proves that it is still theirs.

    n_unmet  how many of the steps that it needs are not done; it is ready at 0
    digest   what the result depends on (see recipes.plan): the same in two runs that ask for the same thing
    """

    class Kind(models.TextChoices):
        DECOMPOSE = "decompose", _("decomposition")
        WORDS = "words", _("other wording")
        DRAW = "draw", _("image")
        CRITIQUE = "critique", _("critique")
        SCORE = "score", _("score")
        CHOOSE = "choose", _("choice")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    run = models.ForeignKey(Run, models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=10, choices=Kind)
    digest = models.CharField(max_length=64)
    position = models.PositiveIntegerField(help_text=_("In the run; what it needs stands before it."))
    queue = models.CharField(max_length=10)
    batch_key = models.CharField(max_length=16, help_text=_("Steps with the same key can be done together."))
    engine = models.JSONField(null=True, blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    keep_after = models.JSONField(default=list, blank=True)
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="steps")
    method = models.ForeignKey(Method, models.PROTECT, null=True, blank=True, related_name="steps")
    seed = models.BigIntegerField(null=True, blank=True)
    round = models.PositiveSmallIntegerField(default=0)
    needs = models.ManyToManyField("self", through="StepNeed", symmetrical=False, related_name="needed_by")
    n_unmet = models.PositiveSmallIntegerField(default=0)

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    not_before = models.DateTimeField(null=True, blank=True, help_text=_("A server asked us to wait."))
    message = models.TextField(blank=True)
    cure = models.TextField(blank=True)
    is_reused = models.BooleanField(default=False, help_text=_("Made by an earlier run in exactly this way."))
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True, help_text=_("Its share of the time that its batch took."))

    decomposition = models.ForeignKey(Decomposition, models.SET_NULL, null=True, blank=True, related_name="steps")
    variant = models.ForeignKey(PromptVariant, models.SET_NULL, null=True, blank=True, related_name="steps")
    image = models.ForeignKey(Image, models.SET_NULL, null=True, blank=True, related_name="steps")
    critique = models.ForeignKey(Critique, models.SET_NULL, null=True, blank=True, related_name="steps")
    score = models.ForeignKey(MetricScore, models.SET_NULL, null=True, blank=True, related_name="steps")

    class Meta:
        ordering = ["run", "position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "prompt", "digest"], name="step_once_per_run"),
            models.CheckConstraint(
                condition=Q(state="running", lease_until__isnull=False) & ~Q(claim="")
                | ~Q(state="running") & Q(lease_until=None),
                name="step_running_has_lease",
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(message=""), name="step_failed_has_reason"),
        ]
        indexes = [
            models.Index(fields=["run", "state", "queue", "n_unmet", "position"], name="step_ready"),
            models.Index(fields=["state", "lease_until"], name="step_by_lease"),
            models.Index(fields=["digest", "state"], name="step_by_digest"),
            models.Index(fields=["claim"], name="step_by_claim", condition=~Q(claim="")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.position}"


class StepNeed(models.Model):
    """A step's need of another step's result, and the result's role (the roles of `recipes.plan.Need`)."""

    step = models.ForeignKey(Step, models.CASCADE, related_name="need_rows")
    needed = models.ForeignKey(Step, models.CASCADE, related_name="needed_by_rows")
    role = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["step", "needed", "role"], name="need_once"),
            models.CheckConstraint(condition=~Q(step=F("needed")), name="step_needs_not_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.step_id} needs {self.needed_id} as {self.role}"


class ModelCall(models.Model):
    """The ledger: one call of a language or vision model, paid for whether it succeeded or not."""

    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="calls")
    step = models.ForeignKey(Step, models.SET_NULL, null=True, related_name="calls")
    engine = models.CharField(max_length=50)
    model = models.CharField(max_length=200)
    outcome = models.CharField(max_length=50)
    n_tokens_in = models.PositiveIntegerField(default=0)
    n_tokens_out = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, blank=True, help_text=_("US dollars; empty: no price is known.")
    )
    seconds = models.FloatField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.model}: {self.outcome}"
