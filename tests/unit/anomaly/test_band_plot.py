"""The picture of a metric is small, well-formed and shows what was judged."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.plot import band_of, band_plot
from dagster_agent.model import Detection, DetectionStatus
from tests.unit.anomaly.series import series_of


def _detection(value: float, detector: str, days: int) -> Detection:
    return Detection(
        detector=detector,
        asset="model.shop.fct_orders",
        status=DetectionStatus.FAILED,
        headline="",
        observed_at=series_of([0.0] * days, 0.0).at,
        metrics={"row_count": value},
    )


def test_a_long_history_fits_into_four_kilobytes() -> None:
    values = [float(v) for v in 1e6 * (1 + 0.1 * np.random.default_rng(1).normal(size=380))]
    found = _detection(3e5, "anomaly/robust-level/row_count", 380)
    band = band_of(found, series_of(values, 3e5).history, AnomalyConfig())
    assert band is not None
    assert (len(band.values), band.values[-1], band.unusual[-1]) == (90, 3e5, True)
    picture = band_plot(band)
    assert len(picture.encode()) <= 4096
    root = ET.fromstring(picture)  # noqa: S314 - our own text
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[:2] == ["row_count", "300,000"]
    assert "nan" not in picture


def test_two_points_and_a_constant_can_be_drawn() -> None:
    found = _detection(5.0, "anomaly/robust-level/row_count", 2)
    band = band_of(found, series_of([5.0, 5.0], 5.0).history, AnomalyConfig())
    assert band is not None
    assert ET.fromstring(band_plot(band)) is not None  # noqa: S314 - our own text


def test_a_summary_has_no_band() -> None:
    assert (
        band_of(_detection(5.0, "anomaly", 2), series_of([5.0], 5.0).history, AnomalyConfig())
        is None
    )
    assert band_of(_detection(5.0, "anomaly/trend/sum.x", 2), [], AnomalyConfig()) is None
