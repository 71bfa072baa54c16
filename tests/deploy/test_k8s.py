"""The Kubernetes manifests as kustomize renders them: valid by the API's own schemas, and in
agreement with themselves, with the processes' settings and with the contracts between services."""

import importlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from deploy.local.child import ROOT
from deploy.local.table import SERVICES, tuning
from shared.settings import ProcessSettings

Manifest = dict[str, Any]
SCHEMAS = Path(__file__).parent / "schemas"
VERSION = "1.34"  # of the API
PROCESSES = (*SERVICES, "gateway")

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl kustomize")


def render(overlay: str) -> list[Manifest]:
    folder = ROOT / "deploy/k8s" / overlay
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module", params=["production", "staging"])
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return render(request.param)


@pytest.fixture(scope="module")
def production() -> list[Manifest]:
    return render("production")


def of_kind(manifests: list[Manifest], *kinds: str) -> dict[str, Manifest]:
    return {item["metadata"]["name"]: item for item in manifests if item["kind"] in kinds}


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The pod template of every Deployment and Job."""
    found = of_kind(manifests, "Deployment", "Job")
    return {name: item["spec"]["template"] for name, item in found.items()}


def ours(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {name: pod for name, pod in pods(manifests).items() if name != "counters"}


def matches(selector: Manifest, labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    expressions = selector.get("matchExpressions", [])
    assert all(item["operator"] == "In" for item in expressions)
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        labels.get(item["key"]) in item["values"] for item in expressions
    )


def environment(pod: Manifest, manifests: list[Manifest]) -> dict[str, str | None]:
    """What the container is given; None for a secret."""
    maps = of_kind(manifests, "ConfigMap")
    container = pod["spec"]["containers"][0]
    given: dict[str, str | None] = {}
    for source in container.get("envFrom", []):
        given |= maps[source["configMapRef"]["name"]]["data"]
    return given | {item["name"]: item.get("value") for item in container.get("env", [])}


def known_variables(settings: type[ProcessSettings]) -> set[str]:
    return {
        str(field.validation_alias or name).upper() for name, field in settings.model_fields.items()
    }


def settings_of(process: str) -> type[ProcessSettings]:
    package = "gateway" if process == "gateway" else f"services.{process}"
    found: type[ProcessSettings] = importlib.import_module(f"{package}.settings").Settings
    return found


def test_every_manifest_is_valid_by_the_schema_of_its_kind(manifests):
    for item in manifests:
        group, _, version = item["apiVersion"].rpartition("/")
        own = SCHEMAS / f"{item['kind'].lower()}_{version}.json"
        if own.exists():
            jsonschema.Draft202012Validator(json.loads(own.read_text())).validate(item)
        else:
            assert group in {"", "apps", "batch", "policy", "autoscaling", "networking.k8s.io"}
            kubernetes_validate.validate(item, VERSION, strict=True)


def test_the_schemas_would_notice_a_misspelled_field(production):
    cluster = of_kind(production, "Cluster")["database"]
    wrong = cluster | {"spec": cluster["spec"] | {"storrage": {"size": "1Gi"}}}
    schema = json.loads((SCHEMAS / "cluster_v1.json").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(wrong)
    service = of_kind(production, "Service")["auth"]
    wrong = service | {"spec": service["spec"] | {"selektor": {}}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


def test_everything_that_selects_pods_finds_exactly_the_ones_it_is_named_for(manifests):
    templates = pods(manifests)
    for kind in ("Deployment", "PodDisruptionBudget", "Service"):
        for name, item in of_kind(manifests, kind).items():
            selector = item["spec"]["selector"]
            selector = {"matchLabels": selector} if kind == "Service" else selector
            found = [
                pod
                for pod, made in templates.items()
                if matches(selector, made["metadata"]["labels"])
            ]
            assert found == [name], (kind, name)


def test_ports_and_probes_are_named_by_the_container_they_lead_to(manifests):
    templates = pods(manifests)
    for name, service in of_kind(manifests, "Service").items():
        named = {port["name"] for port in templates[name]["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named
    for name, pod in templates.items():
        container = pod["spec"]["containers"][0]
        named = {port["name"] for port in container.get("ports", [])}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            how = container.get(probe, {})
            for place in (how.get("httpGet"), how.get("tcpSocket")):
                assert place is None or place["port"] in named, (name, probe)
    backend = of_kind(manifests, "Ingress")["gateway"]["spec"]["rules"][0]["http"]["paths"][0]
    assert backend["backend"]["service"] == {"name": "gateway", "port": {"name": "http"}}


def test_processes_listen_where_the_manifests_say(manifests):
    common = of_kind(manifests, "ConfigMap")["common"]["data"]
    for name, pod in ours(manifests).items():
        ports = {
            port["name"]: str(port["containerPort"])
            for port in pod["spec"]["containers"][0].get("ports", [])
        }
        assert ports.get("http", common["PORT"]) == common["PORT"], name
        assert ports.get("metrics", common["METRICS_PORT"]) == common["METRICS_PORT"], name
    for service in SERVICES:
        assert common[f"{service.upper()}_URL"] == f"http://{service}:{common['PORT']}"
    addresses = of_kind(manifests, "Service")
    assert set(PROCESSES) < set(addresses)


@pytest.mark.parametrize("process", PROCESSES)
def test_every_variable_is_one_that_the_process_reads_and_no_needed_one_is_missing(
    process, production
):
    settings = settings_of(process)
    known = known_variables(settings) | {f"CLIENT_SECRET_{name.upper()}" for name in PROCESSES}
    known |= tuning(process).keys()  # the C library reads these
    needed = {
        str(field.validation_alias or name).upper()
        for name, field in settings.model_fields.items()
        if field.is_required()
    }
    for name, pod in ours(production).items():
        if pod["metadata"]["labels"]["app.kubernetes.io/name"] == process:
            given = set(environment(pod, production))
            assert given <= known, name
            assert needed <= given, name


@pytest.mark.parametrize("process", PROCESSES)
def test_the_settings_accept_what_the_manifests_give(process, production, monkeypatch):
    for name, pod in ours(production).items():
        if pod["metadata"]["labels"]["app.kubernetes.io/name"] != process:
            continue
        with monkeypatch.context() as patch:
            for variable, value in environment(pod, production).items():
                patch.setenv(variable, value if value is not None else "x" * 40)
            settings = settings_of(process)()
            assert settings.environment == "production", name
            assert settings.metrics_port == 9100
            # It has left the balancers, and finished, before it is killed.
            grace = pod["spec"].get("terminationGracePeriodSeconds", 60)
            assert settings.drain_seconds + 25 < grace


def test_a_process_is_given_its_own_secrets_and_no_others(manifests):
    for name, pod in ours(manifests).items():
        process = pod["metadata"]["labels"]["app.kubernetes.io/name"]
        for item in pod["spec"]["containers"][0]["env"]:
            if "value" in item:
                assert item["name"] == "DATABASE_PASSWORD_FILE"
                continue
            reference = item["valueFrom"]["secretKeyRef"]
            assert reference["name"] == process, name
            made = of_kind(manifests, "ExternalSecret")[process]["spec"]
            keys = made["target"].get("template", {}).get("data") or {
                entry["secretKey"]: None for entry in made["data"]
            }
            assert reference["key"] in keys, (name, reference["key"])
            if process != "auth":
                assert item["name"].endswith(f"_{process.upper()}")


def test_whoever_has_a_database_reads_its_passwords_from_a_file_that_may_change(manifests):
    for name, pod in ours(manifests).items():
        process = pod["metadata"]["labels"]["app.kubernetes.io/name"]
        container = pod["spec"]["containers"][0]
        file = environment(pod, manifests).get("DATABASE_PASSWORD_FILE")
        assert (file is None) == (process == "gateway"), name
        if file is None:
            continue
        folder, _, entry = file.rpartition("/")
        [mount] = [item for item in container["volumeMounts"] if item["mountPath"] == folder]
        assert mount["readOnly"] is True
        assert "subPath" not in mount  # such a file never changes
        [volume] = [item for item in pod["spec"]["volumes"] if item["name"] == mount["name"]]
        assert volume["secret"]["secretName"] == process
        [item] = volume["secret"]["items"]
        assert item["path"] == entry
        made = of_kind(manifests, "ExternalSecret")[process]["spec"]["target"]["template"]["data"]
        assert item["key"] in made
        assert "password" not in made["pooled"] + made["direct"]


def test_web_processes_reach_the_database_by_the_pooler_and_the_others_directly(production):
    hosts = {}
    for service in SERVICES:
        made = of_kind(production, "ExternalSecret")[service]["spec"]["target"]["template"]["data"]
        for key in ("pooled", "direct"):
            hosts[key] = re.search(r"@([^:/]+):5432/(\w+)", made[key])[1]
            assert made[key].endswith(f"/{service}?sslmode=require")
    assert hosts["pooled"] in of_kind(production, "Pooler")
    assert hosts["direct"] == "database-rw"  # which the operator makes for the cluster `database`
    for name, pod in ours(production).items():
        for item in pod["spec"]["containers"][0]["env"]:
            if item["name"].startswith("DATABASE_URL"):
                key = item["valueFrom"]["secretKeyRef"]["key"]
                assert key == ("pooled" if name in SERVICES else "direct"), name


def test_every_service_has_a_database_and_a_role_of_its_name(manifests):
    roles = of_kind(manifests, "Cluster")["database"]["spec"]["managed"]["roles"]
    secrets = of_kind(manifests, "ExternalSecret")
    assert {role["name"] for role in roles} == set(SERVICES)
    for role in roles:
        made = secrets[role["passwordSecret"]["name"]]["spec"]["target"]["template"]
        assert made["type"] == "kubernetes.io/basic-auth"
        assert made["data"]["username"] == role["name"]
        database = of_kind(manifests, "Database")[role["name"]]["spec"]
        assert database["name"] == database["owner"] == role["name"]
    rules = of_kind(manifests, "Cluster")["database"]["spec"]["postgresql"]["pg_hba"]
    assert rules == ["hostssl sameuser all all scram-sha-256", "host all all all reject"]


def test_pods_are_as_restricted_as_the_namespace_demands(manifests):
    namespace = next(item for item in manifests if item["kind"] == "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, pod in pods(manifests).items():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert "memory" in container["resources"]["limits"], name


def test_every_deployment_scales_or_has_two_and_survives_the_loss_of_one(production):
    budgets = of_kind(production, "PodDisruptionBudget")
    scaled = {
        item["spec"]["scaleTargetRef"]["name"]: item["spec"]["minReplicas"]
        for item in of_kind(production, "HorizontalPodAutoscaler").values()
    }
    for name, item in of_kind(production, "Deployment").items():
        if name == "counters":
            continue  # may be forgotten, and each gateway counts for itself meanwhile
        assert scaled.get(name, item["spec"].get("replicas", 1)) >= 2, name
        assert name not in scaled or "replicas" not in item["spec"], "two would fight over it"
        assert budgets[name]["spec"]["maxUnavailable"] == 1
    for name in PROCESSES:
        assert name in scaled


def test_what_a_manifest_refers_to_exists(manifests):
    stores = of_kind(manifests, "ObjectStore")
    cluster = of_kind(manifests, "Cluster")["database"]["spec"]
    assert cluster["plugins"][0]["parameters"]["barmanObjectName"] in stores
    keys = {
        entry["secretKey"]
        for entry in of_kind(manifests, "ExternalSecret")["backups"]["spec"]["data"]
    }
    credentials = stores["backups"]["spec"]["configuration"]["s3Credentials"]
    assert {part["key"] for part in credentials.values()} == keys
    for kind in ("ScheduledBackup", "Pooler", "Database"):
        for item in of_kind(manifests, kind).values():
            assert item["spec"]["cluster"]["name"] == "database"
    backup = of_kind(manifests, "ScheduledBackup")["nightly"]["spec"]
    assert backup["pluginConfiguration"]["name"] == cluster["plugins"][0]["name"]


def contracts() -> dict[str, set[str]]:
    """Who may call whom over internal paths, from the table in ARCHITECTURE.md."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.partition("## Contracts between services")[2].partition("\n## ")[0]
    callers: dict[str, set[str]] = {service: set() for service in SERVICES}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0] in callers:
            named = {word for word in re.findall(r"\w+", cells[3]) if word in SERVICES}
            callers[cells[0]] |= set(SERVICES) if cells[3] == "all" else named
    return {callee: named - {callee} for callee, named in callers.items()}


