"""The house itself: the README tells the truth, tests state facts, files stay small."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from eessi_sim.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = sorted((ROOT / "src" / "eessi_sim").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


def test_readme_stays_below_600_lines() -> None:
    """The README has fewer than 600 lines; beyond that a docs folder is due."""
    assert len(README.splitlines()) < 600


def test_readme_names_every_command() -> None:
    """Every command a user sees stands in the README's table of commands."""
    visible = {name for name, command in COMMANDS.items() if not command.hidden}
    table = README.partition("## Commands")[2].partition("\n## ")[0]
    assert {
        name for name in visible if f"`{name}`" not in table and f"eessi-sim {name}" not in table
    } == set()


def test_every_command_of_the_readme_exists() -> None:
    """Whatever the README calls ``eessi-sim …`` is a command."""
    called = set(re.findall(r"eessi-sim ([a-z][a-z0-9-]*)", README))
    assert called - set(COMMANDS) == set()


def test_readme_map_shows_every_package() -> None:
    """Every package and module of the first level stands on the README's map."""
    here = ROOT / "src" / "eessi_sim"
    names = {path.stem for path in here.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    shown = README.partition("## Map")[2].partition("\n## ")[0]
    assert {name for name in names - {"__init__"} if name not in shown} == set()


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the tests of a file: functions of the module and methods of its classes."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    methods = (node for each in body if isinstance(each, ast.ClassDef) for node in each.body)
    for node in (*body, *methods):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def test_source_files_stay_below_500_lines() -> None:
    """No source file grows beyond 500 lines: then it holds two things."""
    assert [path for path in SOURCES if len(path.read_text(encoding="utf-8").splitlines()) > 500] == []


def test_every_test_states_its_fact() -> None:
    """Every test says in its docstring which fact it checks."""
    silent = [
        f"{path.relative_to(ROOT)}: {function.name}"
        for path in TESTS
        for function in functions_of(path)
        if not ast.get_docstring(function)
    ]
    assert silent == []


def test_definition_files_carry_no_path_of_a_machine() -> None:
    """No tracked definition file carries a path of somebody's machine."""
    files = [*(ROOT / "schemas").rglob("*"), *(ROOT / "institutions").rglob("*")]
    texts = {path: path.read_text(encoding="utf-8") for path in files if path.is_file()}
    assert [path for path, text in texts.items() if re.search(r"/(home|Users|mnt)/[a-z]", text)] == []
