"""The auditor's addresses, and those of the researcher's audit tab. No auditor's address reveals a critic, a method or
a control: tokens are random, and claims and images are identified by their place on the page."""

from django.urls import path

from annotations.views.audits import matching as audit_matching
from annotations.views.audits import pages as audit
from annotations.views.audits import plan as audit_plan
from annotations.views.audits import saves as audit_saves

urlpatterns = [
    path("plan/<str:token>/", audit_plan.plan, name="study-audit"),
    path("plan/<str:token>/state/", audit_plan.change_state, name="study-audit-state"),
    path("plan/<str:token>/auditors/", audit_plan.add_auditor, name="study-audit-auditors"),
    path("plan/<str:token>/claims/", audit_plan.claims, name="study-audit-claims"),
    path("plan/<str:token>/claims/<int:image_id>/", audit_plan.image_claims, name="study-audit-image"),
    path("plan/<str:token>/claims/<int:image_id>/plant/", audit_plan.plant, name="study-audit-plant"),
    path("plan/<str:token>/split/<int:critique_id>/", audit_plan.split, name="study-audit-split"),
    path("plan/<str:token>/matching/", audit_matching.overview, name="study-audit-matching"),
    path("plan/<str:token>/matching/<int:image_id>/", audit_matching.match, name="study-audit-match"),
    path("image/<str:token>/<int:place>/", audit.image, name="audit-image"),
    path("<str:study_token>/", audit.next_work, name="audit"),
    path("<str:study_token>/pause/", audit_saves.pause, name="audit-pause"),
    path("<str:study_token>/back/", audit.back, name="audit-back"),
    path("<str:study_token>/work/<str:token>/", audit.work_page, name="audit-work"),
    path("<str:study_token>/work/<str:token>/save/", audit_saves.save, name="audit-save"),
    path("<str:study_token>/work/<str:token>/missed/", audit_saves.list_error, name="audit-missed"),
    path("<str:study_token>/work/<str:token>/withdraw/", audit_saves.withdraw, name="audit-withdraw"),
    path("<str:study_token>/decide/<str:token>/", audit.decide_page, name="audit-decide"),
    path("<str:study_token>/decide/<str:token>/save/", audit_saves.decide, name="audit-decide-save"),
]
