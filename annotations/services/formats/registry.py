"""Other programs' formats that a study can be written in: the same for pages, commands and the API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotations.models import Study
from annotations.services.formats import label_studio, preference_pairs, regions, wide

JSON = "application/json"


def _write_data_set(study: Study, file: IO[bytes]) -> None:
    from annotations.services.formats import dataset  # imports the whole analysis, which no other format needs

    dataset.write(study, file)


@dataclass(frozen=True)
class Format:
    """One file that a study can be written as.

    file   the file's name after the study's title
    write  writes into an open file; raises NothingToRelease if there is nothing to write
    """

    name: str
    file: str
    media_type: str
    title: Promise
    help: Promise
    write: Callable[[Study, IO[bytes]], None]


def _write_excel(study: Study, target: IO[bytes]) -> None:
    from annotations.services.formats import excel  # openpyxl takes a third of a second, which every process would pay

    excel.write(study, target)


FORMATS = {
    one.name: one
    for one in (
        Format(
            "excel",
            "ratings.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            _("Excel, with thumbnails"),
            _("The images with the figures of each question, every rating, and the questions."),
            _write_excel,
        ),
        Format(
            "wide-by-rater",
            "by-rater.csv",
            "text/csv",
            _("CSV, one column per rater"),
            _("A row for each image and question."),
            wide.write_by_rater,
        ),
        Format(
            "wide-by-rater-mapping",
            "by-rater.mapping.json",
            JSON,
            _("Mapping for one column per rater"),
            _("For reading the table again, with --mapping of analyze and import_ratings."),
            wide.write_mapping_by_rater,
        ),
        Format(
            "wide-by-question",
            "by-question.csv",
            "text/csv",
            _("CSV, one column per question"),
            _("A row for each image and rater."),
            wide.write_by_question,
        ),
        Format(
            "wide-by-question-mapping",
            "by-question.mapping.json",
            JSON,
            _("Mapping for one column per question"),
            _("For reading the table again, with --mapping of analyze and import_ratings."),
            wide.write_mapping_by_question,
        ),
        Format(
            "preference-pairs",
            "preference-pairs.jsonl",
            "application/jsonl",
            _("Chosen and rejected images"),
            _("For training on preferences: two images of a prompt per line, with the confidence."),
            preference_pairs.write,
        ),
        Format(
            "label-studio",
            "label-studio.json",
            JSON,
            _("Label Studio"),
            _("Tasks with their annotations."),
            label_studio.write,
        ),
        Format(
            "label-studio-config",
            "label-studio.xml",
            "application/xml",
            _("Label Studio, labelling configuration"),
            _("For the project that the tasks are imported into."),
            label_studio.write_configuration,
        ),
        Format(
            "coco",
            "errors.coco.json",
            JSON,
            _("COCO"),
            _("Places that raters marked and errors that auditors marked, in pixels."),
            regions.write_coco,
        ),
        Format(
            "web-annotations",
            "web-annotations.json",
            JSON,
            _("W3C Web Annotations"),
            _("Every rating, and every error that auditors listed."),
            regions.write_web_annotations,
        ),
        Format(
            "dataset",
            "dataset.zip",
            "application/zip",
            _("Data-set folder (Hugging Face, Croissant)"),
            _("Parquet tables, the images, a card and a Croissant description; raters have aliases."),
            _write_data_set,
        ),
    )
}
