"""Telling the story on the terminal: chapters, steps, and checks that end it when they fail."""

from rich.console import Console
from rich.markup import escape

from deploy.demo.client import Surprise


class Story:
    """Prints what happens and counts what was checked."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self.checks = 0

    def chapter(self, title: str) -> None:
        self._console.print(f"\n[bold]{escape(title)}[/bold]")

    def step(self, text: str) -> None:
        self._console.print(f"  {escape(text)}")

    def detail(self, text: str) -> None:
        self._console.print(f"    [dim]{escape(text)}[/dim]")

    def check(self, what: str, seen: object, expected: object) -> None:
        """Say what was checked; raise `Surprise` if it is not so."""
        self.checks += 1
        if seen != expected:
            raise Surprise(f"{what}: {seen!r} instead of {expected!r}")
        self._console.print(f"  [green]✓[/green] {escape(what)}: {escape(str(seen))}")

    def end(self) -> None:
        self._console.print(f"\n[bold green]{self.checks} checks, no surprise.[/bold green]")
