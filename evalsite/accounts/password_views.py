"""Pages on which people change a password, or set a new one if they forgot it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from annotations.views.rights import signed_in


@method_decorator(never_cache, name="dispatch")
class ChangePassword(views.PasswordChangeView):
    """A new password for somebody who knows the old one. This browser stays signed in."""

    template_name = "accounts/password_change.html"
    success_url = reverse_lazy("account")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not signed_in(request).has_usable_password():
            messages.warning(request, _("Your account has no password: you sign in with your personal link."))
            return redirect("account")
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        words = _("Your password is changed. Your old links and tokens no longer work.")
        messages.success(self.request, words)
        return response


@method_decorator(never_cache, name="dispatch")
class ForgottenPassword(views.PasswordResetView):
    """Sends a link to set a new password to an account's address. Does not reveal which addresses have an account."""

    template_name = "accounts/password_forgotten.html"
    email_template_name = "accounts/password_mail.txt"
    subject_template_name = "accounts/password_mail_subject.txt"
    success_url = reverse_lazy("password-sent")
    extra_context = {"sends_mail": True}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.SENDS_MAIL:
            return render(request, self.template_name, {"sends_mail": False})
        return super().dispatch(request, *args, **kwargs)


class PasswordSent(views.PasswordResetDoneView):
    template_name = "accounts/password_sent.html"


class SetPassword(views.PasswordResetConfirmView):
    """A new password for anyone who has the link that was sent, or that an administrator made. It works once."""

    template_name = "accounts/password_set.html"
    success_url = reverse_lazy("sign-in")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        messages.success(self.request, _("Your new password is set. Sign in with it."))
        return response
