"""A vision-language model as judge of an image: 1–5 and yes or no, two of the metrics that DetailScribe reports.

The released code asks for the two in separate requests, about the prompt's topic; the words here are this project's.
"""

from generation.recipes.asking import Senseless, StrictAnswer, ask_for
from generation.recipes.contract import ChatAnswer, ChatEngine, ChatRequest

LOWEST, HIGHEST = 1, 5

SYSTEM = f"""\
You judge how well a generated image shows what its prompt asks for. Look at the things that the prompt names, at how \
they look, and above all at how they interact: who does what to what, with which part, and where.

First give your reasons in two or three sentences. Then say whether the image shows what the prompt asks for (true or \
false). Then give a score from {LOWEST} to {HIGHEST}:
1: it shows something else
2: some things are there, the interaction is not
3: the things are there, the interaction is only hinted at or clearly wrong in part
4: all is there, with small faults
5: everything is there, as the prompt says, without a visible fault
Judge the match with the prompt, not whether the image is beautiful."""


class Judged(StrictAnswer):
    """reasons come first, so that the score follows from them."""

    reasons: str
    is_shown: bool
    score: int


def judge(chat: ChatEngine, image: bytes, prompt: str) -> tuple[int, ChatAnswer[Judged]]:
    """The score 1 … 5 (5 is best) of an image (a PNG file); the answer's value has the yes or no and the reasons.

    Raises BadAnswer for a score outside the scale, given twice, and what the engine raises.
    """
    return ask_for(chat, ChatRequest(SYSTEM, f"Prompt: {prompt}", Judged, images=(image,)), _score)


def _score(judged: Judged) -> int:
    if not LOWEST <= judged.score <= HIGHEST:
        raise Senseless(f"The score is {judged.score}; the scale goes from {LOWEST} to {HIGHEST}.")
    return judged.score
