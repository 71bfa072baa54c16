"""The accrual service for `benchmarks.ledger`: on the benchmark's database, with its one key."""

import json
import os
import sys

from jwt import PyJWK

from services.accrual.app import create_app
from services.accrual.settings import Settings
from shared.cli import serve
from shared.runtime import Runtime


class OneKey:
    def __init__(self) -> None:
        self._key = PyJWK.from_dict(json.loads(os.environ["BENCH_JWK"]))

    async def key(self, kid: str) -> PyJWK | None:
        return self._key


if __name__ == "__main__":
    settings = Settings()
    app = create_app(settings, Runtime("accrual", settings, keys=OneKey()))
    serve(app, name="accrual", host="127.0.0.1", port=int(sys.argv[1]), log_level="ERROR")
