"""The demo's players, with the logins `seed-demo` makes."""

import contextlib
import secrets
from collections.abc import Iterator

from deploy.demo.chapters import Cast
from deploy.demo.client import User
from deploy.demo.story import Story
from services.auth.demo import DEMO_PASSWORD
from shared.clock import seoul_day, utc_now


@contextlib.contextmanager
def cast(story: Story, gateway: str) -> Iterator[Cast]:
    with contextlib.ExitStack() as stack:

        def user(login: str | None = None, password: str = DEMO_PASSWORD) -> User:
            return stack.enter_context(User(gateway, login, password))

        yield Cast(
            story=story,
            public=user(),
            university=user("hanbit"),
            sub_account=user("hanbit_01"),
            newcomer=user("nuri", "nuri"),
            company=user("9998100015"),
            operator=user("operator"),
            officer=user("officer"),
            auditor=user("auditor"),
            evaluators=[user(f"evaluator{n}") for n in (1, 2, 3)],
            run=secrets.token_hex(3),
            today=seoul_day(utc_now()),
        )
