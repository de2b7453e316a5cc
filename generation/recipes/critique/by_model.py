"""Critics that see: DetailScribe's critique along a decomposition, its ablation without one, and "GPT refine".

From the paper: a model that sees image, prompt and decomposition says what is wrong with each abnormal part, ranks by
impact, and the refined prompt is the original and then the corrections in at most 70 words. The released code has the
authors' requests, without a licence; the words here are this project's, and the refined prompt is put together by
`refined_prompt`, not by the model (see docs/generation/methods.md).
"""

from collections.abc import Sequence
from typing import Literal

from generation.recipes.asking import Senseless, StrictAnswer, ask_for
from generation.recipes.contract import ChatAnswer, ChatEngine, ChatRequest
from generation.recipes.critique.claims import split_claims
from generation.recipes.critique.outcome import LONGEST_ABOUT, ClaimFound, CritiqueOutcome, KindSaid, outcome_of
from generation.recipes.critique.refined_prompt import MAX_WORDS, corrections_in, refined_prompt
from generation.recipes.decomposition.decomposition import Decomposition
from generation.recipes.english import grammar as english

_KINDS = """\
Kinds: missing (something asked for is not there), extra (something nobody asked for), count (a wrong number of \
things), attribute (a wrong colour, size, material or pose), relation (a wrong or absent contact, position or action), \
anatomy (wrong, fused or additional limbs, fingers, faces; broken shapes), text (wrong letters), look (wrong style)."""

_CLAIMS = f"""\
You check a generated image against its prompt. Name everything in the image that contradicts the prompt or could not \
be, each error by itself, so concretely that somebody who looks at the place can say whether you are right. Say only \
what you see; do not guess at what is hidden, and do not complain of what the prompt leaves open. If nothing is wrong, \
return no claims: that is a good answer.

{_KINDS}
Severity: major if the image fails to show what the prompt is about, else minor.
Rank: 1 for the error that hurts the image most, then 2, 3, …
Confidence: from 0 to 1, the chance that a careful person agrees with you.
Correction: one short sentence that says how the part should look instead, as a description of the finished picture \
("The paw grips the brush by its handle."), never as an order and never as what should not be there."""

_ALONG_PARTS = """\
The prompt was broken down into numbered parts. Go through them one after another: is it there, is it as described, \
does the relation hold? Under "about" give the id of the part that a claim is about, or an empty string if none."""

_WITHOUT_PARTS = 'Under "about" name in a few words the thing or the relation that a claim is about.'

_PLAIN = f"""\
You are shown a generated image and its prompt. Criticise the image: list, numbered, what does not match the prompt, \
most important first; if nothing is wrong, say so in one sentence. Then write a refined prompt with which the image \
would come out right: it begins with the original prompt, word for word, and goes on with short sentences that \
describe how the wrong parts should look. At most {MAX_WORDS} words in all."""


class ClaimSaid(StrictAnswer):
    text: str
    about: str
    kind: KindSaid
    severity: Literal["minor", "major"]
    rank: int
    confidence: float
    correction: str


class CritiqueSaid(StrictAnswer):
    """A critique in claims, as a model says it."""

    claims: list[ClaimSaid]


class PlainCritiqueSaid(StrictAnswer):
    """A critique in prose and a prompt, as a model says it that was given no structure."""

    critique: str
    refined_prompt: str


def critique(
    chat: ChatEngine, image: bytes, prompt: str, decomposition: Decomposition | None
) -> tuple[CritiqueOutcome, ChatAnswer[CritiqueSaid]]:
    """What is wrong with an image (a PNG file), part by part; without a decomposition it is the ablation.

    prompt: the original one, in every round, because it is the first sentence of each refined prompt.
    Raises BadAnswer when the answer makes no sense twice, and what the engine raises.
    """
    user = f"Prompt: {prompt}"
    if decomposition is not None:
        user += f"\n\nParts:\n{decomposition.as_lines()}"
    system = f"{_CLAIMS}\n\n{_WITHOUT_PARTS if decomposition is None else _ALONG_PARTS}"
    request = ChatRequest(system, user, CritiqueSaid, images=(image,))
    return ask_for(chat, request, lambda said: _outcome(said, prompt, decomposition))


def refine_plainly(
    chat: ChatEngine, image: bytes, prompt: str
) -> tuple[CritiqueOutcome, ChatAnswer[PlainCritiqueSaid]]:
    """The rival "GPT refine": image and prompt are seen, and critique and refined prompt are written freely.

    The claims are split out of the text and have no kind. The refined prompt keeps to the same form as DetailScribe's
    (original first, 70 words), so that the two differ by the structure alone. Raises like `critique`.
    """

    def outcome(said: PlainCritiqueSaid) -> CritiqueOutcome:
        claims = tuple(ClaimFound(rank, text) for rank, text in enumerate(split_claims(said.critique).claims, start=1))
        corrections = corrections_in(prompt, said.refined_prompt) if claims else ()
        return outcome_of(claims, refined_prompt(prompt, corrections), said.critique.strip(), "numbered")

    return ask_for(chat, ChatRequest(_PLAIN, f"Prompt: {prompt}", PlainCritiqueSaid, images=(image,)), outcome)


def _outcome(said: CritiqueSaid, prompt: str, decomposition: Decomposition | None) -> CritiqueOutcome:
    rows = sorted(_each_once(said.claims), key=lambda row: row.rank)
    if said.claims and not rows:
        raise Senseless("None of its claims has a text.")
    claims = tuple(
        ClaimFound(
            rank,
            english.one_line(row.text),
            row.kind,
            _about(row.about, decomposition),
            row.severity,
            row.confidence if 0 <= row.confidence <= 1 else None,
        )
        for rank, row in enumerate(rows, start=1)
    )
    return outcome_of(claims, refined_prompt(prompt, [row.correction for row in rows]))


def _each_once(claims: Sequence[ClaimSaid]) -> list[ClaimSaid]:
    found: dict[str, ClaimSaid] = {}
    for claim in claims:
        if text := english.one_line(claim.text).lower():
            found.setdefault(text, claim)
    return list(found.values())


def _about(words: str, decomposition: Decomposition | None) -> str:
    """The id that an id or a part's words mean; empty for anything that is not part of this prompt."""
    words = english.one_line(words)
    if decomposition is None:
        return words[:LONGEST_ABOUT]
    parts = [(entity.id, entity.text) for entity in decomposition.entities]
    parts += [(relation.id, decomposition.statement(relation)) for relation in decomposition.relations]
    wanted = english.bare(words).lower()
    for part_id, _ in parts:
        if wanted == part_id.lower() or wanted.startswith((f"{part_id.lower()}:", f"{part_id.lower()} ")):
            return part_id
    return next((part_id for part_id, text in parts if wanted == english.bare(text).lower()), "")
