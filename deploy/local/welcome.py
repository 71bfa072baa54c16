"""What a person reads when everything runs: where to look, and whom to log in as."""

import importlib

from deploy.local import ports


def addresses(gateway_url: str, log_dir: str) -> str:
    by_name = gateway_url.replace(ports.HOST, "localhost")
    return (
        f"  Portal           {by_name}/\n"
        f"  API description  {gateway_url}/docs\n"
        f"  Logs             {log_dir}/\n"
        "\n"
        "  Ctrl-C stops everything."
    )


def demo_logins() -> str:
    """The logins the auth service's demo data holds. Importing it takes a moment."""
    logins = importlib.import_module("services.auth.demo").LOGINS
    rows = [("Login", "Password", "Role", "Institution"), *logins]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(row[column].ljust(widths[column]) for column in range(3)), row[3]])
        for row in rows
    ]
    return "\n".join(f"  {line}" for line in lines)
