"""Commands of the grants service beside those every service has."""

import click

from services.grants.expenses.rules import page
from services.grants.programmes import builtin


def add_to(cli: click.Group) -> click.Group:
    @cli.command("rule-book", help="Print the rule book of a shipped call (docs/rule-book.md).")
    @click.argument("code", default="keco-2020")
    def rule_book_command(code: str) -> None:
        click.echo(page(builtin.rule_set(code)), nl=False)

    return cli
