"""Marked places of images as COCO (object detection) and as W3C Web Annotations, from the same plain regions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from exchange.tables.row import JsonValue

CONTEXT = "http://www.w3.org/ns/anno.jsonld"
OTHER_KIND = "error"
POINT = "point"


@dataclass(frozen=True)
class Picture:
    """An image by its name; width and height in pixels of the original, None if they are not known."""

    name: str
    width: int | None
    height: int | None


@dataclass(frozen=True)
class Region:
    """One marked place; the shares of the image's width and height are between 0 and 1, from its top left.

    id             what it is and its number, such as error:7
    kind           what is marked, "" for no kind
    width, height  None for a point; x is None as well if only the image is named
    more           what else is known, which COCO keeps as attributes and the Web Annotation as further bodies
    """

    id: str
    picture: Picture
    by: str
    is_person: bool
    kind: str
    text: str
    at: datetime
    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    more: dict[str, JsonValue] = field(default_factory=dict)


def coco(regions: Iterable[Region], *, description: str, made_at: str) -> dict[str, JsonValue]:
    """A COCO data set with a box in pixels for each region that has a place in an image of known size.

    A point is a keypoint in a box without width and height. Regions without a place are counted in info.left_out.
    """
    kinds: dict[str, int] = {}
    pictures: dict[str, int] = {}
    images: list[JsonValue] = []
    annotations: list[JsonValue] = []
    n_left_out = 0
    for region in regions:
        picture = region.picture
        if region.x is None or region.y is None or picture.width is None or picture.height is None:
            n_left_out += 1
            continue
        if picture.name not in pictures:
            pictures[picture.name] = len(pictures) + 1
            images.append(
                {
                    "id": pictures[picture.name],
                    "file_name": picture.name,
                    "width": picture.width,
                    "height": picture.height,
                }
            )
        x, y = region.x * picture.width, region.y * picture.height
        width, height = (region.width or 0.0) * picture.width, (region.height or 0.0) * picture.height
        marked: dict[str, JsonValue] = {
            "id": len(annotations) + 1,
            "image_id": pictures[picture.name],
            "category_id": kinds.setdefault(region.kind or OTHER_KIND, len(kinds) + 1),
            "bbox": [x, y, width, height],
            "area": width * height,
            "segmentation": [[x, y, x + width, y, x + width, y + height, x, y + height]] if region.width else [],
            "iscrowd": 0,
            "attributes": {
                "source": region.id,
                "text": region.text,
                "annotator": region.by,
                "created_at": region.at.isoformat(),
                **region.more,
            },
        }
        if region.width is None:
            marked |= {"keypoints": [x, y, 2], "num_keypoints": 1}
        annotations.append(marked)
    return {
        "info": {"description": description, "date_created": made_at, "left_out": n_left_out},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": number, "name": kind, "supercategory": OTHER_KIND, "keypoints": [POINT], "skeleton": []}
            for kind, number in kinds.items()
        ],
    }


def web_annotation(region: Region) -> dict[str, JsonValue]:
    """A region as a Web Annotation: the box, or the point, is a Media Fragment in per cent of the image."""
    bodies: list[JsonValue] = [{"type": "TextualBody", "purpose": "describing", "value": region.text}]
    if region.kind:
        bodies.append({"type": "TextualBody", "purpose": "tagging", "value": region.kind})
    for name, value in region.more.items():
        if value is not None and value != "":
            bodies.append({"type": "TextualBody", "purpose": "tagging", "label": name, "value": str(value)})
    target: dict[str, JsonValue] = {"source": region.picture.name}
    if region.x is not None and region.y is not None:
        place = ",".join(_percent(one or 0.0) for one in (region.x, region.y, region.width, region.height))
        target["selector"] = {
            "type": "FragmentSelector",
            "conformsTo": "http://www.w3.org/TR/media-frags/",
            "value": f"xywh=percent:{place}",
        }
    return _annotation(f"urn:evalsite:{region.id}", region.by, region.is_person, region.at, bodies, target)


def assessment(
    *, id: int, item: str, by: str, is_person: bool, at: datetime, question: str, value: str, words: str
) -> dict[str, JsonValue]:
    """An answer about a whole image as a Web Annotation whose body assesses; `label` says which question it answers."""
    body: dict[str, JsonValue] = {"type": "TextualBody", "purpose": "assessing", "label": question, "value": value}
    bodies: list[JsonValue] = [body]
    if words and words != value:
        bodies.append({"type": "TextualBody", "purpose": "commenting", "value": words})
    return _annotation(f"urn:evalsite:answer:{id}", by, is_person, at, bodies, {"source": item})


def _annotation(
    id: str, by: str, is_person: bool, at: datetime, bodies: Sequence[JsonValue], target: dict[str, JsonValue]
) -> dict[str, JsonValue]:
    return {
        "@context": CONTEXT,
        "id": id,
        "type": "Annotation",
        "motivation": "assessing",
        "creator": {"type": "Person" if is_person else "Software", "name": by},
        "created": at.isoformat(),
        "body": list(bodies),
        "target": target,
    }


def _percent(share: float) -> str:
    """A share as per cent, to a thousandth of a pixel of any image."""
    return f"{100 * share:.8f}".rstrip("0").rstrip(".")
