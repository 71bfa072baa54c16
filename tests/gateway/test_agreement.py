"""The route table agrees with the services: read from the documents they generate themselves."""

import importlib
import re
from functools import cache
from typing import Any

import pytest

from gateway.document import merge
from gateway.routes import MIB, SERVICES, RouteTable

SECRET = "test-secret-of-thirty-two-characters!"
MORE = {"auth": {"password_pepper": SECRET, "key_encryption_key": SECRET}}
PLACE = "0199c0de-0000-7000-8000-000000000000"


@cache
def document(service: str) -> dict[str, Any]:
    """A service's own document; making it needs no database."""
    app = importlib.import_module(f"services.{service}.app")
    settings = importlib.import_module(f"services.{service}.settings").Settings(
        database_url="postgresql://nowhere.invalid/x",
        client_secret=SECRET,
        files_url="file:///tmp",
        **MORE.get(service, {}),
    )
    found: dict[str, Any] = app.create_app(settings).openapi()
    return found


def operations(service: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), re.sub(r"\{[^}]+\}", PLACE, path), operation)
        for path, methods in document(service)["paths"].items()
        if not path.startswith("/internal/")
        for method, operation in methods.items()
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_every_documented_path_leads_to_its_service(service):
    table = RouteTable()
    for method, path, _ in operations(service):
        route = table.find(method, path)
        assert route is not None, path
        assert route.service == service, path


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_service_opens_to_everyone_the_gateway_lets_through(service):
    table = RouteTable()
    open_to_all = [
        (method, path)
        for method, path, operation in operations(service)
        if not operation.get("security") or {} in operation["security"]
    ]
    assert open_to_all
    closed = [(m, p) for m, p in open_to_all if not table.find(m, p).public]
    assert closed == []


@pytest.mark.parametrize("service", SERVICES)
def test_files_and_sheets_may_be_larger_than_json(service):
    table = RouteTable()
    small = {"application/json", "application/x-www-form-urlencoded"}
    for method, path, operation in operations(service):
        kinds = set(operation.get("requestBody", {}).get("content", {}))
        if kinds - small:
            assert table.find(method, path).max_body > MIB, (method, path, kinds)


def test_the_four_documents_merge_into_one_with_unique_operations_and_whole_references():
    merged = merge({name: document(name) for name in SERVICES}, [], RouteTable())
    ids = [
        operation["operationId"]
        for methods in merged["paths"].values()
        for operation in methods.values()
    ]
    assert len(ids) == len(set(ids)) > 50
    assert not [path for path in merged["paths"] if path.startswith("/internal")]
    wanted = set(re.findall(r"#/components/(\w+)/([\w.-]+)", str(merged)))
    have = {(section, name) for section, found in merged["components"].items() for name in found}
    assert wanted <= have
