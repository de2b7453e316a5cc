"""The sources of the methods that a report uses, as BibTeX."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """One entry. `fields` are BibTeX's own beyond author, title and year, in the order written."""

    key: str
    kind: str
    author: str
    title: str
    year: int
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def short(self) -> str:
        """Author and year as a text names them: Cameron et al. 2011."""
        names = [name.split(",")[0].strip("{}") for name in self.author.split(" and ")]
        who = names[0] if len(names) == 1 else " & ".join(names) if len(names) == 2 else f"{names[0]} et al."
        return f"{_plain(who)} {self.year}"

    @property
    def long(self) -> str:
        """The entry as a line of a list of references."""
        found = dict(self.fields)
        place = found.get("journal") or found.get("booktitle") or found.get("publisher") or found.get("howpublished")
        volume = found.get("volume", "") + (f"({found['number']})" if "number" in found else "")
        pages = found.get("pages", "")
        where = " ".join(filter(None, (place, volume))) + (f":{pages}" if pages else "")
        authors = "; ".join(self.author.split(" and "))
        return _plain(f"{authors} ({self.year}). {self.title}. {where}.")

    def bibtex(self) -> str:
        listed = (("author", self.author), ("title", f"{{{self.title}}}"), ("year", str(self.year)), *self.fields)
        body = "".join(f"  {name} = {{{value}}},\n" for name, value in listed)
        return f"@{self.kind}{{{self.key},\n{body}}}\n"


def _plain(text: str) -> str:
    for accented, letter in (
        ("--", "–"),
        (r"{\"a}", "ä"),
        (r"{\'e}", "é"),
        (r"{\'o}", "ó"),
        (r"{\o}", "ø"),
        ("{", ""),
        ("}", ""),
        (r"\&", "&"),
    ):
        text = text.replace(accented, letter)
    return text


def bibliography(keys: Iterable[str]) -> str:
    """The entries of these keys, each once, in the order of their keys. Raises KeyError for an unknown one."""
    return "\n".join(REFERENCES[key].bibtex() for key in sorted(set(keys)))


def _article(key: str, author: str, title: str, year: int, journal: str, volume: str, pages: str) -> Reference:
    name, _, number = volume.partition("/")
    numbered = (("number", number),) if number else ()
    return Reference(
        key, "article", author, title, year, (("journal", journal), ("volume", name), *numbered, ("pages", pages))
    )


