"""What the gateway costs: CPU per request beside nginx and plainer proxies, and memory.

    python -m benchmarks.gateway [--rounds 5] [--seconds 3] [--connections 32]

Needs nginx, as the reference and as the service behind all of them (a file of 1 KB), and takes
wrk for the load when it is installed, else a driver of its own; httpx is a peer where it is
installed, which the product itself is without. Each proxy has the first core for itself, the load
and the service share the second. Rounds go through all proxies in turn, so that whatever else the
machine does hits them alike; medians are compared. Ratios within one run mean something, absolute
numbers only on a quiet machine.
"""

import argparse
import asyncio
import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ROOT = Path(__file__).parents[1]
NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
WRK = shutil.which("wrk")
THING = "/api/v1/accrual/criteria/thing"
PRIVATE = "/api/v1/accrual/thing"
UPLOAD = "/api/v1/accrual/applications/1/evidence"
BIG = "/api/v1/accrual/criteria/big"
ISSUER = "http://benchmark.invalid"
PROXY_CORE, LOAD_CORE = 0, 1
MIB = 2**20

GOAL_NGINX = 9.5  # times nginx's CPU per request
GOAL_POLICIES = 1.25  # times the same proxy without policies
GOAL_HTTPX2 = 0.25  # of the same proxy on httpx2
GOAL_HTTPX = 0.111  # of the same proxy on httpx
GOAL_TOKEN = 1.20  # times the same request without a token
GOAL_MEMORY_MIB = 4.0

NGINX_CONF = """
user {user}; daemon off; master_process off; pid {folder}/{name}.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000; client_max_body_size 0; types {{ }}
  default_type application/json;
  client_body_temp_path {folder}/{name}-b; proxy_temp_path {folder}/{name}-p;
  fastcgi_temp_path {folder}/{name}-f; uwsgi_temp_path {folder}/{name}-u;
  scgi_temp_path {folder}/{name}-s;
  {body}
}}
"""
SERVE = """
  server {{
    listen 127.0.0.1:{port};
    root {folder}/files;
    location /api/v1/accrual/applications/ {{
      proxy_pass http://127.0.0.1:{sink}; proxy_http_version 1.1; client_body_buffer_size 64k;
    }}
  }}
  server {{
    listen 127.0.0.1:{sink};
    location / {{ return 200 "{{}}"; }}
  }}
"""
PASS = """
  upstream service {{ server 127.0.0.1:{service}; keepalive 256; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_request_buffering off;
    }}
  }}
"""


@dataclass
class Proxy:
    """A process under load, and what was measured of it."""

    name: str
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    path: str = THING
    token: bool = False
    port: int = 0
    pid: int = 0
    micros: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


