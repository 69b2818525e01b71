"""What is registered with a Prefect server: the deployments of a config, and the same in prefect.yaml."""

from importlib import import_module
from pathlib import Path

import pytest
import yaml

from flows.deploy import AT_ONCE, FLOWS, deployments_of
from flows.forms import FIXED, with_menus

ROOT = Path(__file__).parent.parent
CONFIG = '[[sources]]\nname = "survey"\npath = "s.csv"\ncolumns = { text = "comment" }\n'


@pytest.fixture(scope="module")
def deployments(tmp_path_factory):
    config = tmp_path_factory.mktemp("config") / "Shop.toml"
    config.write_text(CONFIG, encoding="utf-8")
    return {deployment.flow_name: deployment for deployment in deployments_of(config)}


def test_every_field_of_every_form_has_a_title_and_a_description_in_japanese(deployments):
    for name, deployment in deployments.items():
        for field, schema in deployment._parameter_openapi_schema.properties.items():
            for text in (schema["title"], schema["description"]):
                assert any("ぁ" <= letter <= "龯" for letter in text), f"{name}.{field}: {text}"


def test_forms_hide_what_the_deployment_sets_and_ask_nothing_twice(deployments):
    for deployment in deployments.values():
        properties = deployment._parameter_openapi_schema.properties
        assert not set(FIXED) & set(properties)
        assert "anyOf" not in repr(properties)
    assert deployments["forget"]._parameter_openapi_schema.required == ["requested_by"]


def test_a_menu_without_choices_takes_any_value():
    schema = {"properties": {"theme": {"type": "string"}, "segments": {"type": "array", "items": {"type": "string", "enum": ["old"]}}}}
    changed = with_menus(schema, {"theme": ["", "T0001 配送"], "segments": []})
    assert changed["properties"]["theme"]["enum"] == ["", "T0001 配送"]
    assert changed["properties"]["segments"]["items"] == {"type": "string"}
    assert "enum" not in schema["properties"]["theme"]


def test_only_the_night_has_a_schedule_and_only_if_the_file_says_so(deployments, tmp_path):
    slugs = {name: [schedule.slug for schedule in deployment.schedules] for name, deployment in deployments.items()}
    assert {name for name, found in slugs.items() if found} == {"nightly"}
    (tmp_path / "c.toml").write_text(CONFIG + '[schedule]\ncron = ""\n', encoding="utf-8")
    assert deployments_of(tmp_path / "c.toml")[0].schedules == []


def test_prefect_yaml_holds_the_same_deployments(deployments):
    written = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    for deployment in written:
        path, name = deployment["entrypoint"].split(":")
        flow = getattr(import_module(path.removesuffix(".py").replace("/", ".")), name)
        assert flow in FLOWS
        assert deployment.get("concurrency_limit", {}).get("limit") == AT_ONCE.get(flow.name)
        ours = deployments[flow.name].schedules
        assert [(s["slug"], s["cron"], s["timezone"]) for s in deployment["schedules"]] == [
            (s.slug, s.schedule.cron, s.schedule.timezone) for s in ours
        ]
    assert len(written) == len(FLOWS)