_ALL = (
    Reference(
        "krippendorff2011",
        "misc",
        "Krippendorff, Klaus",
        "Computing Krippendorff's Alpha-Reliability",
        2011,
        (("howpublished", "Annenberg School for Communication, University of Pennsylvania"),),
    ),
    _article(
        "fleiss1971",
        "Fleiss, Joseph L.",
        "Measuring nominal scale agreement among many raters",
        1971,
        "Psychological Bulletin",
        "76/5",
        "378--382",
    ),
    _article(
        "cohen1968",
        "Cohen, Jacob",
        "Weighted kappa: Nominal scale agreement with provision for scaled disagreement or partial credit",
        1968,
        "Psychological Bulletin",
        "70/4",
        "213--220",
    ),
    _article(
        "conger1980",
        "Conger, Anthony J.",
        "Integration and generalization of kappas for multiple raters",
        1980,
        "Psychological Bulletin",
        "88/2",
        "322--328",
    ),
    _article(
        "gwet2008",
        "Gwet, Kilem Li",
        "Computing inter-rater reliability and its variance in the presence of high agreement",
        2008,
        "British Journal of Mathematical and Statistical Psychology",
        "61/1",
        "29--48",
    ),
    Reference(
        "gwet2014",
        "book",
        "Gwet, Kilem Li",
        "Handbook of Inter-Rater Reliability",
        2014,
        (
            ("edition", "4"),
            ("publisher", "Advanced Analytics"),
        ),
    ),
    _article(
        "brennan1981",
        "Brennan, Robert L. and Prediger, Dale J.",
        "Coefficient kappa: Some uses, misuses, and alternatives",
        1981,
        "Educational and Psychological Measurement",
        "41/3",
        "687--699",
    ),
    _article(
        "mcgraw1996",
        "McGraw, Kenneth O. and Wong, S. P.",
        "Forming inferences about some intraclass correlation coefficients",
        1996,
        "Psychological Methods",
        "1/1",
        "30--46",
    ),
    _article(
        "efron1987",
        "Efron, Bradley",
        "Better bootstrap confidence intervals",
        1987,
        "Journal of the American Statistical Association",
        "82/397",
        "171--185",
    ),
    _article(
        "efron1981",
        "Efron, Bradley and Stein, Charles",
        "The jackknife estimate of variance",
        1981,
        "The Annals of Statistics",
        "9/3",
        "586--596",
    ),
    _article(
        "cameron2011",
        "Cameron, A. Colin and Gelbach, Jonah B. and Miller, Douglas L.",
        "Robust inference with multiway clustering",
        2011,
        "Journal of Business {\\&} Economic Statistics",
        "29/2",
        "238--249",
    ),
    _article(
        "wilcoxon1945",
        "Wilcoxon, Frank",
        "Individual comparisons by ranking methods",
        1945,
        "Biometrics Bulletin",
        "1/6",
        "80--83",
    ),
    Reference(
        "fisher1935",
        "book",
        "Fisher, Ronald A.",
        "The Design of Experiments",
        1935,
        (("publisher", "Oliver and Boyd"),),
    ),
    _article(
        "phipson2010",
        "Phipson, Belinda and Smyth, Gordon K.",
        ("Permutation p-values should never be zero: Calculating exact p-values when permutations are randomly drawn"),
        2010,
        "Statistical Applications in Genetics and Molecular Biology",
        "9/1",
        "39",
    ),
    _article(
        "kerby2014",
        "Kerby, Dave S.",
        "The simple difference formula: An approach to teaching nonparametric correlation",
        2014,
        "Comprehensive Psychology",
        "3",
        "1",
    ),
    _article(
        "wilson1927",
        "Wilson, Edwin B.",
        "Probable inference, the law of succession, and statistical inference",
        1927,
        "Journal of the American Statistical Association",
        "22/158",
        "209--212",
    ),
    _article(
        "mccullagh1980",
        "McCullagh, Peter",
        "Regression models for ordinal data",
        1980,
        "Journal of the Royal Statistical Society: Series B",
        "42/2",
        "109--142",
    ),
    _article(
        "hedeker1994",
        "Hedeker, Donald and Gibbons, Robert D.",
        "A random-effects ordinal regression model for multilevel analysis",
        1994,
        "Biometrics",
        "50/4",
        "933--944",
    ),
    _article(
        "waudbysmith2024",
        "Waudby-Smith, Ian and Ramdas, Aaditya",
        "Estimating means of bounded random variables by betting",
        2024,
        "Journal of the Royal Statistical Society: Series B",
        "86/1",
        "1--27",
    ),
    _article(
        "steegen2016",
        "Steegen, Sara and Tuerlinckx, Francis and Gelman, Andrew and Vanpaemel, Wolf",
        "Increasing transparency through a multiverse analysis",
        2016,
        "Perspectives on Psychological Science",
        "11/5",
        "702--712",
    ),
    _article(
        "spearman1904",
        "Spearman, Charles",
        "The proof and measurement of association between two things",
        1904,
        "The American Journal of Psychology",
        "15/1",
        "72--101",
    ),
    _article(
        "kendall1945",
        "Kendall, M. G.",
        "The treatment of ties in ranking problems",
        1945,
        "Biometrika",
        "33/3",
        "239--251",
    ),
    Reference(
        "deutsch2023",
        "inproceedings",
        "Deutsch, Daniel and Foster, George and Freitag, Markus",
        "Ties matter: Meta-evaluating modern metrics with pairwise accuracy and tie calibration",
        2023,
        (
            ("booktitle", "Proceedings of EMNLP"),
            ("pages", "12914--12929"),
        ),
    ),
    _article(
        "deutsch2021",
        "Deutsch, Daniel and Dror, Rotem and Roth, Dan",
        "A statistical analysis of summarization evaluation metrics using resampling methods",
        2021,
        "Transactions of the Association for Computational Linguistics",
        "9",
        "1132--1146",
    ),
    _article(
        "holm1979",
        "Holm, Sture",
        "A simple sequentially rejective multiple test procedure",
        1979,
        "Scandinavian Journal of Statistics",
        "6/2",
        "65--70",
    ),
    _article(
        "hothorn2008",
        "Hothorn, Torsten and Bretz, Frank and Westfall, Peter",
        "Simultaneous inference in general parametric models",
        2008,
        "Biometrical Journal",
        "50/3",
        "346--363",
    ),
    _article(
        "schuirmann1987",
        "Schuirmann, Donald J.",
        "A comparison of the two one-sided tests procedure and the power approach for assessing bioequivalence",
        1987,
        "Journal of Pharmacokinetics and Biopharmaceutics",
        "15/6",
        "657--680",
    ),
    _article(
        "dawid1979",
        "Dawid, A. P. and Skene, A. M.",
        "Maximum likelihood estimation of observer error-rates using the {EM} algorithm",
        1979,
        "Journal of the Royal Statistical Society: Series C",
        "28/1",
        "20--28",
    ),
    _article(
        "bradley1952",
        "Bradley, Ralph Allan and Terry, Milton E.",
        "Rank analysis of incomplete block designs: {I}. The method of paired comparisons",
        1952,
        "Biometrika",
        "39/3",
        "324--345",
    ),
    _article(
        "davidson1970",
        "Davidson, Roger R.",
        "On extending the {Bradley--Terry} model to accommodate ties in paired comparison experiments",
        1970,
        "Journal of the American Statistical Association",
        "65/329",
        "317--328",
    ),
    _article(
        "brier1950",
        "Brier, Glenn W.",
        "Verification of forecasts expressed in terms of probability",
        1950,
        "Monthly Weather Review",
        "78/1",
        "1--3",
    ),
    _article(
        "chao1987",
        "Chao, Anne",
        "Estimating the population size for capture-recapture data with unequal catchability",
        1987,
        "Biometrics",
        "43/4",
        "783--791",
    ),
    Reference(
        "otani2023",
        "inproceedings",
        (
            "Otani, Mayu and Togashi, Riku and Sawai, Yu and Ishigami, Ryosuke and Nakashima, Yuta and Rahtu, "
            "Esa and Heikkil{\\\"a}, Janne and Satoh, Shin'ichi"
        ),
        "Toward verifiable and reproducible human evaluation for text-to-image generation",
        2023,
        (
            ("booktitle", "Proceedings of CVPR"),
            ("pages", "14277--14286"),
        ),
    ),
    _article(
        "kottner2011",
        (
            "Kottner, Jan and Audig{\\'e}, Laurent and Brorson, Stig and Donner, Allan and Gajewski, Byron J. "
            "and Hr{\\'o}bjartsson, Asbj{\\o}rn and Roberts, Chris and Shoukri, Mohamed and Streiner, David L."
        ),
        "Guidelines for Reporting Reliability and Agreement Studies ({GRRAS}) were proposed",
        2011,
        "Journal of Clinical Epidemiology",
        "64/1",
        "96--106",
    ),
    Reference(
        "belz2024",
        "misc",
        "Belz, Anya and Thomson, Craig",
        "{HEDS} 3.0: The Human Evaluation Data Sheet Version 3.0",
        2024,
        (("howpublished", "arXiv:2412.07940"),),
    ),
)
REFERENCES = {reference.key: reference for reference in _ALL}
