"""Which prompt of a set an image belongs to; prompts that are new are made."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from generation.models import Prompt, PromptSet
from generation.models.among import among
from generation.models.bulk import Same, insert_columns, new_ids
from generation.services.origin import Origin


class Named(NamedTuple):
    """A prompt as an outside file names it: by its text, by its key, or by both; "" for what is not given."""

    text: str
    key: str


@dataclass(slots=True, eq=False)
class KnownPrompt:
    """A prompt of the set. `pk` is None until a new one is saved; in a dry run it stays so."""

    text: str
    key: str
    digest: str
    prompt_set_id: int | None
    pk: int | None = None
    is_text_known: bool = True


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
        self._dry: dict[str, KnownPrompt] = {}  # key → prompt that a real run would have made
        self._dry_by_text: dict[str, list[KnownPrompt]] = defaultdict(list)
        self.n_made = 0

    def find(self, names: Sequence[Named]) -> list[KnownPrompt | Unclear]:
        """The prompt of each name, in order. Call it in the transaction that saves what is made of them."""
        by_key, by_text = self._stored(names)
        result: list[KnownPrompt | Unclear] = []
        for name in names:
            chosen = self._choose(name, by_key, by_text)
            if chosen is None:
                chosen = self._made(name)
                by_text[chosen.text].append(chosen)
                if name.key:
                    by_key[name.key].append(chosen)
            result.append(chosen)
        if not self._dry_run:
            new = {id(one): one for one in result if isinstance(one, KnownPrompt) and one.pk is None}
            self._save(new.values())
            self.n_made += len(new)
        return result

    def _save(self, new: Collection[KnownPrompt]) -> None:
        for prompt, pk in zip(new, new_ids(Prompt, len(new)), strict=True):
            prompt.pk = pk
        added_by, import_run = self._origin.ids
        columns = {name: [getattr(prompt, name) for prompt in new] for name in ("text", "key", "digest")}
        metadata = [{} if prompt.is_text_known else {"text_is_unknown": True} for prompt in new]
        insert_columns(
            Prompt,
            {
                "id": [prompt.pk for prompt in new],
                "prompt_set_id": Same(self._set.pk),
                **columns,
                "metadata": metadata if any(metadata) else Same({}),
                "added_by_id": Same(added_by),
                "import_run_id": Same(import_run),
            },
            len(new),
        )

    def _stored(self, names: Sequence[Named]) -> tuple[dict[str, list[KnownPrompt]], dict[str, list[KnownPrompt]]]:
        by_key: dict[str, list[KnownPrompt]] = defaultdict(list)
        by_text: dict[str, list[KnownPrompt]] = defaultdict(list)
        keys, texts = {n.key for n in names if n.key}, {n.text for n in names if n.text}
        if self._set.pk is not None:
            prompts = Prompt.objects.filter(prompt_set=self._set).order_by("pk")
            rows = prompts.values_list("text", "key", "digest", "prompt_set", "pk")
            known = {row[-1]: KnownPrompt(*row) for row in (rows.filter(among("key", keys)) if keys else ())}
            for prompt in known.values():
                by_key[prompt.key].append(prompt)
            for row in rows.filter(among("text", texts)) if texts else ():
                by_text[row[0]].append(known.get(row[-1]) or KnownPrompt(*row))
        for key in keys:
            if (made := self._dry.get(key)) is not None:
                by_key[key].append(made)
        for text in texts & self._dry_by_text.keys():
            by_text[text] += self._dry_by_text[text]
        return by_key, by_text

    def _choose(
        self, name: Named, by_key: dict[str, list[KnownPrompt]], by_text: dict[str, list[KnownPrompt]]
    ) -> KnownPrompt | Unclear | None:
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

    def _only(self, prompts: list[KnownPrompt], field: str, what: str) -> KnownPrompt | Unclear:
        if len(prompts) == 1:
            return prompts[0]
        problem = f'{len(prompts)} prompts of "{self._set.name}" have {what}'
        return Unclear(field, problem, "name the prompt by a key that only it has")

    def _made(self, name: Named) -> KnownPrompt:
        text = name.text or name.key
        digest = Prompt.digest_of(text, key=name.key)
        prompt = KnownPrompt(text, name.key, digest, self._set.pk, is_text_known=bool(name.text))
        if self._dry_run:
            self.n_made += 1
            self._dry_by_text[prompt.text].append(prompt)
            if name.key:
                self._dry[name.key] = prompt
        return prompt
