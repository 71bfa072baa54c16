"""Which faults of the rules no test would notice: every small change of a rule, tested one by one.

    nice python -m benchmarks.mutants services/grants/expenses/rules/fees.py [more files]
        [--tests tests/grants/expenses tests/grants/settlement tests/grants/test_planted.py]
        [--line 120]

The changes are those of cosmic-ray (another operator or comparison, a condition turned round, a
number one higher or lower, `and` for `or`, true for false, a loop left out), where one of several
that would be noticed together stands for the others. Instead of starting pytest for each, the
tests are collected once; a forked child takes one change, given to the live function as new code,
and runs the tests that call that function until one fails. So a hundred changes a minute are
tested on a quiet core. Properties of random examples are left out: what only they notice is
noticed by chance. What stands outside of functions (defaults of fields, tables) is imported anew
in a process of its own, which takes its time. Prints the changes that survived.
"""

import argparse
import ast
import gc
import importlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest

TESTS = ("tests/grants/expenses", "tests/grants/settlement", "tests/grants/test_planted.py")
SECONDS, BYTES = 120, 3 * 2**30
BINARY: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub, ast.Mult), ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Add, ast.FloorDiv), ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Mult, ast.Div), ast.Mod: (ast.Mult, ast.FloorDiv),
    ast.BitOr: (ast.BitAnd, ast.BitXor), ast.BitAnd: (ast.BitOr, ast.BitXor),
    ast.BitXor: (ast.BitAnd, ast.BitOr), ast.Pow: (ast.Mult, ast.Add),
}  # fmt: skip
COMPARE: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.NotEq), ast.LtE: (ast.Lt, ast.Eq),
    ast.Gt: (ast.GtE, ast.NotEq), ast.GtE: (ast.Gt, ast.Eq),
    ast.Eq: (ast.NotEq, ast.LtE, ast.GtE), ast.NotEq: (ast.Eq, ast.Lt, ast.Gt),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
OTHERWISE: dict[type, type] = {
    ast.And: ast.Or, ast.Or: ast.And, ast.UAdd: ast.USub, ast.USub: ast.UAdd, ast.Invert: ast.USub,
    ast.Break: ast.Continue, ast.Continue: ast.Break,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: `unit` is the outermost function it stands in, None outside of functions, and
    `scope` the innermost."""

    file: Path
    unit: str | None
    scope: str
    line: int
    what: str
    source: str

    def code(self) -> CodeType:
        return compile(self.source, str(self.file), "exec")


def mutants(file: Path) -> Iterator[Mutant]:
    """Every change of a file."""
    tree = ast.parse(file.read_text())
    for node, scope in _nodes(tree, ""):
        unit = scope.partition(".<locals>")[0] or None
        if unit is None and isinstance(node, ast.BinOp):
            continue  # a union of types
        for owner, field, index, new in _changes(node):
            held = getattr(owner, field)
            old = held if index is None else held[index]
            before = ast.unparse(node)
            _put(owner, field, index, new)
            yield Mutant(file, unit, scope, getattr(node, "lineno", 0),
                         f"{before}  ->  {ast.unparse(node)}", ast.unparse(tree))  # fmt: skip
            _put(owner, field, index, old)


def _put(owner: ast.AST, field: str, index: int | None, value: Any) -> None:
    if index is None:
        setattr(owner, field, value)
    else:
        getattr(owner, field)[index] = value


def _nodes(node: ast.AST, scope: str, path: str = "") -> Iterator[tuple[ast.AST, str]]:
    """The nodes that run, with the function each belongs to: no annotations, and no decorators and
    `field(…)`, whose `frozen`, `slots` and `compare` change no result."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        if not scope and name == "keywords" and ast.unparse(node).startswith("field("):
            continue
        for child in value if isinstance(value, list) else [value]:
            match child:
                case ast.FunctionDef(name=called, args=defaults, body=body):
                    yield from _nodes(defaults, scope, path)
                    inner = f"{scope}.<locals>.{called}" if scope else f"{path}{called}"
                    for part in body:
                        yield part, inner
                        yield from _nodes(part, inner)
                case ast.ClassDef(name=called):
                    yield from _nodes(child, scope, f"{path}{called}.")
                case ast.Lambda() if scope:
                    yield from _nodes(child, f"{scope}.<locals>.<lambda>")
                case ast.AST():
                    yield child, scope
                    yield from _nodes(child, scope, path)


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, Any]]:
    match node:
        case ast.BinOp(op=op) | ast.AugAssign(op=op):
            yield from ((node, "op", None, new()) for new in BINARY.get(type(op), ()))
        case ast.Compare(ops=ops):
            for place, sign in enumerate(ops):
                yield from ((node, "ops", place, new()) for new in COMPARE[type(sign)])
        case ast.BoolOp(op=op):
            yield node, "op", None, OTHERWISE[type(op)]()
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield node, "operand", None, ast.UnaryOp(ast.Not(), operand)
        case ast.UnaryOp(op=op):
            yield node, "op", None, OTHERWISE[type(op)]()
        case ast.Constant(value=bool(value)):
            yield node, "value", None, not value
        case ast.Constant(value=int(value)):
            yield node, "value", None, value + 1
            yield node, "value", None, value - 1
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield node, "test", None, ast.UnaryOp(ast.Not(), test)
        case ast.comprehension(ifs=ifs):
            yield from ((node, "ifs", n, ast.UnaryOp(ast.Not(), t)) for n, t in enumerate(ifs))
        case ast.For():
            yield node, "iter", None, ast.Tuple([], ast.Load())
        case _:
            for name, value in ast.iter_fields(node):
                for place, child in enumerate(value if isinstance(value, list) else []):
                    if isinstance(child, ast.Break | ast.Continue):
                        yield node, name, place, OTHERWISE[type(child)]()


