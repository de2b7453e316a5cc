"""The cost of a remote model's call, in US dollars, from the prices that a researcher states."""

from dataclasses import dataclass

TOKENS_A_PRICE = 1_000_000


@dataclass(frozen=True)
class Prices:
    """US dollars per million tokens sent and received, and per image; None: not known."""

    tokens_in: float | None = None
    tokens_out: float | None = None
    image: float | None = None

    def of_tokens(self, n_in: int | None, n_out: int | None) -> float | None:
        """The cost of that many tokens; None if a price or a number of tokens is not known."""
        if self.tokens_in is None or self.tokens_out is None or n_in is None or n_out is None:
            return None
        return (n_in * self.tokens_in + n_out * self.tokens_out) / TOKENS_A_PRICE

    def of_images(self, n_images: int) -> float | None:
        """The cost of that many images; None if their price is not known."""
        return None if self.image is None else n_images * self.image

    @property
    def known(self) -> bool:
        return self.image is not None or (self.tokens_in is not None and self.tokens_out is not None)
