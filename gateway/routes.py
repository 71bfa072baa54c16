"""The route table: which service answers, who may call without a token, how much may be sent.

Nothing here knows what a path means. Whatever is not in the table is 404; `/internal/…` of a
service cannot be in it, because only `/api/v1/<service>/…` and `/.well-known/…` lead to one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

KIB, MIB = 2**10, 2**20
SERVICES = ("auth", "accrual", "exchange", "grants")
READ = frozenset({"GET", "HEAD"})
WRITE = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Route:
    """How requests of one kind are let through.

    `name` stands in logs instead of the path, which may hold names. `public`: a token may be
    absent, though one that is present must be good. `limit` is the class of the rate limit of
    callers without a token; those with one are counted as users or partners.
    """

    service: str
    name: str
    public: bool = False
    limit: str = "public"
    max_body: int = MIB
    max_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Rule:
    """`path` is a regular expression over what follows `/api/v1/<service>`."""

    methods: frozenset[str]
    path: str
    route: Route


def _public(
    service: str, path: str, methods: frozenset[str] = READ, *, max_body: int = MIB
) -> Rule:
    route = Route(service, f"{service} {path}", public=True, max_body=max_body)
    return Rule(methods, rf"/{path}(?:/.*)?", route)


def _upload(service: str, *names: str) -> Rule:
    """Files and sheets, sent to a collection or an object called by one of `names`."""
    words = "|".join(names)
    route = Route(service, f"{service} upload", max_body=12 * MIB, max_seconds=600)
    return Rule(WRITE, rf"/.*/(?:{words})(?:/[^/]+)?", route)


_LOGIN = Route("auth", "auth token", public=True, limit="login", max_body=64 * KIB)
_FORGOTTEN = replace(_LOGIN, name="auth password")
_PASSKEY = replace(_LOGIN, name="auth passkey")
_PUSH = Route("accrual", "accrual intake", max_body=256 * MIB, max_seconds=1800)

RULES: tuple[Rule, ...] = (
    Rule(frozenset({"POST"}), r"/token(?:/(?:revoke|introspect))?", _LOGIN),
    Rule(frozenset({"POST"}), r"/(?:activation(?:/check)?|reset-requests)", _FORGOTTEN),
    Rule(frozenset({"POST"}), r"/passkeys/challenge", _PASSKEY),
    _public("auth", "notices"),
    _public("accrual", "criteria", READ | {"POST"}),
    _public("accrual", "templates"),
    _public("accrual", "certificates/verify", READ | {"POST"}, max_body=2 * MIB),
    _public("accrual", "ledger/checkpoint"),
    _public("accrual", "statistics/public"),
    _public("exchange", "listings"),
    _public("grants", "certification/public"),
    _public("grants", "forms"),
    _public("grants", "programmes"),
    Rule(WRITE, r"/intake(?:/.*)?", _PUSH),
    _upload("auth", "files", "attachments"),
    _upload("accrual", "evidence", "files", "paste", "rows", "sheet"),
    _upload("exchange", "files", "photos"),
    _upload("grants", "documents", "evidence", "files", "import", "sheet"),
)

WELL_KNOWN = Route("auth", "well-known", public=True)


class _Rules:
    """Those of one service and method: one expression, in which the first that matches wins."""

    def __init__(self, rules: list[Rule]) -> None:
        self._any = re.compile("|".join(f"({rule.path})" for rule in rules))
        self._routes = (None, *(rule.route for rule in rules))
        assert self._any.groups == len(rules)  # none has groups of its own, which would count

    def first(self, path: str) -> Route | None:
        match = self._any.fullmatch(path)
        return self._routes[match.lastindex or 0] if match else None


class RouteTable:
    """Finds the route of a request by method and raw path, without decoding either."""

    def __init__(self, rules: Iterable[Rule] = RULES) -> None:
        self._default = {name: Route(name, name) for name in SERVICES}
        by_place: dict[tuple[str, str], list[Rule]] = {}
        for rule in rules:
            for method in rule.methods:
                by_place.setdefault((rule.route.service, method), []).append(rule)
        self._rules = {place: _Rules(found) for place, found in by_place.items()}

    def find(self, method: str, path: str) -> Route | None:
        """The route of a path that has passed the path policy, or None: 404."""
        if path.startswith("/api/v1/"):
            service, slash, rest = path[8:].partition("/")
            default = self._default.get(service)
            if default is None or not slash:
                return None
            rules = self._rules.get((service, method))
            return (rules and rules.first(slash + rest)) or default
        return WELL_KNOWN if path.startswith("/.well-known/") and method in READ else None
