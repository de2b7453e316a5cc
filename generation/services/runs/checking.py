"""Checks of a matrix before anything is made: whether its engines can do what its methods require."""

from collections.abc import Collection

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generation.models import PromptVariant
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.matrix import BadMatrix, Matrix
from generation.recipes.matrix.methods import MethodSpec

_MOST_SEED = 2**63 - 1


def check_matrix(matrix: Matrix, prompts: Collection[int]) -> None:
    """Raises BadMatrix, with the cure, for what could not be carried out for these prompts (row ids)."""
    language, critic = matrix.engines.get("language"), matrix.engines.get("critic")
    for method in matrix.methods:
        if method.words != "prompt" and language is not None and language.is_recipe:
            _check_stored_words(method, prompts)
        if method.refinement is not None and critic is not None and critic.is_recipe:
            _check_questions(method, critic)
        if method.seeds is not None and max(matrix.seeds) + max(method.seeds.values) > _MOST_SEED:
            raise BadMatrix(
                _('"%(method)s" goes beyond the largest seed. Use smaller seeds.') % {"method": method.label}
            )


def _check_stored_words(method: MethodSpec, prompts: Collection[int]) -> None:
    stored = PromptVariant.objects.filter(kind=method.words).order_by().values_list("prompt_id", flat=True).distinct()
    n = len(set(prompts) - set(stored))
    if n:
        problem = ngettext(
            '"%(method)s" needs another wording of each prompt, which rules cannot write: %(n)s prompt has none '
            "stored.",
            '"%(method)s" needs another wording of each prompt, which rules cannot write: %(n)s prompts have none '
            "stored.",
            n,
        ) % {"method": method.label, "n": n}
        raise BadMatrix(problem + " " + _("Choose a language model, or import the wordings."))


def _check_questions(method: MethodSpec, critic: EngineSpec) -> None:
    if method.refinement is not None and method.refinement.critic != "structured":
        problem = _('"%(method)s" criticises without the decomposition, whose questions this critic asks.')
        cure = _("Choose a model that sees, or leave the method out.")
        raise BadMatrix(problem % {"method": method.label} + " " + cure)
    if critic.lacks_answerer:
        raise BadMatrix(_('The critic "questions" needs an answerer, such as "blip-vqa", among its options.'))