@contextlib.contextmanager
def running(argv: list[str], port: int, core: int, env: dict[str, str]) -> Iterator[int]:
    """A process pinned to a core, accepting connections."""
    process = subprocess.Popen(
        argv,
        cwd=ROOT,
        env=os.environ | env,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    try:
        for _ in range(1200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        else:
            raise SystemExit(f"{argv[0]} does not start")
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def nginx(folder: Path, name: str, template: str, **values: object) -> list[str]:
    assert NGINX is not None
    conf = folder / f"{name}.conf"
    user = "root" if os.geteuid() == 0 else "nobody"
    body = template.format(folder=folder, **values)
    conf.write_text(NGINX_CONF.format(folder=folder, name=name, user=user, body=body))
    return [NGINX, "-c", str(conf), "-p", str(folder)]


def write_files(folder: Path, jwk: dict[str, object]) -> None:
    """What the service serves: a thing of 992 bytes, something big, and the keys of tokens."""
    files = folder / "files"
    for path in (THING, PRIVATE, BIG, "/.well-known/jwks.json"):
        (files / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (files / path[1:]).write_bytes(b'{"value":"' + b"x" * 980 + b'"}')
    (files / ".well-known/jwks.json").write_text(json.dumps({"keys": [jwk]}))
    with (files / BIG[1:]).open("wb") as big:
        big.truncate(200 * MIB)


def make_tokens(count: int) -> tuple[dict[str, object], list[str]]:
    """A public key and access tokens as the auth service signs them."""
    key = ec.generate_private_key(ec.SECP256R1())
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "k", "alg": "ES256"}
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": "mileage-api",
        "client_id": "portal",
        "iat": now,
        "exp": now + 86_400,
        "scope": "accrual:read",
        "role": "university",
        "pv": 1,
    }
    headers = {"kid": "k", "typ": "at+jwt"}
    tokens = [
        jwt.encode(
            claims | {"sub": str(uuid4()), "sid": uuid4().hex, "jti": uuid4().hex},
            key,
            algorithm="ES256",
            headers=headers,
        )
        for _ in range(count)
    ]
    return jwk, tokens


LUA = """
local tokens = {}
for line in io.lines("%s") do tokens[#tokens + 1] = line end
local n = 0
request = function()
  if #tokens == 0 then return wrk.format("GET") end
  n = n %% #tokens + 1
  return wrk.format("GET", nil, {["Authorization"] = "Bearer " .. tokens[n]})
end
done = function(summary, latency, requests)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read
  io.write(string.format("RESULT %%d %%d %%.3f %%.3f\\n", summary.requests, failed,
    summary.duration / 1e6, latency:percentile(99) / 1e3))
end
"""


@dataclass(frozen=True)
class Load:
    connections: int
    seconds: float
    folder: Path
    tokens: list[str]

    def run(self, proxy: Proxy) -> tuple[int, float, float]:
        """Requests answered with 200, seconds they took, and the 99th percentile in ms."""
        url = f"http://127.0.0.1:{proxy.port}{proxy.path}"
        tokens = self.tokens if proxy.token else []
        if WRK is None:
            return asyncio.run(drive(url, tokens, self.connections, self.seconds))
        lines, script = self.folder / "tokens", self.folder / "load.lua"
        lines.write_text("".join(token + "\n" for token in tokens))
        script.write_text(LUA % lines)
        command = [
            *("taskset", "-c", str(LOAD_CORE), WRK, "-t1", f"-c{self.connections}"),
            *(f"-d{max(1, round(self.seconds))}s", "-s", str(script), url),
        ]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = re.search(r"RESULT (\d+) (\d+) ([\d.]+) ([\d.]+)", output)
        assert found is not None, output
        if int(found[2]):
            raise SystemExit(f"{proxy.name}: {found[2]} of {found[1]} requests failed")
        return int(found[1]), float(found[3]), float(found[4])


async def drive(
    url: str, tokens: list[str], connections: int, seconds: float
) -> tuple[int, float, float]:
    """Closed loops over plain sockets, for machines without wrk."""
    _, _, rest = url.partition("//")
    address, _, path = rest.partition("/")
    host, _, port = address.partition(":")
    until = time.perf_counter() + seconds
    latencies: list[float] = []

    async def one(number: int) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        bearer = f"Authorization: Bearer {tokens[number % len(tokens)]}\r\n" if tokens else ""
        request = f"GET /{path} HTTP/1.1\r\nHost: x\r\n{bearer}\r\n".encode()
        while (began := time.perf_counter()) < until:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if not head.startswith(b"HTTP/1.1 200") or length is None:
                raise SystemExit(f"{url}: {head!r}")
            await reader.readexactly(int(length[1]))
            latencies.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(connections)))
    slow = sorted(latencies)[int(len(latencies) * 0.99)] * 1000
    return len(latencies), time.perf_counter() - began, slow


def measure(proxy: Proxy, load: Load) -> None:
    before = cpu_seconds(proxy.pid)
    count, seconds, slow = load.run(proxy)
    proxy.micros.append((cpu_seconds(proxy.pid) - before) / count * 1e6)
    proxy.rates.append(count / seconds)
    proxy.slowest.append(slow)


