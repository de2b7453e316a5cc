"""A study, the people who run it, and the questions it asks."""

import secrets
from base64 import urlsafe_b64encode
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from generation.models import Method

KEYS = "123456789ABCDEFGHIJK"
"""The keys of a scale's levels, in their order. Zero is always "unable to answer"."""


def new_token() -> str:
    """At least 127 random bits for an address: it cannot be guessed and reveals nothing.

    It begins with a letter or a digit, so that no command mistakes it for an option.
    """
    while not (token := secrets.token_urlsafe(16))[0].isalnum():
        pass
    return token


def new_tokens(n: int) -> list[str]:
    """Many tokens at once, in a tenth of the time: the first 132 of every 144 random bits."""
    found: list[str] = []
    while len(found) < n:
        drawn = urlsafe_b64encode(secrets.token_bytes(18 * (n - len(found)))).decode()
        found += [text for i in range(0, len(drawn), 24) if (text := drawn[i : i + 22])[0].isalnum()]
    return found


class Study(models.Model):
    """What is asked about which images, how often, and by whom it may be answered."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    class ItemKind(models.TextChoices):
        IMAGE = "image", _("one image at a time")
        PAIR = "pair", _("two images side by side")
        PROMPT = "prompt", _("all images of a prompt together")

    class Pairing(models.TextChoices):
        ALL = "all", _("every pair of methods")
        BASELINE = "baseline", _("one baseline with each other method")
        SAMPLE = "sample", _("a balanced sample: each pair of methods equally often")
        REFINED = "refined", _("a refined image with the one it was made from")

    class Disputed(models.TextChoices):
        OPEN = "open", _("while further raters could change what most say")
        DIFFER = "differ", _("where the first raters differ")

    class Spending(models.TextChoices):
        OBRIEN_FLEMING = "obrien_fleming", _("strict at first (O’Brien–Fleming)")
        POCOCK = "pocock", _("about the same at each look (Pocock)")

    class Order(models.TextChoices):
        SHUFFLED = "shuffled", _("shuffled for each rater")
        FIXED = "fixed", _("the same for all")

    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    invitation = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    takes_raters = models.BooleanField(
        _("the invitation is open"),
        default=True,
        help_text=_("Closed, it lets nobody else in. People who joined before go on rating."),
    )
    most_raters = models.PositiveIntegerField(
        _("maximum number of people"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: no limit. Excluded raters do not count."),
    )
    joining_until = models.DateTimeField(
        _("invitation ends"), null=True, blank=True, help_text=_("Empty: it does not end by itself.")
    )
    joining_code = models.CharField(
        _("code"),
        max_length=40,
        blank=True,
        help_text=_("Only people who type it can join. Give it to them apart from the link. Empty: no code."),
    )
    language = models.CharField(
        _("language of raters’ pages"),
        max_length=10,
        blank=True,
        help_text=_("Empty: each rater chooses, and the browser proposes."),
    )
    main_language = models.CharField(
        _("language of the study’s texts"),
        max_length=10,
        default="en",
        help_text=_("The language in which title, consent, instructions and questions are written."),
    )
    # language → {a text of the study: its translation}, for raters only: questions are stored in the main language.
    words = models.JSONField(default=dict, blank=True, editable=False)
    title = models.CharField(_("title"), max_length=200, help_text=_("Annotators see it: name no method in it."))
    notes = models.TextField(_("notes"), blank=True, help_text=_("For researchers; annotators never see them."))
    consent = models.TextField(_("consent"), blank=True)
    instructions = models.TextField(_("instructions"), blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="studies")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    item_kind = models.CharField(_("what is shown at once"), max_length=10, choices=ItemKind, default=ItemKind.IMAGE)
    pairing = models.CharField(
        _("which images meet"),
        max_length=10,
        choices=Pairing,
        default=Pairing.ALL,
        help_text=_("Two images of one prompt by two of the methods. Which is on the left is balanced for each rater."),
    )
    pair_baseline = models.ForeignKey(
        Method,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("the baseline"),
        help_text=_("Only for pairs with one baseline."),
    )
    pairs_per_prompt = models.PositiveSmallIntegerField(
        _("pairs per prompt"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text=_("Only for a balanced sample."),
    )
    n_prompts = models.PositiveIntegerField(
        _("maximum number of prompts"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text=_("Empty: all. Otherwise a sample drawn from the seed, with equally many of each category."),
    )
    raters_per_item = models.PositiveSmallIntegerField(
        _("raters per item"), default=3, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    most_raters_per_item = models.PositiveSmallIntegerField(
        _("Maximum raters of a disputed item"),
        null=True,
        blank=True,
        validators=[MinValueValidator(2), MaxValueValidator(1000)],
    )
    disputed_rule = models.CharField(
        _("An item gets further raters"), max_length=10, choices=Disputed, default=Disputed.OPEN
    )
    disputed_distance = models.PositiveSmallIntegerField(
        _("Minimum levels by which they differ"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
    )
    undisputed_percent = models.PositiveSmallIntegerField(
        _("Other items that get them too, in %"), default=0, validators=[MaxValueValidator(100)]
    )
    prompt_looks = models.CharField(
        _("Prompts after which the comparison is looked at"),
        max_length=60,
        blank=True,
        help_text=_(
            "For two methods: for example “40, 60, 80, 120”. The study begins with the first number of prompts; while "
            "the first question has not decided between the methods, raters get more, up to the last number. Empty: "
            "all prompts at once."
        ),
    )
    prompt_spending = models.CharField(
        _("How sure each look must be"), max_length=20, choices=Spending, default=Spending.OBRIEN_FLEMING
    )
    # How many items have been released by these looks; empty: all.
    n_released = models.PositiveIntegerField(null=True, blank=True, editable=False)
    items_per_rater = models.PositiveIntegerField(
        _("maximum items per rater"), null=True, blank=True, help_text=_("Empty: as many as there are.")
    )
    exclusion_rule = models.TextField(
        _("rule for excluding raters"),
        blank=True,
        help_text=_("Declared before the study opens, and fixed from then on. The report states it."),
    )
    shows_reference = models.BooleanField(
        _("show the reference image, where a prompt has one"),
        default=False,
        help_text=_("It is next to the images, called “Reference”, and is not rated."),
    )
    order = models.CharField(_("order"), max_length=10, choices=Order, default=Order.SHUFFLED)
    seed = models.PositiveBigIntegerField(_("seed"), default=0)
    batch_size = models.PositiveSmallIntegerField(
        _("items reserved at once"), default=10, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    lease_minutes = models.PositiveSmallIntegerField(
        _("minutes an item stays reserved"), default=30, validators=[MinValueValidator(1)]
    )
    pay_per_hour = models.DecimalField(
        _("pay per hour"),
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("Only for the cost on the design page."),
    )
    currency = models.CharField(_("currency"), max_length=8, blank=True, help_text=_("For example EUR or USD."))
    # Counts changes of the draft, so that nobody changes or opens it without having seen the latest one.
    revision = models.PositiveIntegerField(default=0, editable=False)
    closes_at = models.DateTimeField(
        _("closes by itself"), null=True, blank=True, help_text=_("Empty: it stays open until you close it.")
    )
    # When every wanted answer had arrived; empty again when further items join.
    completed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # For items of a lower position, and for checks where it is not 0, `renditions.make_ahead` has made smaller images.
    n_items_ready = models.PositiveIntegerField(default=0, editable=False)
    is_simulated = models.BooleanField(default=False)
    deletion_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(condition=Q(raters_per_item__gte=1), name="study_wants_a_rater"),
            models.CheckConstraint(
                condition=Q(most_raters_per_item=None) | Q(most_raters_per_item__gt=models.F("raters_per_item")),
                name="study_most_raters_above_first",
            ),
            models.CheckConstraint(condition=Q(batch_size__gte=1), name="study_batch_not_empty"),
            models.CheckConstraint(condition=Q(lease_minutes__gte=1), name="study_lease_not_empty"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("study", args=[self.token])

    @property
    def prompts_by_look(self) -> tuple[int, ...]:
        """The numbers of prompts after which the comparison is looked at; empty without such a rule."""
        return tuple(int(number) for number in self.prompt_looks.split(",")) if self.prompt_looks else ()


class Membership(models.Model):
    """A right in one study beyond rating in it. The owner needs none."""

    class Role(models.TextChoices):
        RESEARCHER = "researcher", _("researcher")
        AUDITOR = "auditor", _("auditor")

    study = models.ForeignKey(Study, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "user", "role"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"


class Dimension(models.Model):
    """One question with its worded scale.

    `levels` is a list of {"value": "1", "label": "does not match at all"} in ascending order; the value is decimal
    text, so that 0.5 stays exactly a half. A nominal dimension's values are only codes.

    An ordering (a ranking, or best and worst) is one question about all images, answered with a level for each: its
    place without gaps (the first is best, ties share one), or best, neither, worst.

    A slider's `levels` are its two ends, and `parameters["step"]` is the distance between its levels. Kinds after it
    are answered by a structure in `Response.answer`; `levels` are then what can be chosen in it. `annotations.kinds`
    says how each kind is shown, read and counted.
    """

    class Kind(models.TextChoices):
        ORDINAL = "ordinal", _("ordered levels")
        NOMINAL = "nominal", _("unordered choices")
        RANKING = "ranking", _("an order of all images, ties allowed")
        BEST_WORST = "best_worst", _("the best and the worst image")
        SLIDER = "slider", _("a value on a slider")
        MANY = "many", _("any number of choices")
        COMMENT = "comment", _("a comment")
        WORDS = "words", _("marks on the words of the prompt")
        PARTS = "parts", _("yes or no to each part of the prompt")
        PLACES = "places", _("points and boxes on the image")

    class About(models.TextChoices):
        IMAGE = "image", _("each image")
        ITEM = "item", _("all that is shown")

    study = models.ForeignKey(Study, models.CASCADE, related_name="dimensions")
    position = models.PositiveSmallIntegerField()
    name = models.SlugField(max_length=60)
    question = models.CharField(max_length=500)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.ORDINAL)
    about = models.CharField(max_length=10, choices=About, default=About.IMAGE)
    levels = models.JSONField(blank=True)
    # Further parameters of its kind, such as the step of a slider.
    parameters = models.JSONField(default=dict, blank=True)
    allows_unable = models.BooleanField(_("offers “unable to answer”"), default=True)

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "position"], name="dimension_position_once"),
            models.UniqueConstraint(fields=["study", "name"], name="dimension_name_once"),
        ]

    def __str__(self) -> str:
        return self.question

    @property
    def is_ordering(self) -> bool:
        """Whether it is answered by putting the images of a card in order."""
        return self.kind in (self.Kind.RANKING, self.Kind.BEST_WORST)

    @property
    def values(self) -> list[Decimal]:
        """The value of every level, exact; a slider's levels are all values that its step reaches."""
        values = [Decimal(level["value"]) for level in self.levels]
        if self.kind != self.Kind.SLIDER:
            return values
        low, high = values
        step = Decimal(self.parameters["step"])
        return [low + number * step for number in range(int((high - low) / step) + 1)]

    @property
    def n_levels(self) -> int:
        """The number of levels; a slider's are all values that its step reaches."""
        if self.kind != self.Kind.SLIDER:
            return len(self.levels)
        low, high = (Decimal(level["value"]) for level in self.levels)
        return int((high - low) / Decimal(self.parameters["step"])) + 1

    @property
    def labels(self) -> list[str]:
        """The words of every level; for a slider, only its ends have words."""
        words = [level["label"] for level in self.levels]
        if self.kind != self.Kind.SLIDER:
            return words
        return [words[0], *[""] * (len(self.values) - 2), words[1]]

    def value_of(self, level: int) -> Decimal:
        if self.kind == self.Kind.SLIDER:
            return Decimal(self.levels[0]["value"]) + level * Decimal(self.parameters["step"])
        return Decimal(self.levels[level]["value"])

    def label_of(self, level: int) -> str:
        if self.kind == self.Kind.SLIDER:
            ends = {0: 0, len(self.values) - 1: 1}
            return str(self.levels[ends[level]]["label"]) if level in ends else ""
        return str(self.levels[level]["label"])

    def options(self) -> list[dict[str, Any]]:
        """The levels as a form shows them: code, label, and the key that gives this answer (1–9, then A–K)."""
        return [
            {"code": code, "value": level["value"], "label": level["label"], "key": KEYS[code : code + 1]}
            for code, level in enumerate(self.levels)
        ]
