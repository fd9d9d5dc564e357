"""The root command: names, help, errors as sentences and exit statuses."""

import errno
import sys

import click
import pytest
from tests.helpers.commands import run
from tests.helpers.golden import assert_golden

from eessi_sim import __version__, errors
from eessi_sim.cdm.report import Issue, Severity, ValidationReport
from eessi_sim.cli import failures, python_problem
from eessi_sim.cli.main import COMMANDS, Root, cli, main
from eessi_sim.errors import EessiSimError

OFFLINE = (
    "validate",
    "sample",
    "sign",
    "verify",
    "seds",
    "bucs",
    "institutions",
    "pki",
    "doctor",
)


def failing(error: BaseException) -> Root:
    """A root whose only command fails with this error."""

    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    @click.option("--verbose", is_flag=True)
    @click.pass_context
    def fail(ctx: click.Context, *, as_json: bool, verbose: bool) -> None:
        if as_json:
            failures.speak_json(ctx)
        if verbose:
            failures.be_verbose(ctx)
        raise error

    class OneCommand(Root):
        def resolve_command(
            self, ctx: click.Context, args: list[str]
        ) -> tuple[str | None, click.Command | None, list[str]]:
            return "fail", fail, args[1:]

    return OneCommand("eessi-sim", context_settings={"help_option_names": ["--help"]})


