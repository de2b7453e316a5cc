"""How to read each kind of chart, for readers who see one for the first time."""

READINGS = {
    "Difference of mean ratings": (
        "The point is the mean difference, the longer line its 95% interval. To the right of the dashed line the "
        "method is rated higher; a line that crosses it leaves open which of the two is better."
    ),
    "Prompts on which it is better, equal, worse": (
        "Each prompt counts once, whatever the size of its difference. The longer the dark part is than the hollow "
        "one, the more often the method is the better of the two."
    ),
    "Differences by prompt": (
        "Each prompt is drawn at the difference of its two mean ratings: filled to the right of zero, where the method "
        "is better, hollow to the left, where it is worse. A few extreme prompts can dominate a mean."
    ),
    "Mean rating of every method": (
        "The thick line is where the mean would lie with other prompts, the thin one with other raters. Methods whose "
        "lines overlap may still differ, since they share prompts: the paired comparison decides."
    ),
    "How often each level was given": (
        "The darker, the higher the level. Two methods of equal mean can be very different: one middling throughout, "
        "the other good or bad."
    ),
    "How often each answer was given": "Shares of all answers; “unable to answer” is not among them.",
    "Agreement between raters": (
        "1 is perfect agreement, 0 is what chance alone would give (percentages of agreement do not correct for "
        "chance). The thin line shows how much another group of such raters could differ."
    ),
    "Spearman correlation with people": (
        "1 means that the metric ranks images as people do on average, 0 that it is unrelated to their judgement. "
        "The dashed line is how well one rater follows the mean of the others. A metric may lie above it, since it has "
        "no noise of a single rater."
    ),
    "Reliability of a mean of several raters": (
        "1 means that other raters would order the items in the same way, 0 that their means say nothing about the "
        "items. The dot is this study. The curve flattens: each further rater adds less."
    ),
    "What more prompts and more raters buy": (
        "The lower, the narrower the interval. The dot is this study: its prompts of which a rater rated both methods, "
        "and its raters. Where a curve is flat, more prompts hardly help, "
        "and the step down to the next curve shows what more raters would give."
    ),
    "Severity of every rater": (
        "To the right is the milder rater. One far from the others shifts every image that they alone have rated."
    ),
    "precision and recall": (
        "Precision: the share of its claims that are right. Recall: the share of the errors that it names, of those "
        "listed, and corrected for those that nobody listed. 1 is best; the line is where it would lie on other images."
    ),
    "Agreement of every rater with the others": "One whose line reaches 0 may have answered at random.",
    "Agreement of every rater with the others about votes": (
        "0 is what chance predicts from these very votes. Where one method is clearly preferred, that is most of them, "
        "and careful raters are near 0 too; so look for one who is far below the others."
    ),
    "Win rate of every method": (
        "Drawn where the model gives no strength to some method, for example because it won everything. The table of "
        "pairs says how certain a lead is."
    ),
}
"""By the chart's title. A chart without an entry here is explained by its axis."""
