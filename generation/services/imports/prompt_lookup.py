"""Which prompt of a set an image belongs to; prompts that are new are made."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from generation.models import Prompt, PromptSet
from generation.models.among import among
from generation.models.bulk import insert_objects
from generation.services.origin import Origin


class Named(NamedTuple):
    """A prompt as an outside file names it: by its text, by its key, or by both; "" for what is not given."""

    text: str
    key: str


class Unclear(NamedTuple):
    """Why no prompt could be identified, and the cure."""

    field: str
    problem: str
    cure: str


class PromptLookup:
    """Finds or makes the prompts of one set, a batch of names at a time.

    By key if one is given: its text, where given too, must agree. By text otherwise: exactly one prompt may have it.
    A prompt that is not there is made, if its text is given or `key_as_text` allows a prompt of which only the key is
    known. In a dry run new prompts stay unsaved.
    """

    def __init__(
        self, prompt_set: PromptSet, *, origin: Origin, key_as_text: bool = False, dry_run: bool = False
    ) -> None:
        self._set, self._origin, self._key_as_text, self._dry_run = prompt_set, origin, key_as_text, dry_run
        self._dry: dict[str, Prompt] = {}  # key → prompt that a real run would have made
        self._dry_by_text: dict[str, list[Prompt]] = defaultdict(list)
        self.n_made = 0

    def find(self, names: Sequence[Named]) -> list[Prompt | Unclear]:
        """The prompt of each name, in order. Call it in the transaction that saves what is made of them."""
        by_key, by_text = self._stored(names)
        result: list[Prompt | Unclear] = []
        for name in names:
            chosen = self._choose(name, by_key, by_text)
            if chosen is None:
                chosen = self._made(name)
                by_text[chosen.text].append(chosen)
                if name.key:
                    by_key[name.key].append(chosen)
            result.append(chosen)
        new: dict[int, Prompt] = {}
        for found in result:
            if isinstance(found, Prompt) and found.pk is None:
                new[id(found)] = found
        if not self._dry_run:
            insert_objects(Prompt, new.values())
            self.n_made += len(new)
        return result

    def _stored(self, names: Sequence[Named]) -> tuple[dict[str, list[Prompt]], dict[str, list[Prompt]]]:
        by_key: dict[str, list[Prompt]] = defaultdict(list)
        by_text: dict[str, list[Prompt]] = defaultdict(list)
        keys, texts = {n.key for n in names if n.key}, {n.text for n in names if n.text}
        if self._set.pk is not None:
            prompts = Prompt.objects.filter(prompt_set=self._set).order_by("pk")
            for prompt in prompts.filter(among("key", keys)) if keys else ():
                by_key[prompt.key].append(prompt)
            for prompt in prompts.filter(among("text", texts)) if texts else ():
                by_text[prompt.text].append(prompt)
        for key in keys:
            if (made := self._dry.get(key)) is not None:
                by_key[key].append(made)
        for text in texts & self._dry_by_text.keys():
            by_text[text] += self._dry_by_text[text]
        return by_key, by_text

    def _choose(
        self, name: Named, by_key: dict[str, list[Prompt]], by_text: dict[str, list[Prompt]]
    ) -> Prompt | Unclear | None:
        if name.key and (keyed := by_key.get(name.key)):
            agreeing = [prompt for prompt in keyed if name.text in ("", prompt.text)]
            if not agreeing:
                problem = f'the prompt "{name.key}" of "{self._set.name}" has another text'
                return Unclear("prompt", problem, "correct the text or the key, or leave one of them out")
            return self._only(agreeing, "prompt_key", f'the key "{name.key}"')
        if name.text:
            same_text = [p for p in by_text.get(name.text, ()) if not name.key or not p.key]
            return self._only(same_text, "prompt", "this text") if same_text else None
        if self._key_as_text:
            return None
        problem = f'no prompt of "{self._set.name}" has the key "{name.key}"'
        return Unclear("prompt_key", problem, "import the prompts first, or give the prompt's text")

    def _only(self, prompts: list[Prompt], field: str, what: str) -> Prompt | Unclear:
        if len(prompts) == 1:
            return prompts[0]
        problem = f'{len(prompts)} prompts of "{self._set.name}" have {what}'
        return Unclear(field, problem, "name the prompt by a key that only it has")

    def _made(self, name: Named) -> Prompt:
        prompt = Prompt(
            prompt_set=self._set,
            text=name.text or name.key,
            key=name.key,
            metadata={} if name.text else {"text_is_unknown": True},
            **self._origin.fields,
        )
        prompt.digest = Prompt.digest_of(prompt.text, key=prompt.key)
        if self._dry_run:
            self.n_made += 1
            self._dry_by_text[prompt.text].append(prompt)
            if name.key:
                self._dry[name.key] = prompt
        return prompt
