"""What columns of ratings are called: how an item, a rater, a question and a value are recognised by their names."""

import re
from collections.abc import Iterable, Sequence

from exchange.tables.headers import folded

ITEM = (
    *("item", "image", "item_key", "item_id", "image_id", "image_name", "image_file", "image_path", "image_url"),
    *("filename", "file_name", "file", "img", "picture", "photo", "stimulus", "stimulus_id", "path", "url"),
    *("instance_id", "sample_id", "uid", "sample", "key"),
)
RATER = (
    *("rater", "annotator", "worker", "rater_id", "annotator_id", "worker_id", "workerid", "user", "user_id", "userid"),
    *("username", "participant", "participant_id", "prolific_pid", "prolific_id", "subject", "subject_id"),
    *("respondent", "respondent_id", "evaluator", "evaluator_id", "judge", "judge_id", "coder", "expert", "reviewer"),
    *("assessor", "labeler", "labeller", "person", "completed_by", "annotated_by", "rated_by"),
)
DIMENSION = ("dimension", "question", "criterion", "criteria", "aspect", "attribute")
VALUE = ("value", "rating", "score", "answer", "response", "grade", "stars", "points", "label")
PROMPT = ("prompt", "prompt_text", "caption", "prompt_id")
METHOD = ("method", "model", "t2i_model", "generator", "system")
ANSWERED_AT = ("answered_at", "timestamp", "submitted_at", "created_at", "time", "date")
ACTIVE_MS = ("active_ms",)
ASIDE = (
    *("id", "index", "no", "nr", "number", "row", "level_0", "seed", "category", "sub_category", "topic", "split"),
    *("status", "comment", "comments", "note", "notes", "remark", "remarks", "reason", "explanation", "feedback"),
    *("duration", "seconds", "time_spent", "lead_time", "is_unable", "sequence", "order", "position", "trial", "batch"),
    *("rater_kind", "set", "dataset", "mean", "average", "avg", "median", "std", "sd", "total", "sum", "count", "n"),
    *("agreement", "majority", "width", "height", "age", "gender", "sex", "country", "language", "session", "hit_id"),
    *("assignment_id", "updated_at", "started_at", "version", "email", "ip_address", "source", "type", "kind"),
    *("round", "parent", "sha256", "description", "text"),
)
"""Columns that never hold answers, whatever their content."""

_PERSON = (
    r"(?:rater|annotator|worker|judge|coder|expert|user|person|participant|subject|evaluator|reviewer|assessor|"
    r"labell?er|respondent|student|crowd|turker|bewerter|juror|panel(?:l?ist)?|rating|score|grade|vote|answer|response)"
)
_RATER_LIKE = re.compile(
    rf"{_PERSON}[_.#]*(?:no|nr|id)?[_.#]*(?:\d+|[a-z])|{_PERSON}[_.#]+\w{{1,20}}|[a-z]{{1,3}}[_.]*0*\d+|"
    r"[^@\s]+@[^@\s]+\.[a-z]+|(?:first|second|third|fourth|fifth)_" + _PERSON + r"|\d+(?:st|nd|rd|th)_" + _PERSON
)
_NOT_RATERS = re.compile(r"q(?:uestion)?[_.]*\d+|(?:dim|criterion|aspect|item|image|img|model|method)[_.]*\d+")
_QUESTION_WORDS = re.compile(
    r"quality|align|aesthetic|realis|fidelity|overall|consisten|coheren|relevan|faithful|composition|creativ|original|"
    r"detail|color|colour|beaut|natural|plausib|correct|accura|complete|match|adheren|prefer|safety|harm|bias|toxic|"
    r"style|artefact|artifact|sharp|blur|clar|readab|legib|counting|spatial|emotion|action|likert|fluency|useful|helpful|"
    r"honest|appeal|satisf|trust|complex|divers|novel|anatomy|lighting|texture|object|attribute|relation|semantic|"
    r"perceptual|visual|text_render|question"
)


def role(names: Sequence[str], columns: Iterable[str]) -> str | None:
    """The column with the earliest of these names; None if there is none."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(folded(column), column)
    return next((by_name[name] for name in names if name in by_name), None)


def is_aside(column: str) -> bool:
    name = folded(column)
    return name in ASIDE or name.startswith("unnamed:_") or name.endswith(("_id", "_at", "_time", "_ms", "_seconds"))


def is_rater_like(name: str) -> bool:
    """rater1, annotator_b, r3, A07, ann@example.org, score 2; not q1."""
    text = folded(name)
    return bool(_RATER_LIKE.fullmatch(text)) and not _NOT_RATERS.fullmatch(text)


def is_question_like(name: str) -> bool:
    return bool(_QUESTION_WORDS.search(folded(name))) or bool(_NOT_RATERS.fullmatch(folded(name)))


def crossed(names: Sequence[str]) -> tuple[dict[str, tuple[str, str]], bool] | None:
    """Column → (rater, question) where each column is named after both, such as rater1_quality or alignment (r2).

    The columns must be all pairs of the raters and the questions; the sign between them must be the same, and the
    raters must look like raters. The flag says whether raters come first. None if any of this does not hold.
    """
    for pattern in (r"(.+?)\s*[\[(](.+)[\])]", *(rf"({a}){j}({b})" for j in _JOINTS for a, b in _GREEDY)):
        split = [re.fullmatch(pattern, name.strip(), re.DOTALL) for name in names]
        if not all(split):
            continue
        pairs = [(match[1].strip(), match[2].strip()) for match in split if match]
        firsts, seconds = (list(dict.fromkeys(parts)) for parts in zip(*pairs, strict=True))
        if len(set(pairs)) != len(names) or len(firsts) * len(seconds) != len(names):
            continue
        for raters, questions, is_first in ((firsts, seconds, True), (seconds, firsts, False)):
            named = all(is_rater_like(rater) for rater in raters) and not any(is_rater_like(q) for q in questions)
            if named and len(raters) > 1:
                chosen = pairs if is_first else [(second, first) for first, second in pairs]
                return dict(zip(names, chosen, strict=True)), is_first
    return None


_JOINTS = (r"\s*[:|/]+\s*", r"__", r"\s+-\s+", r"[_.]", r"-", r"\s+")
_GREEDY = ((".+?", ".+"), (".+", ".+?"))
