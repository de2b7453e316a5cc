"""Answers one question of a card: only by keys, by touch, and as a plain form without a script.

Each function answers a question of one kind and leaves the card where the next question can be answered. What to say
comes as the answer is stored: a level, or a structure (see `annotations.kinds`). `question` is the part of the card
that asks it; `turn` is the place from the left of the image that it is about.
"""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

ORDER = "abcdefghijkl"
MOST_TAPS = 5
MIDDLE = {"kind": 0, "x": 0.5, "y": 0.5}


@dataclass(frozen=True)
class Keys:
    """Only the keyboard: the page itself says which question is next."""

    page: Page
    name = "keys"

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def levels(self, question: Locator, level: int) -> None:
        self.press(str(level + 1))

    def slider(self, question: Locator, level: int) -> None:
        self.page.keyboard.type(str(level))
        self.press("Enter")

    def many(self, question: Locator, chosen: list[int]) -> None:
        self.press(*(str(code + 1) for code in chosen), "Enter")

    def comment(self, question: Locator, answer: dict[str, str]) -> None:
        self.page.keyboard.type(answer["text"])
        self.press("Enter")

    def words(self, question: Locator, marks: list[int]) -> None:
        self.press(*(str(mark + 1) for mark in marks), "Enter")

    def parts(self, question: Locator, answers: list[str]) -> None:
        self.press(*(answer[0] for answer in answers if answer != "not asked"))

    def places(self, question: Locator, places: list[dict[str, Any]]) -> None:
        for place in places:
            self.press(str(place["kind"] + 1), "Enter")
        self.press("Enter")

    def ranking(self, question: Locator, places: list[int]) -> None:
        self.press(*(ORDER[image] for image in sorted(range(len(places)), key=places.__getitem__)), "Enter")

    def best_worst(self, question: Locator, levels: list[int]) -> None:
        self.press(ORDER[levels.index(0)], ORDER[levels.index(2)])

    def send(self, card: Locator) -> None:
        """The Enter of the last question has sent it, or the card is sent by one more."""
        if card.count():
            self.press("Enter")


@dataclass(frozen=True)
class Touch:
    """A finger: only the text of a comment needs a keyboard."""

    page: Page
    name = "touch"

    def _until(self, counts: Locator, spot: Locator) -> None:
        """Tap until it counts: a second tap on one spot at once is a double tap, which answers no other question.

        counts: is there once it does.
        """
        for _ in range(MOST_TAPS):
            if counts.count():
                return
            spot.tap()
        expect(counts).to_have_count(1)

    def _choose(self, choice: Locator) -> None:
        self._until(choice.locator("input:checked"), choice)

    def levels(self, question: Locator, level: int) -> None:
        self._choose(question.locator(".answer-choice").nth(level))

    def slider(self, question: Locator, level: int) -> None:
        """level: of a line from 0 to 100. A finger comes near it."""
        line = question.locator(".range")
        line.scroll_into_view_if_needed()
        box = line.bounding_box()
        assert box is not None
        line.tap(position={"x": 8 + (box["width"] - 16) * level / 100, "y": box["height"] / 2})

    def many(self, question: Locator, chosen: list[int]) -> None:
        for code in chosen:
            self._choose(question.locator(".answer-choice").nth(code))

    def comment(self, question: Locator, answer: dict[str, str]) -> None:
        question.locator("textarea").tap()
        question.locator("textarea").fill(answer["text"])

    def words(self, question: Locator, marks: list[int]) -> None:
        for place, mark in enumerate(marks):
            for _ in range(mark):
                question.locator(".word").nth(place).tap()
        question.locator(".rest").tap()

    def parts(self, question: Locator, answers: list[str]) -> None:
        for place, answer in enumerate(answers):
            if answer != "not asked":
                self._choose(question.locator(".part").nth(place).locator(".answer-choice").nth("yn".index(answer[0])))

    def places(self, question: Locator, places: list[dict[str, Any]]) -> None:
        layer = self.page.locator(".layer")
        for place in places:
            question.locator(".kind").nth(place["kind"]).tap()
            layer.scroll_into_view_if_needed()
            box = layer.bounding_box()
            assert box is not None
            layer.tap(position={"x": place["x"] * box["width"], "y": place["y"] * box["height"]})

    def ranking(self, question: Locator, places: list[int]) -> None:
        for image in sorted(range(len(places)), key=places.__getitem__):
            self._put(question, image)

    def best_worst(self, question: Locator, levels: list[int]) -> None:
        for level in (0, 2):
            self._put(question, levels.index(level))

    def _put(self, question: Locator, image: int) -> None:
        place = f".place:has(select[name='{question.get_attribute('data-name')}-{image}'])"
        self._until(self.page.locator(f"{place}.is-placed"), self.page.locator(f"{place} button"))

    def send(self, card: Locator) -> None:
        card.locator(".send").tap()


@dataclass(frozen=True)
class Form:
    """A browser without JavaScript. Places cannot be marked there: it is said that there is none."""

    page: Page
    name = "form"

    def levels(self, question: Locator, level: int) -> None:
        question.locator(".answer-choice input").nth(level).check()

    def slider(self, question: Locator, level: int) -> None:
        question.locator("input[type=number]").fill(str(level))

    def many(self, question: Locator, chosen: list[int]) -> None:
        for code in chosen:
            question.locator(".answer-choice input").nth(code).check()

    def comment(self, question: Locator, answer: dict[str, str]) -> None:
        question.locator("textarea").fill(answer["text"])

    def words(self, question: Locator, marks: list[int]) -> None:
        for place, mark in enumerate(marks):
            question.locator(".words select").nth(place).select_option(index=mark)

    def parts(self, question: Locator, answers: list[str]) -> None:
        for place, answer in enumerate(answers):
            if answer != "not asked":
                question.locator(".part").nth(place).locator(f"input[value='{answer[0]}']").check()

    def places(self, question: Locator, places: list[dict[str, Any]]) -> None:
        question.locator(".answer-choice--none input").check()

    def ranking(self, question: Locator, places: list[int]) -> None:
        for image, place in enumerate(places):
            name = question.get_attribute("data-name")
            self.page.locator(f"select[name='{name}-{image}']").select_option(index=place + 1)  # the first is empty

    best_worst = ranking

    def send(self, card: Locator) -> None:
        card.locator(".send").click()


Hand = Keys | Touch | Form
