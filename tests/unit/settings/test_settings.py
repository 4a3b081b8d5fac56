"""Wrong settings are one message that names the field, the value and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from dagster_agent.errors import ConfigError
from dagster_agent.model import Asset
from dagster_agent.settings import AssetSettings, Settings


def _asset(meta: Any) -> Asset:
    return Asset(
        unique_id="model.shop.fct",
        name="fct",
        resource_type="model",
        path="models/fct.sql",
        meta={"dagster_agent": meta},
    )


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"prefx": "a"}, ["'prefx'", "prefix"]),
        ({"prefix": "1 bad"}, ["'prefix'", "'1 bad'"]),
        ({"sensor": {"interval_seconds": 1}}, ["sensor.interval_seconds", "1"]),
        ({"sensor": {"interval": 30}}, ["sensor.interval", "interval_seconds"]),
        ({"anomaly": {"threshold": 99}}, ["anomaly.threshold", "99"]),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, Any], told: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        Settings.parse(values)
    assert all(text in raised.value.message for text in told)
    assert raised.value.hint


def test_nothing_is_the_default() -> None:
    assert Settings.parse(None) == Settings()


def test_an_assets_meta_overlays_the_settings() -> None:
    asset = _asset({"reconciliation": {"max_lost_share": 0.5}, "critical": True})
    settings = Settings().for_asset(asset)
    assert settings.reconciliation.max_lost_share == 0.5
    assert settings.anomaly == Settings().anomaly
    assert AssetSettings.of(asset).critical


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        ({"reconcilation": []}, ["fct", "'reconcilation'", "reconcile"]),
        ({"reconcile": [{"key": ["id"]}]}, ["fct", "reconcile.0.with"]),
        ({"anomaly": {"threshold": "high"}}, ["fct", "threshold", "'high'"]),
        ("yes", ["fct", "'yes'"]),
    ],
)
def test_a_wrong_meta_names_asset_and_field(meta: Any, told: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        Settings().for_asset(_asset(meta))
    assert all(text in raised.value.message for text in told), raised.value.message


def test_the_documentation_lists_every_setting() -> None:
    text = (Path(__file__).parents[3] / "docs" / "settings.md").read_text()
    missing = [name for name in _names(Settings) | _names(AssetSettings) if f"`{name}`" not in text]
    assert not missing


def _names(model: type[BaseModel], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, field in model.model_fields.items():
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            found |= _names(nested, f"{prefix}{name}.")
        else:
            found.add(f"{prefix}{name}")
    return found
