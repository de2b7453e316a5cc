"""Other wordings of a prompt by a language model that sees no image: AcT2I's three enrichments and the GPT rewrite.

AcT2I's public code has no enrichment prompts. The instructions here are this project's, after its published examples,
which keep who does what to whom and add one kind of detail in one to three sentences of 22 to 55 words. The rewrite is
the rival "GPT rewrite" of DetailScribe's comparison, in this project's words.
"""

from typing import Literal

from generation.recipes.asking import Senseless, StrictAnswer, ask_for
from generation.recipes.contract import ChatAnswer, ChatEngine, ChatRequest
from generation.recipes.english import grammar as english

Kind = Literal["spatial", "temporal", "emotional", "rewritten"]
"""As the kinds of a stored prompt variant."""

MAX_WORDS = 70
_ASKED_WORDS = "one to three sentences, 25 to 50 words in all"

_RULES = f"""\
Keep every subject, the action, and who does it to whom; keep any style that is named. Describe one single still \
picture, only by what can be seen in it. Write {_ASKED_WORDS}. Answer with the new prompt alone, without a heading, \
quotation marks or comment."""

INSTRUCTIONS: dict[Kind, str] = {
    "spatial": """\
You enrich prompts for a text-to-image model with spatial detail: where the subjects are to each other, how they are \
turned, which parts touch and where, how their sizes compare, what is in front and what behind.""",
    "temporal": """\
You enrich prompts for a text-to-image model with temporal detail: catch the action at its most telling instant. Say \
in which phase each body is (mid-leap, paws outstretched), what moves which way, what has just happened and what is \
about to happen as far as pose, motion and traces show it.""",
    "emotional": """\
You enrich prompts for a text-to-image model with emotional detail: what each subject feels in this action, told by \
its face, eyes, mouth and posture and by how it answers the other one.""",
    "rewritten": """\
You rewrite prompts for a text-to-image model so that the picture shows what is meant without room for \
misunderstanding: say of each subject what it does, with which part of its body and which tool, and what it touches.""",
}


class Enriched(StrictAnswer):
    prompt: str


def enrich(chat: ChatEngine, prompt: str, kind: Kind) -> tuple[str, ChatAnswer[Enriched]]:
    """The prompt in other words, on one line, at most 70 words or twice those of the original.

    Raises ValueError for an unknown kind, BadAnswer for an empty or overlong text given twice, and what the engine
    raises.
    """
    if kind not in INSTRUCTIONS:
        raise ValueError(f'"{kind}" is not a kind of enrichment; there are {", ".join(INSTRUCTIONS)}.')
    most = max(MAX_WORDS, 2 * len(prompt.split()))

    def text_of(said: Enriched) -> str:
        text = english.one_line(said.prompt)
        if len(text) > 1 and text[0] in "\"“'" and text[-1] in "\"”'":
            text = text[1:-1].strip()
        if not text:
            raise Senseless("It is empty.")
        if (n_words := len(text.split())) > most:
            raise Senseless(f"It has {n_words} words; at most {most} are wanted.")
        return text

    return ask_for(chat, ChatRequest(f"{INSTRUCTIONS[kind]}\n\n{_RULES}", f"Prompt: {prompt}", Enriched), text_of)
