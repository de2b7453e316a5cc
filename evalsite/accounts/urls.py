"""Addresses at which people sign in, and of their account."""

from django.urls import path

from evalsite.accounts import password_views, signing_in, views

urlpatterns = [
    path("sign-in/", signing_in.SignIn.as_view(), name="sign-in"),
    path("sign-out/", signing_in.SignOut.as_view(), name="sign-out"),
    path("s/", signing_in.sign_in_by_link, name="sign-in-by-link"),
    path("session/", signing_in.session, name="session"),
    path("s/switch/", signing_in.switch_account, name="switch-account"),
    path("me/", views.account, name="account"),
    path("me/link/", views.personal_link, name="personal-link"),
    path("me/tokens/", views.new_token, name="token-new"),
    path("me/tokens/<int:token_id>/revoke/", views.revoke_token, name="token-revoke"),
    path("me/end/", views.end, name="access-end"),
    path("me/password/", password_views.ChangePassword.as_view(), name="password-change"),
    path("password/forgotten/", password_views.ForgottenPassword.as_view(), name="password-forgotten"),
    path("password/sent/", password_views.PasswordSent.as_view(), name="password-sent"),
    path("password/<uidb64>/<token>/", password_views.SetPassword.as_view(), name="password-set"),
]