def allowed(
    manifests: list[Manifest], caller: Manifest, callee: Manifest, port: int
) -> tuple[bool, bool]:
    """Whether the policies let `caller` out to `callee`, and whether they let it in there."""

    def through(own: Manifest, other: Manifest, direction: str) -> bool:
        side = "from" if direction == "ingress" else "to"
        return any(
            matches(peer["podSelector"], other)
            for policy in of_kind(manifests, "NetworkPolicy").values()
            if matches(policy["spec"]["podSelector"], own)
            for rule in policy["spec"].get(direction, [])
            if any(item["port"] == port for item in rule["ports"])
            for peer in rule[side]
            if "podSelector" in peer and "namespaceSelector" not in peer
        )

    return through(caller, callee, "egress"), through(callee, caller, "ingress")


def callers_of(manifests: list[Manifest], callee: Manifest, port: int) -> Iterator[str]:
    for name, pod in pods(manifests).items():
        out, into = allowed(manifests, pod["metadata"]["labels"], callee, port)
        assert out == into, f"{name}: one side of the policies allows it, the other does not"
        if out:
            yield name


def test_only_those_may_call_a_service_that_its_contract_names(manifests):
    expected = contracts()
    assert expected["auth"] == {"accrual", "exchange", "grants"}  # the table was understood
    for service in SERVICES:
        callee = pods(manifests)[service]["metadata"]["labels"]
        found = {
            name.removesuffix("-worker").removesuffix("-prepare")
            for name in callers_of(manifests, callee, 8000)
        }
        assert found == expected[service] | {"gateway"}, service


