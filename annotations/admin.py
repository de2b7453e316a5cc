"""The administration, for looking at rows and fixing words. Everything that counts answers is read-only; studies are
deleted on their own page."""

from django.contrib import admin
from django.http import HttpRequest

from annotations.models import Dimension, Membership, Rater, ReportSnapshot, Study


class _Kept:
    """No deletion here: a study is deleted in two steps on its own page, which exports its answers first."""

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class DimensionInline(_Kept, admin.TabularInline):
    model = Dimension
    fields = readonly_fields = ("position", "name", "question", "kind", "about", "levels", "allows_unable")
    extra = max_num = 0


class MembershipInline(admin.TabularInline):
    model = Membership
    autocomplete_fields = ("user",)
    extra = 0


@admin.register(Study)
class StudyAdmin(_Kept, admin.ModelAdmin):
    list_display = ("title", "state", "item_kind", "raters_per_item", "owner", "created_at")
    list_filter = ("state", "item_kind", "is_simulated")
    list_select_related = ("owner",)
    search_fields = ("title", "token")
    readonly_fields = ("token", "invitation", "item_kind", "raters_per_item", "order", "seed", "created_at")
    autocomplete_fields = ("owner",)
    inlines = (DimensionInline, MembershipInline)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a study without items is useless: the design page creates both


@admin.register(Rater)
class RaterAdmin(_Kept, admin.ModelAdmin):
    list_display = ("name", "study", "kind", "consented_at", "created_at")
    list_filter = ("kind",)
    list_select_related = ("study",)
    search_fields = ("name", "study__title")
    fields = readonly_fields = ("name", "study", "user", "kind", "consented_at", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(ReportSnapshot)
class ReportSnapshotAdmin(_Kept, admin.ModelAdmin):
    list_display = ("study", "state", "n_ratings", "seed", "code_version", "created_at")
    list_filter = ("state",)
    list_select_related = ("study",)
    readonly_fields = fields = (
        "study",
        "state",
        "inputs_hash",
        "seed",
        "n_ratings",
        "code_version",
        "message",
        "created_at",
        "ended_at",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
