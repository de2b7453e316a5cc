"""The picture next to the answer: what it shows, and that no picture is there twice."""

import re

from annotations.reports.paper.lead import with_lead
from annotations.reports.paper.summary import summary
from annotations.reports.study.sections.report import sections
from annotations.reports.view import Figure
from tests.reports.study.documents import edited, study_data, study_document


def test_a_comparison_is_drawn_with_the_interval_of_the_sentence() -> None:
    document = study_document(study_data(n_raters=4))
    (dimension,) = document.dimensions
    picture, left = with_lead(dimension, sections(document))
    assert picture is not None
    (covered,) = re.findall(r"95% interval over ([a-z ]+) [−+0-9]", summary(document)[0])
    assert covered == "prompts and raters"
    shown = f"thin: 95% interval over {covered}; thick: over prompts, these raters"
    assert picture.axis == f"difference of mean ratings from base_line; {shown}"
    assert 'class="whisker"' in picture.pictures[0]
    assert 'class="wide-interval"' in picture.pictures[0]
    assert left == sections(document)


def test_without_a_comparison_the_first_picture_moves_to_the_answer() -> None:
    document = study_document(study_data(n_raters=4))
    document = edited(document, lambda found: found["dimensions"][0].update(comparisons=[]))
    (dimension,) = document.dimensions
    found = sections(document)
    picture, left = with_lead(dimension, found)
    assert picture is not None
    assert picture.title == "Mean rating of every method"
    assert picture in found[0].blocks
    assert all(block is not picture for section in left for block in section.blocks)
    drawn = sum(isinstance(block, Figure) for section in found for block in section.blocks)
    assert sum(isinstance(block, Figure) for section in left for block in section.blocks) == drawn - 1