class Watch:
    """A pytest plugin: learns which tests call which function, then lets the mutants loose."""

    def __init__(self, files: list[Path], line: int | None, tests: Sequence[str]) -> None:
        self.files = {str(file.resolve()): file for file in files}
        self.line = line
        self.tests = tests
        self.failed = False
        self.calls: dict[tuple[str, str], list[pytest.Item]] = {}
        self.seconds: dict[pytest.Item, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for item in session.items:
            if item.get_closest_marker("hypothesis") is None:
                self._listen(item)
        if self.failed:
            raise SystemExit("the tests fail as they are")
        gc.freeze()
        for file in self.files.values():
            tried, survived = 0, []
            for mutant in mutants(file):
                if self.line in (None, mutant.line):
                    tried += 1
                    if not self._killed(mutant):
                        survived.append(mutant)
                        print(f"{file}:{mutant.line} {mutant.unit}: {mutant.what}", flush=True)
            print(f"{file}: {tried} mutants, {len(survived)} survived", flush=True)
        return True

    def _listen(self, item: pytest.Item) -> None:
        seen: set[tuple[str, str]] = set()

        def profile(frame: FrameType, event: str, _: Any) -> None:
            if event == "call" and frame.f_code.co_filename in self.files:
                seen.add((frame.f_code.co_filename, frame.f_code.co_qualname))

        started = time.process_time()
        sys.setprofile(profile)
        try:
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        finally:
            sys.setprofile(None)
        self.seconds[item] = time.process_time() - started
        for call in seen:
            self.calls.setdefault(call, []).append(item)

    def _killed(self, mutant: Mutant) -> bool:
        if mutant.unit is None:
            return _fails_anew(mutant, self.tests)
        items = self.calls.get((str(mutant.file.resolve()), mutant.scope), [])
        near = f"test_{mutant.file.stem}"
        items = sorted(items, key=lambda item: (item.path.stem != near, self.seconds[item]))
        child = os.fork()
        if child == 0:
            self._run(mutant, items)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0

    def _run(self, mutant: Mutant, items: list[pytest.Item]) -> None:
        """In the child: the changed function, and its tests until one fails."""
        signal.alarm(SECONDS)
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        try:
            _give(mutant)
            for item in items:
                item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
                if self.failed:
                    break
        except BaseException:  # noqa: BLE001  # a change may break anything, the tests' own machinery too
            os._exit(1)
        os._exit(1 if self.failed else 0)


def _give(mutant: Mutant) -> None:
    """Put the changed code into the function as it lives in its module."""
    assert mutant.unit is not None
    module = importlib.import_module(".".join(mutant.file.with_suffix("").parts))
    live: Any = module
    for name in mutant.unit.split("."):
        live = vars(live)[name]
    for inner in ("fget", "func", "__wrapped__"):
        live = getattr(live, inner, None) or live
    assert isinstance(live, FunctionType)
    live.__code__ = next(_codes(mutant.code(), mutant.unit))


def _codes(code: CodeType, name: str) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_qualname == name:
                yield inner
            yield from _codes(inner, name)


_ANEW = """
import importlib.machinery, pathlib, runpy, sys
file, changed, *args = sys.argv[1:]
source = pathlib.Path(changed).read_text()
read = importlib.machinery.SourceFileLoader.get_code
def get_code(self, name):
    if self.path.endswith(file):
        return compile(source, self.path, "exec")
    return read(self, name)
importlib.machinery.SourceFileLoader.get_code = get_code
sys.argv[1:] = args
runpy.run_module("pytest", run_name="__main__")
"""


def _fails_anew(mutant: Mutant, tests: Sequence[str]) -> bool:
    source = Path(f"/tmp/mutant-{os.getpid()}.py")
    source.write_text(mutant.source)
    command = [sys.executable, "-c", _ANEW, str(mutant.file), str(source), *tests, "-qx"]
    done = subprocess.run(command, capture_output=True, timeout=900, check=False)
    source.unlink()
    return done.returncode != 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--tests", nargs="+", default=TESTS)
    parser.add_argument("--line", type=int)
    given = parser.parse_args()
    plugins = (f"-pno:{name}" for name in ("terminal", "cacheprovider", "xdist"))
    options = ["-s", "-o", "addopts=", *plugins]
    pytest.main([*options, *given.tests], [Watch(given.files, given.line, given.tests)])


if __name__ == "__main__":
    main()
