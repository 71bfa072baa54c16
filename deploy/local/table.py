"""The table of processes: what runs in a local installation, and with which settings."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from deploy.local import ports
from deploy.local.child import ChildSpec
from deploy.local.datadir import DataDir
from deploy.local.postgres import Cluster
from deploy.local.tether import tethered

SERVICES = ("auth", "accrual", "exchange", "grants")
CLIENTS = (*SERVICES, "gateway")
AUTH_SECRETS = ("PASSWORD_PEPPER", "KEY_ENCRYPTION_KEY")
DEFAULT_PORT = 8000


def default_ports(first: int = DEFAULT_PORT) -> dict[str, int]:
    """The gateway's port, and the services' right behind it."""
    return {name: first + place for place, name in enumerate(("gateway", *SERVICES))}


def tuning(service: str) -> dict[str, str]:
    """What the C library is told. Auth keeps the memory of its hashes in huge pages: a tenth of
    their time. In one arena, since those of other threads get none."""
    if service != "auth":
        return {}
    return {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1"}


def free_ports() -> dict[str, int]:
    return dict(zip(("gateway", *SERVICES), ports.free_ports(len(SERVICES) + 1), strict=True))


@dataclass(frozen=True)
class Table:
    """`databases`: a URL per service. Each process is given its own secrets and no other's."""

    data: DataDir
    port_of: Mapping[str, int]
    databases: Mapping[str, str]

    def prepare(self, service: str, *, demo: bool) -> tuple[list[str], dict[str, str]]:
        """The command and environment that ready a service's database."""
        options = ["--demo"] if demo else []
        return _python(f"services.{service}", "prepare", *options), self._service_env(service)

    def services(self) -> list[ChildSpec]:
        return [
            ChildSpec(
                name=service,
                argv=_python(f"services.{service}", "serve"),
                env=self._service_env(service),
                ready=partial(ports.answers_ok, self.port_of[service], "/readyz"),
            )
            for service in SERVICES
        ]

    def workers(self) -> list[ChildSpec]:
        return [
            ChildSpec(
                name=f"{service}-worker",
                argv=_python(f"services.{service}", "worker"),
                env=self._service_env(service),
            )
            for service in SERVICES
        ]

    def gateway(self) -> ChildSpec:
        return ChildSpec(
            name="gateway",
            argv=_python("gateway"),
            env=self._common_env("gateway") | {"PORT": str(self.port_of["gateway"])},
            ready=partial(ports.answers_ok, self.port_of["gateway"], "/readyz"),
        )

    def url(self, name: str) -> str:
        return f"http://{ports.HOST}:{self.port_of[name]}"

    def _service_env(self, service: str) -> dict[str, str]:
        env = self._common_env(service) | {
            "PORT": str(self.port_of[service]),
            f"DATABASE_URL_{service.upper()}": self.databases[service],
        }
        if service == "auth":
            # It alone knows every client, the pepper of passwords, and the key of signing keys.
            names = [*map(_secret_name, CLIENTS), *AUTH_SECRETS]
            env |= {name: self._secret(name) for name in names}
        return env | tuning(service)

    def _common_env(self, client: str) -> dict[str, str]:
        """What the person set, then ours; nothing of another process's database or secrets."""
        inherited = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("DATABASE_URL_", "CLIENT_SECRET_", *AUTH_SECRETS))
            and key != "METRICS_PORT"  # one port for nine processes
        }
        defaults = {
            "ENVIRONMENT": "development",
            "FILES_URL": self.data.files_dir.as_uri(),
            "TOKEN_ISSUER": self.url("gateway"),
        }
        if "TOKEN_ISSUER" not in inherited:
            # The same place by its name: browsers make passkeys for names alone.
            defaults["PORTAL_ORIGINS"] = f"http://localhost:{self.port_of['gateway']}"
            defaults["PASSKEY_RP_ID"] = "localhost"
        addresses = {f"{service.upper()}_URL": self.url(service) for service in SERVICES}
        secret = {_secret_name(client): self._secret(_secret_name(client))}
        ours = {"HOST": ports.HOST, "PYTHONUNBUFFERED": "1"}
        return defaults | inherited | addresses | ours | secret

    def _secret(self, name: str) -> str:
        return os.environ.get(name) or self.data.secret(name)


def postgres(cluster: Cluster) -> ChildSpec:
    return ChildSpec(
        name="postgres",
        argv=cluster.command(),
        env=dict(os.environ),
        ready=partial(asyncio.to_thread, cluster.accepts_connections),
        before_start=cluster.prepare,
        stop_signal=signal.SIGINT,
    )


def _secret_name(client: str) -> str:
    return f"CLIENT_SECRET_{client.upper()}"


def _python(module: str, *arguments: str) -> list[str]:
    return tethered([sys.executable, "-m", module, *arguments], signal.SIGKILL)
