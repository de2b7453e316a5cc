"""The distributions are those of scipy.stats, also far out and for a fraction of a degree of freedom."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from annotations.stats import distributions as ours

P = np.array([1e-12, 0.001, 0.025, 0.5, 0.9, 0.975, 1 - 1e-9, np.nan])
X = np.array([-np.inf, -40.0, -8.3, -1.0, 0.0, 0.4, 2.7, 9.0, 38.0, np.inf, np.nan])
FREEDOM = [0.4, 1, 2, 3.7, 19, 4999, 1e8]


def test_the_normal_one() -> None:
    assert ours.normal_quantile(P) == pytest.approx(stats.norm.ppf(P), rel=1e-12, nan_ok=True)
    assert ours.normal_below(X) == pytest.approx(stats.norm.cdf(X), rel=1e-12, abs=0, nan_ok=True)
    assert ours.normal_above(X) == pytest.approx(stats.norm.sf(X), rel=1e-12, abs=0, nan_ok=True)
    assert ours.normal_density(X) == pytest.approx(stats.norm.pdf(X), rel=1e-12, abs=0, nan_ok=True)
    assert ours.normal_above(37.0) > 0


@pytest.mark.parametrize("freedom", FREEDOM)
def test_student_s_t(freedom: float) -> None:
    assert ours.t_quantile(P, freedom) == pytest.approx(stats.t.ppf(P, freedom), rel=1e-9, nan_ok=True)
    assert ours.t_above(X, freedom) == pytest.approx(stats.t.sf(X, freedom), rel=1e-9, abs=0, nan_ok=True)


@pytest.mark.parametrize("freedom", FREEDOM)
def test_chi_squared_and_f(freedom: float) -> None:
    x, p = np.abs(X[1:-2]), P[:-1]
    assert ours.chi2_above(x, freedom) == pytest.approx(stats.chi2.sf(x, freedom), rel=1e-9, abs=1e-300)
    if freedom <= 5000:
        assert ours.f_above(x, freedom, 7.5) == pytest.approx(stats.f.sf(x, freedom, 7.5), rel=1e-9)
        assert ours.f_quantile(p, 7.5, freedom) == pytest.approx(stats.f.ppf(p, 7.5, freedom), rel=1e-9)


def test_no_degree_of_freedom_is_not_a_number() -> None:
    assert np.isnan(ours.t_quantile(0.975, 0))
    assert np.isnan(ours.t_quantile(0.975, np.nan))


@pytest.mark.slow
@pytest.mark.parametrize(
    "started", ["annotations.reports.study.analysis", "django; django.setup(); import evalsite.urls"]
)
def test_an_analysis_and_the_site_start_without_what_is_slow_to_import(started: str) -> None:
    slow = "{'scipy.stats', 'scipy.optimize', 'scipy.ndimage', 'docx', 'openpyxl', 'pandas', 'torch'}"
    code = f"import sys, {started}; print(*sorted({slow} & set(sys.modules)))"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "evalsite.settings"}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == ""
