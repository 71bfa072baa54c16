"""What the live check of a whole proposal costs: the rules alone, and through HTTP.

    python -m benchmarks.proposal [--checks 100] [--rounds 3]

One proposal with every part of the 2020 form written, 60 lines of budget and 20 people. Lines run
in turn and medians are compared:

- `budget`: the rules of the budget alone (caps, people, sums);
- `rules`: the whole check, from plain JSON to findings;
- `request`: `GET /proposals/{id}/check` in this process, token, database and the search for its
  people's other projects included.

Both the thread's processor time and the wall's are told: on a busy machine only the first says what
a rule costs. The goal is a budget check of a full proposal under 5 ms of rule time. One JSON line.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import uvloop

from deploy.local.postgres import Cluster
from services.grants.app import create_app
from services.grants.programmes.reading import read
from services.grants.programmes.service import load_shipped_rule_sets
from services.grants.proposals.document import Document, check
from services.grants.proposals.rules import check_budget
from services.grants.settings import Settings
from shared import logs, migrations
from shared.runtime import Runtime
from tests.conftest import ISSUER, Tokens
from tests.grants.api.conftest import AGENCY, API, UNIVERSITY, registry
from tests.grants.calls import keco
from tests.grants.proposals.filled import whole

SECRET = "a-secret-of-the-benchmark-and-no-other"
CALL = {
    "kind": "hosted", "name": "bench", "ministry_name": "m", "agency_name": "a",
    "target": "university", "benefit": "grant", "opens_at": "2026-01-06T00:00:00+09:00",
    "closes_at": "2036-02-07T17:00:00+09:00", "rule_set_code": "keco-2020", "rule_set_version": 1,
}  # fmt: skip


def proposal() -> dict[str, Any]:
    """The whole form, its supplies split over many lines, and students beside the staff."""
    document = whole(keco())
    budget = document["budget"]
    lines = budget["lines"]
    supplies = next(line for line in lines if line["kind"] == "printing")
    parts = 49
    share = supplies["amount_won"] // parts // 1000 * 1000
    lines += [{**supplies, "amount_won": share} for _ in range(parts)]
    supplies["amount_won"] -= share * parts
    budget["people"] += [
        {
            "ref": f"s{number}",
            "name": f"학생 {number}",
            "role": "research_student",
            "course": "masters",
            "researcher_no": f"2{number:07}",
        }
        for number in range(18)
    ]
    return document


async def measure(cluster: Cluster, directory: Path, args: Any) -> dict[str, Any]:
    cluster.create_database("bench_proposal")
    migrations.upgrade("grants", cluster.url("bench_proposal"))
    settings = Settings(
        database_url=cluster.url("bench_proposal"),
        client_secret=SECRET,  # type: ignore[arg-type]  # pydantic makes it a secret
        files_url=f"file://{directory}",
        token_issuer=ISSUER,
    )
    tokens = Tokens()
    runtime = Runtime("grants", settings, keys=tokens, transport=httpx2.MockTransport(registry))
    async with runtime.open():
        async with runtime.sessions.begin() as session:
            await load_shipped_rule_sets(session)
        app = create_app(settings, runtime)
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://grants") as client:
            return await compare(client, tokens, args)


async def compare(client: httpx2.AsyncClient, tokens: Tokens, args: Any) -> dict[str, Any]:
    document = proposal()
    path, headers = await saved(client, tokens, document)
    rules = keco()
    budget = read(Document, document).budget
    assert budget is not None

    async def rules_of_budget() -> None:
        check_budget(rules, budget)

    async def all_rules() -> None:
        assert not check(rules, document).errors

    async def request() -> None:
        answer = await client.get(path, headers=headers)
        assert answer.json()["ok"], answer.text

    lines: dict[str, Callable[[], Awaitable[None]]] = {
        "budget": rules_of_budget,
        "rules": all_rules,
        "request": request,
    }
    cpu: dict[str, list[float]] = {name: [] for name in lines}
    wall: dict[str, list[float]] = {name: [] for name in lines}
    for turn in range(args.rounds + 1):
        for name, run in lines.items():
            for _ in range(args.checks):
                started, worked = time.perf_counter(), time.thread_time()
                await run()
                if turn:  # the first turn warms up
                    cpu[name].append((time.thread_time() - worked) * 1000)
                    wall[name].append((time.perf_counter() - started) * 1000)
    processor = {name: statistics.median(taken) for name, taken in cpu.items()}
    elapsed = {name: statistics.median(taken) for name, taken in wall.items()}
    for name in lines:
        print(f"{name:8} {processor[name]:8.2f} ms of processor, {elapsed[name]:8.2f} ms elapsed")
    return {
        "benchmark": "proposal",
        **{f"{name}_cpu_ms": round(value, 2) for name, value in processor.items()},
        **{f"{name}_ms": round(value, 2) for name, value in elapsed.items()},
        "budget_share_of_request": round(processor["budget"] / processor["request"], 3),
        "lines": len(budget.lines),
        "people": len(budget.people),
    }


async def saved(
    client: httpx2.AsyncClient, tokens: Tokens, document: dict[str, Any]
) -> tuple[str, dict[str, str]]:
    """A draft with the document in it: the path of its check, and its applicant."""
    officer = tokens.headers("grants:manage", institution_id=AGENCY, lifetime=7_200)
    applicant = tokens.headers("grants:apply", institution_id=UNIVERSITY, lifetime=7_200)
    call = (await client.post(f"{API}/programmes", json=CALL, headers=officer)).json()["id"]
    await client.post(f"{API}/programmes/{call}/publish", headers=officer)
    made = await client.post(
        f"{API}/programmes/{call}/proposals", json={"title": "bench"}, headers=applicant
    )
    path = f"{API}/proposals/{made.json()['id']}"
    body = {"title": "bench", "document": document}
    kept = await client.put(path, json=body, headers=applicant | {"If-Match": '"1"'})
    assert kept.status_code == 200, kept.text
    return f"{path}/check", applicant


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checks", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    logs.configure("benchmark", "ERROR")
    with tempfile.TemporaryDirectory(prefix="sanhak-bench-") as name:
        directory = Path(name)
        cluster = Cluster.start(directory / "pg")
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                print(json.dumps(runner.run(measure(cluster, directory, args))))
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