def test_nobody_calls_a_worker_and_the_gateway_reaches_no_database(manifests):
    for service in SERVICES:
        worker = pods(manifests)[f"{service}-worker"]["metadata"]["labels"]
        assert list(callers_of(manifests, worker, 8000)) == []
    server = {"cnpg.io/cluster": "database"}
    pooler = {"cnpg.io/poolerName": "database-pooler"}
    for callee in (server, pooler):
        gateway = pods(manifests)["gateway"]["metadata"]["labels"]
        assert allowed(manifests, gateway, callee, 5432) == (False, False)
    web = pods(manifests)["auth"]["metadata"]["labels"]
    worker = pods(manifests)["auth-worker"]["metadata"]["labels"]
    assert allowed(manifests, web, pooler, 5432) == (True, True)
    assert allowed(manifests, worker, server, 5432) == (True, True)
    assert allowed(manifests, web, server, 5432)[1] is False


def test_workers_that_deliver_reach_partners_but_nothing_inside(manifests):
    policy = of_kind(manifests, "NetworkPolicy")["to-partners"]["spec"]
    reached = {
        name
        for name, pod in pods(manifests).items()
        if matches(policy["podSelector"], pod["metadata"]["labels"])
    }
    assert reached == {"auth-worker", "accrual-worker", "exchange-worker"}
    (block,) = policy["egress"][0]["to"]
    inside = [ip_network(network) for network in block["ipBlock"]["except"]]
    for address in ("10.1.2.3", "172.20.0.1", "192.168.0.1", "169.254.169.254"):
        assert any(ip_address(address) in network for network in inside), address


def test_by_default_nobody_speaks_to_anybody(manifests):
    policy = of_kind(manifests, "NetworkPolicy")["nobody-by-default"]["spec"]
    assert policy == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
