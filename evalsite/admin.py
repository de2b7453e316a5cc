"""The administration of accounts: Django's own, with a way to revoke access to an account."""

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from evalsite.accounts.access import end_all
from evalsite.models import ApiToken

admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(UserAdmin):
    actions = ("end_access",)

    @admin.action(description=gettext_lazy("End all links, API tokens and sessions"), permissions=["change"])
    def end_access(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            end_all(user=user, but=request.session.session_key)
        messages.success(request, _("Their links and tokens no longer work, and they are signed out."))


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """To see whose programs have access, and to revoke a token. Keys are never shown: only their owner has them."""

    list_display = ("user", "name", "hint", "made_at", "last_used_at", "expires_at")
    search_fields = ("user__username", "name")
    readonly_fields = ("user", "name", "hint", "made_at", "last_used_at", "expires_at", "scopes")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
