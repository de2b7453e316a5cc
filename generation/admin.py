"""The administration: for looking at prompts, images and imports, and for fixing names and licences."""

from django.contrib import admin
from django.http import HttpRequest

from generation.models import (
    Activity,
    Critique,
    Decomposition,
    Image,
    ImportRun,
    Method,
    MetricScore,
    ModelCall,
    Prompt,
    PromptSet,
    Reproduction,
    Run,
    Step,
)


class _Imported(admin.ModelAdmin):
    """Rows that only imports add: their identity is their content, which nobody may change by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(PromptSet)
class PromptSetAdmin(admin.ModelAdmin):
    list_display = ("name", "source", "licence", "owner", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "source")
    autocomplete_fields = ("owner",)


@admin.register(Prompt)
class PromptAdmin(_Imported):
    list_display = ("text", "prompt_set", "category", "sub_category", "topic")
    list_filter = ("prompt_set", "category")
    list_select_related = ("prompt_set",)
    search_fields = ("text", "key", "topic")
    show_full_result_count = False


@admin.register(Method)
class MethodAdmin(admin.ModelAdmin):
    list_display = ("name", "kind", "is_simulated")
    list_filter = ("kind", "is_simulated")
    search_fields = ("name",)


@admin.register(Image)
class ImageAdmin(_Imported):
    list_display = ("pk", "method", "prompt", "round", "width", "height", "format", "created_at")
    list_filter = ("method", "format")
    list_select_related = ("method", "prompt")
    search_fields = ("key", "sha256", "prompt__text")
    show_full_result_count = False


@admin.register(MetricScore)
class MetricScoreAdmin(_Imported):
    list_display = ("metric", "version", "value", "image")
    list_filter = ("metric",)
    list_select_related = ("image__method", "image__prompt")
    show_full_result_count = False


@admin.register(Critique)
class CritiqueAdmin(_Imported):
    list_display = ("critic", "critic_version", "image", "created_at")
    list_filter = ("critic",)
    list_select_related = ("image__method", "image__prompt")
    search_fields = ("text",)
    show_full_result_count = False


@admin.register(ImportRun)
class ImportRunAdmin(_Imported):
    list_display = ("kind", "file_name", "state", "is_dry_run", "n_created", "n_unchanged", "n_rejected", "created_at")
    list_filter = ("state", "kind")
    search_fields = ("file_name",)


@admin.register(Decomposition)
class DecompositionAdmin(_Imported):
    list_display = ("prompt", "origin", "created_at")
    list_filter = ("origin",)
    list_select_related = ("prompt",)
    show_full_result_count = False


@admin.register(Run)
class RunAdmin(_Imported):
    """Read-only: runs are controlled on their pages, and their ledger stays."""

    list_display = ("name", "state", "prompt_set", "owner", "priority", "created_at", "ended_at")
    list_filter = ("state",)
    list_select_related = ("prompt_set", "owner")
    search_fields = ("name",)
    exclude = ("prompts",)


@admin.register(Reproduction)
class ReproductionAdmin(_Imported):
    list_display = ("image", "state", "is_equal", "problem", "owner", "created_at", "ended_at")
    list_filter = ("state", "is_equal")
    list_select_related = ("image__method", "image__prompt", "owner")
    show_full_result_count = False


@admin.register(Step)
class StepAdmin(_Imported):
    list_display = ("pk", "run", "kind", "state", "queue", "method", "seed", "n_tries", "message")
    list_filter = ("state", "kind", "queue")
    list_select_related = ("run", "method")
    search_fields = ("digest", "message")
    exclude = ("needs",)
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False  # others wait for it


@admin.register(ModelCall)
class ModelCallAdmin(_Imported):
    list_display = ("created_at", "run", "engine", "model", "outcome", "n_tokens_in", "n_tokens_out", "cost")
    list_filter = ("outcome", "engine")
    list_select_related = ("run",)
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False  # a ledger: every paid call stays on record


@admin.register(Activity)
class ActivityAdmin(_Imported):
    """The record of who did what: read-only."""

    list_display = ("at", "actor_name", "action", "subject", "subject_name", "details")
    list_filter = ("action", "subject")
    search_fields = ("actor_name", "subject_name", "subject_key")
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
