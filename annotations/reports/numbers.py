"""Figures as text, the same in sentences, tables and charts; a minus is a minus sign, not a hyphen."""


def figure(number: float | None, *, signed: bool = False, digits: int = 3) -> str:
    """Three decimals unless stated otherwise; whole numbers from 10 upwards have none. An en dash where undefined.

    For tables: what one sentence compares has `decimal`.
    """
    if number is None:
        return "–"
    if float(number).is_integer() and abs(number) >= 10:
        return f"{number:,.0f}".replace("-", "−")
    return f"{number:{'+' if signed else ''}z.{digits}f}".replace("-", "−")


def decimal(number: float, *, signed: bool = False, digits: int = 2) -> str:
    """With these decimals, as figures that one sentence compares have them; never a negative zero."""
    return f"{number:{'+' if signed else ''}z,.{digits}f}".replace("-", "−")


def ratio(number: float) -> str:
    """A ratio in a sentence, where digits of the very small and the very large mean nothing."""
    return "below 0.01" if number < 0.01 else "above 1,000" if number > 1000 else decimal(number)


def scale_value(number: float) -> str:
    """A value of a scale as it was designed, without extra decimals: −1, 0.5."""
    return f"{number:g}".replace("-", "−")


def share(number: float) -> str:
    return f"{number:.1%}"


def interval(low: float | None, high: float | None, *, digits: int = 3) -> str:
    """In brackets; empty without an interval."""
    return "" if low is None or high is None else f"[{low:.{digits}f}, {high:.{digits}f}]".replace("-", "−")


def span(low: float, high: float, *, signed: bool = False, digits: int = 2) -> str:
    """The same in a sentence: 0.59 to 0.76."""
    return " to ".join(decimal(end, signed=signed, digits=digits) for end in (low, high))


def p_value(p: float | None) -> str:
    return "" if p is None else "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}"


def counted(n: int, noun: str, plural: str = "") -> str:
    """1 rater, 2,000 raters."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def for_terminal(text: str) -> str:
    """The text with a hyphen for each minus, which every terminal can show."""
    return text.replace("−", "-")
