"""What a person reads when everything runs: where to look, and whom to log in as."""

import importlib


def welcome(gateway_url: str, log_dir: str, *, demo: bool) -> str:
    lines = [
        f"  Portal           {gateway_url}/",
        f"  API description  {gateway_url}/docs",
        f"  Logs             {log_dir}/",
    ]
    if demo:
        lines += ["", "  Demo logins", *(f"    {line}" for line in _logins())]
    return "\n".join([*lines, "", "Ctrl-C stops everything."])


def _logins() -> list[str]:
    """Logins as the auth service defines them: login, password, role, institution."""
    logins = importlib.import_module("services.auth.demo").LOGINS
    widths = [max(len(str(login[column])) for login in logins) for column in range(3)]
    return [
        "  ".join(
            [*(str(login[column]).ljust(widths[column]) for column in range(3)), str(login[3])]
        )
        for login in logins
    ]