def outcome(error: BaseException, *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a command that fails."""
    from click.testing import CliRunner

    result = CliRunner().invoke(failing(error), ["fail", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_help_page_names_every_command() -> None:
    """The first page shows all commands by what they are for."""
    assert_golden("cli/help.txt", run("--help").stdout)


def test_the_hidden_command_is_not_on_the_help_page() -> None:
    """Commands that only processes of ours call are not shown."""
    assert "  node" not in run("--help").stdout


def test_the_version_is_printed() -> None:
    """--version names program and version."""
    assert run("--version").stdout == f"eessi-sim, version {__version__}\n"


@pytest.mark.parametrize("name", OFFLINE)
def test_every_help_teaches(name: str) -> None:
    """Every command has an example, and says what its exit statuses mean."""
    text = run(name, "--help").stdout
    assert "\nExample:\n" in text.replace("  ", "")
    assert "Exit status: 0 fine" in text


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("seds", "list"),
        ("seds", "show"),
        ("seds", "schematron"),
        ("bucs", "list"),
        ("bucs", "show"),
        ("bucs", "draw"),
        ("bucs", "check"),
        ("bucs", "walk"),
        ("institutions", "list"),
        ("institutions", "show"),
        ("pki", "init"),
        ("pki", "show"),
        ("pki", "revoke"),
    ],
)
def test_every_help_of_a_group_teaches(group: str, name: str) -> None:
    """Commands of a group teach like the others, and document their JSON."""
    text = run(group, name, "--help").stdout
    assert "\nExample:\n" in text.replace("  ", "")
    assert "Exit status: 0 fine" in text
    assert "With --json" in text


def test_an_unknown_command_names_the_nearest() -> None:
    """A command that does not exist is a usage error with a suggestion."""
    result = run("valdiate")
    assert result.exit_code == 2
    assert 'found "valdiate". Did you mean "validate"' in result.stderr


def test_an_unknown_option_of_the_root_is_a_usage_error() -> None:
    """An option that does not exist is a usage error."""
    assert run("--nonsense").exit_code == 2


def test_every_command_of_the_table_has_a_summary() -> None:
    """The table of commands is complete."""
    assert all(entry.summary.endswith(".") and ":" in entry.target for entry in COMMANDS.values())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.SedError("no"), 1),
        (errors.CaseError("no"), 1),
        (errors.NotCompetent("no"), 1),
        (errors.SignatureError("no"), 1),
        (errors.DefinitionError("no"), 1),
        (errors.IdentifierError("no"), 2),
        (errors.SettingsError("no"), 2),
        (errors.EnvironmentProblem("no"), 3),
        (errors.KeyMaterialError("no"), 3),
        (errors.Unavailable("no"), 3),
        (errors.MigrationNeeded("no"), 3),
        (errors.ConnectFailed("no"), 3),
        (PermissionError(errno.EACCES, "Permission denied", "f"), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_error_has_its_exit_status(error: BaseException, status: int) -> None:
    """1 is a finding, 2 wrong usage, 3 the machine."""
    assert outcome(error)[0] == status


def test_an_error_is_its_code_and_its_sentence() -> None:
    """One line says what is wrong, the next what to change."""
    assert outcome(EessiSimError("Expected a, found b", hint="Write a."))[2] == (
        "error: Expected a, found b\n  hint: Write a.\n"
    )


def test_an_error_of_the_system_is_a_sentence() -> None:
    """The system's own errors name the file and the reason."""
    _, _, stderr = outcome(OSError(errno.ENOSPC, "No space left on device", "f.xml"))
    assert stderr == 'environment: The system refused "f.xml": No space left on device\n'


def test_an_error_of_the_system_without_file_is_a_sentence() -> None:
    """Not every error of the system is about a file."""
    assert outcome(OSError("odd"))[2] == "environment: The system refused: odd\n"


def test_a_broken_pipe_is_left_to_click() -> None:
    """Whoever pipes into head sees no error."""
    assert outcome(BrokenPipeError(errno.EPIPE, "Broken pipe"))[2] == ""


def test_errors_are_json_too() -> None:
    """With --json standard output has the error for programs."""
    _, stdout, _ = outcome(EessiSimError("Expected a", hint="Write a."), "--json")
    assert stdout == (
        '{\n  "error": {\n    "code": "error",\n    "message": "Expected a",\n    "hint": "Write a."\n  }\n}\n'
    )


def test_without_verbose_there_is_no_stack_trace() -> None:
    """Users see sentences."""
    assert "Traceback" not in outcome(EessiSimError("no"))[2]


def test_with_verbose_there_is_a_stack_trace() -> None:
    """Developers may see where it happened."""
    assert "Traceback" in outcome(EessiSimError("no"), "--verbose")[2]


def test_verbose_may_stand_before_the_command() -> None:
    """--verbose is an option of the root, too."""
    assert "Traceback" in run("--verbose", "validate", "/nowhere").stderr


def test_verbose_may_stand_behind_the_command() -> None:
    """--verbose is an option of every command."""
    assert "Traceback" in run("validate", "/nowhere", "--verbose").stderr
    assert "Traceback" not in run("validate", "/nowhere").stderr


def test_findings_of_an_invalid_sed_are_listed() -> None:
    """An invalid SED shows what is wrong with it."""
    issues = (
        Issue(
            severity=Severity.ERROR,
            code="c",
            path="/A003/x",
            message="Expected y",
            line=3,
            rule="A003-R01",
            hint="Do.",
        ),
        Issue(severity=Severity.WARNING, code="c", path="$.A003", message="Odd"),
    )
    report = ValidationReport(issues, None, None)
    status, stdout, stderr = outcome(errors.SedInvalid("Expected a valid SED", report=report), "--json")
    assert status == 1
    assert stderr.splitlines()[1:] == [
        "  error A003-R01 at line 3, /A003/x: Expected y",
        "      hint: Do.",
        "  warning c at $.A003: Odd",
    ]
    assert '"issues"' in stdout


def test_what_is_possible_instead_is_listed() -> None:
    """An action that is not available says what is."""
    error = errors.ActionNotAvailable("Expected an action", available=("Create A012", "Create A004"))
    assert outcome(error)[2].splitlines()[1] == "  available now: Create A012, Create A004"


def test_an_action_with_nothing_instead_says_no_more() -> None:
    """An empty list is not shown."""
    assert len(outcome(errors.ActionNotAvailable("Expected an action"))[2].splitlines()) == 1


def test_names_that_are_not_near_are_all_listed() -> None:
    """Where nothing is near, everything there is helps."""
    assert failures.nearest("xyz", ["alpha", "beta"]) == "Known here: alpha, beta."


def test_of_very_many_names_the_first_are_listed() -> None:
    """A sentence with a hundred names helps nobody."""
    known = [f"alpha{number}" for number in range(112)]
    assert failures.nearest("xyz", known).endswith("alpha10, alpha11 and 100 more.")


def test_an_unforeseen_error_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """What nobody foresaw is reported without a stack trace."""
    failures.unexpected(ValueError, ValueError("odd"), None)
    assert capsys.readouterr().err.startswith("internal: ValueError: odd\n  hint: ")


def test_an_unforeseen_error_shows_its_stack_with_verbose(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Developers see the stack of what nobody foresaw."""
    monkeypatch.setattr(sys, "argv", ["eessi-sim", "--verbose"])
    failures.unexpected(ValueError, ValueError("odd"), None)
    assert "ValueError: odd" in capsys.readouterr().err.splitlines()[0]


@pytest.mark.parametrize(
    ("version", "problem"), [((3, 11, 0), ""), ((3, 10, 9), "3.11 or newer, found 3.10")]
)
def test_an_old_python_is_told_in_one_sentence(version: tuple[int, ...], problem: str) -> None:
    """Python has to be new enough."""
    assert problem in python_problem(version)
    assert bool(python_problem(version)) is bool(problem)


def test_main_leaves_with_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program ends with the status of its command."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(SystemExit) as left:
        main(["valdate"])
    assert left.value.code == 2


def test_the_root_is_a_click_group() -> None:
    """Other programs may find the commands as usual in click."""
    context = click.Context(cli)
    assert cli.list_commands(context) == list(COMMANDS)
    assert cli.get_command(context, "nothing") is None
