"""The forms of the Prefect UI: a flow's parameters, with menus of what a deployment's file and store hold."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.exceptions import ObjectNotFound
from prefect.runtime import deployment
from prefect.utilities.callables import ParameterSchema, parameter_schema

from flows.codebooks import AS_CONFIGURED, NO_CODEBOOK, known_codebooks
from flows.config import Config
from flows.curation import list_themes
from flows.deployment import published_nights, store_url
from flows.forget import EVERY_SOURCE
from flows.links import slug
from pipeline.store import Store

FIXED = ("config_path", "out", "wait_minutes")
"""Parameters that the deployment sets and the form does not show."""
MOST_VALUES = 60
"""A longer menu of a segment's values would be no help: there the form takes text."""

Menus = Mapping[str, Mapping[str, Sequence[str]]]


def form(flow: Flow[..., Any], menus: Mapping[str, Sequence[str]]) -> ParameterSchema:
    """Return the form of a flow as JSON schema, in the order of its parameters."""
    schema = parameter_schema(flow.fn)
    schema.properties = {name: _plain(field) for name, field in schema.properties.items() if name not in FIXED}
    schema.required = [name for name in schema.required if name not in FIXED]
    return ParameterSchema(**with_menus(schema.model_dump(), menus))


def _plain(field: Mapping[str, Any]) -> dict[str, Any]:
    """Return an optional field as one that may be left empty: the UI would ask first whether it is a date or None."""
    kinds = [kind for kind in field.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return dict(field)
    return {name: value for name, value in field.items() if name not in ("anyOf", "default")} | kinds[0]


def with_menus(schema: Mapping[str, Any], menus: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return a form whose fields take one of their menu's values; a field whose menu is empty takes any."""
    changed = deepcopy(dict(schema))
    for name, choices in menus.items():
        field = changed["properties"][name]
        field = field["items"] if field.get("type") == "array" else field
        field.pop("enum", None)
        if choices:
            field["enum"] = list(choices)
    return changed


def menus_of(config: Config, folder: Path) -> Menus:
    """Return the menus of each flow's form, by the name of the parameter."""
    sources = [source.name for source in config.sources]
    segments: list[str] = []
    themes: list[str] = []
    if published_nights(config, folder):
        with Store.open(store_url(config, folder)) as store:
            segments = _segments(config, store.segment_values())
            themes = ["", *(f"{row.theme_id} {row.name}" for row in list_themes(store))]
    codebooks = [AS_CONFIGURED, NO_CODEBOOK, *sorted(known_codebooks(config))]
    return {
        "explore": {"sources": sources, "segments": segments, "codebook": codebooks},
        "curate": {"theme": themes, "into": themes},
        "forget": {"source": [EVERY_SOURCE, *sources]},
    }


def refresh_menus(config: Config, config_path: str) -> None:
    """Bring the menus of the served forms up to date, after a night or a decision; nothing outside a deployment."""
    if not deployment.id:
        return
    with get_client(sync_client=True) as client:
        for flow, menus in menus_of(config, config.out).items():
            try:
                served = client.read_deployment_by_name(f"{flow}/{slug(config_path)}")
            except ObjectNotFound:
                continue
            schema = with_menus(served.parameter_openapi_schema or {}, menus)
            if schema != served.parameter_openapi_schema:
                client.update_deployment(served.id, DeploymentUpdate(parameter_openapi_schema=schema))


def _segments(config: Config, values: Mapping[str, Sequence[str]]) -> list[str]:
    known = {column: values.get(column, []) for column in config.segments}
    if any(len(found) > MOST_VALUES for found in known.values()):
        return []
    return [f"{column}={value}" for column, found in known.items() for value in found if value]