def measure_memory(proxy: Proxy, tokens: list[str]) -> tuple[float, float]:
    """MiB the process grows by during uploads of 10 MiB, and while a client that asked for
    200 MiB does not read them."""
    url = f"http://127.0.0.1:{proxy.port}"
    headers = {"Authorization": f"Bearer {tokens[0]}"}
    body = bytes(10 * MIB)
    with httpx2.Client(trust_env=False, timeout=60) as client:

        def upload(content: object) -> None:
            answer = client.post(url + UPLOAD, content=content, headers=headers)  # type: ignore[arg-type]
            assert answer.status_code == 200, answer.text

        upload(body)
        start = resident_mib(proxy.pid)
        for _ in range(3):
            upload(body)
            upload(body[n : n + 65536] for n in range(0, len(body), 65536))
        uploaded = resident_mib(proxy.pid) - start
    with socket.create_connection(("127.0.0.1", proxy.port)) as stalled:
        stalled.sendall(f"GET {BIG} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        time.sleep(3)
        downloaded = resident_mib(proxy.pid) - start
    return uploaded, downloaded


def report(proxies: list[Proxy], connections: int) -> dict[str, float]:
    """Prints the table; the ratios the goals are about, by name."""
    by_name = {proxy.name: statistics.median(proxy.micros) for proxy in proxies}
    print(f"\n{'':28}{'requests/s':>12}{'p99 ms':>9}{'CPU µs':>9}{'× nginx':>9}")
    for proxy in proxies:
        micros = by_name[proxy.name]
        print(
            f"{proxy.name:28}{statistics.median(proxy.rates):12.0f}"
            f"{statistics.median(proxy.slowest):9.1f}{micros:9.0f}{micros / by_name['nginx']:9.2f}"
        )
    full = by_name["gateway"]
    ratios = {
        "gateway / nginx": (full / by_name["nginx"], GOAL_NGINX),
        "gateway / minimal on aiohttp": (full / by_name["minimal on aiohttp"], GOAL_POLICIES),
        "gateway / minimal on httpx2": (full / by_name["minimal on httpx2"], GOAL_HTTPX2),
        "cached token / no token": (by_name["gateway, with token"] / full, GOAL_TOKEN),
    }
    if "minimal on httpx" in by_name:
        ratios["gateway / minimal on httpx"] = (full / by_name["minimal on httpx"], GOAL_HTTPX)
    for text, (value, goal) in ratios.items():
        print(f"{text:32}{value:6.3f}   goal ≤ {goal:<6}{'ok' if value <= goal else 'MISSED'}")
    print(f"({connections} connections, medians; load average {os.getloadavg()[0]:.1f})")
    return {text: round(value, 3) for text, (value, _) in ratios.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    if NGINX is None:
        raise SystemExit("nginx is not installed: nothing to compare with")
    if (os.cpu_count() or 1) < 2:
        raise SystemExit("needs two cores")
    with tempfile.TemporaryDirectory() as made, contextlib.ExitStack() as stack:
        folder = Path(made)
        folder.chmod(0o755)
        jwk, tokens = make_tokens(500)
        write_files(folder, jwk)
        service = free_port()
        serve = nginx(folder, "service", SERVE, port=service, sink=free_port())
        stack.enter_context(running(serve, service, LOAD_CORE, {}))
        proxies = start_proxies(stack, folder, service)
        load = Load(options.connections, options.seconds, folder, tokens)
        for number in range(-1, options.rounds):
            for proxy in proxies:
                measure(proxy, load)
                if number < 0:  # to get warm
                    proxy.micros.clear()
                    proxy.rates.clear()
                    proxy.slowest.clear()
        results: dict[str, float] = report(proxies, options.connections)
        gateway = next(proxy for proxy in proxies if proxy.token)
        uploaded, downloaded = measure_memory(gateway, tokens)
        for text, grown in (
            ("10 MiB uploads", uploaded),
            ("a stalled download of 200 MiB", downloaded),
        ):
            results[f"MiB, {text}"] = round(grown, 1)
            verdict = "ok" if grown <= GOAL_MEMORY_MIB else "MISSED"
            print(f"memory, {text}: {grown:+.1f} MiB   goal ≤ +{GOAL_MEMORY_MIB:.0f}  {verdict}")
        print(json.dumps({"benchmark": "gateway", **results}))


def start_proxies(stack: contextlib.ExitStack, folder: Path, service: int) -> list[Proxy]:
    url = f"http://127.0.0.1:{service}"
    gateway_env = dict.fromkeys(("AUTH_URL", "ACCRUAL_URL", "EXCHANGE_URL", "GRANTS_URL"), url) | {
        "CLIENT_SECRET_GATEWAY": "benchmark",
        "TOKEN_ISSUER": ISSUER,
        "LIMIT_PUBLIC": "1000000000/60",
        "LIMIT_USER": "1000000000/60",
    }
    python = sys.executable
    libraries = ["aiohttp", "httpx2"]
    if importlib.util.find_spec("httpx") is not None:
        libraries.append("httpx")
    ports = {name: free_port() for name in ("nginx", *libraries, "gateway")}
    passing = nginx(folder, "proxy", PASS, port=ports["nginx"], service=service)
    minimal = [python, "-m", "benchmarks._proxies"]
    env = gateway_env | {"PORT": str(ports["gateway"])}
    proxies = [
        Proxy("nginx", passing, port=ports["nginx"]),
        *(
            Proxy(f"minimal on {name}", [*minimal, name, str(ports[name]), url], port=ports[name])
            for name in libraries
        ),
        Proxy("gateway", [python, "-m", "gateway"], env, port=ports["gateway"]),
    ]
    for proxy in proxies:
        proxy.pid = stack.enter_context(running(proxy.argv, proxy.port, PROXY_CORE, proxy.env))
    same = proxies[-1]
    proxies.append(
        Proxy("gateway, with token", [], path=PRIVATE, token=True, port=same.port, pid=same.pid)
    )
    return proxies


if __name__ == "__main__":
    main()
