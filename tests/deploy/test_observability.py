"""What Prometheus is told to ask and to warn about exists."""

import re

import yaml

from deploy.local.child import ROOT
from deploy.local.table import SERVICES
from gateway.app import Gateway
from gateway.settings import Settings as GatewaySettings
from services.exchange.settings import Settings

FOLDER = ROOT / "deploy/observability"
FAMILIES = re.compile(r"\b(?:http|db|jobs?|gateway|metrics|process)_?[a-z_]*\b(?=[{\[)])(?<!\bjob)")


async def shown_names(runtime_of, client_of) -> set[str]:
    """Every name that a service and the gateway show once something happened."""
    runtime = await runtime_of("exchange", Settings)
    gateway = Gateway(GatewaySettings(client_secret="x" * 40))
    for metrics in (runtime.metrics, gateway.metrics):
        metrics.request("GET", "/x", 200, 0.1)
        metrics.job("x", "done", 0.1)
    names: set[str] = set()
    for metrics in (runtime.metrics, gateway.metrics):
        body, _ = await metrics.render()
        names |= set(re.findall(r"^# TYPE (\w+)", body.decode(), re.MULTILINE))
        names |= set(re.findall(r"^(\w+)[{ ]", body.decode(), re.MULTILINE))
    await gateway.identity.http.aclose()
    return names


async def test_every_number_an_alert_looks_at_is_one_that_we_show(runtime_of, client_of):
    rules = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
    shown = await shown_names(runtime_of, client_of)
    for rule in rules:
        asked = set(FAMILIES.findall(rule["expr"]))
        assert asked or rule["expr"] == "up == 0", rule["alert"]
        assert asked <= shown, (rule["alert"], asked - shown)


def test_every_process_of_the_compose_file_is_asked_on_the_port_it_is_given():
    job = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"][0]
    (discovery,) = job["dns_sd_configs"]
    workers = {f"{service}-worker" for service in SERVICES}
    assert set(discovery["names"]) == {"gateway", *SERVICES, *workers}
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert discovery["port"] == compose["x-common"]["METRICS_PORT"]
    assert set(discovery["names"]) <= set(compose["services"])


def test_every_alert_is_explained_to_whoever_it_wakes():
    rules = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
    operations = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    for rule in rules:
        assert f"`{rule['alert']}`" in operations, rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
