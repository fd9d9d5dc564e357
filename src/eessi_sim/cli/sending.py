"""``eessi-sim send``: a document of one's own into a case of its own, at one institution, to others."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.text import Text

from eessi_sim import xmlsafe
from eessi_sim.attachments import NewFile
from eessi_sim.buc import engine
from eessi_sim.buc.case import CaseRole
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.sed import SIGNATURE, Sed
from eessi_sim.cdm.validation import Validator
from eessi_sim.cli import attaching, failures, inputs, output, tracing
from eessi_sim.cli.live import Screen
from eessi_sim.cli.playing import Follower
from eessi_sim.cli.stage import STATE_FOLDER, Stage, find_state, in_process, run_async, running
from eessi_sim.errors import ActionNotAvailable, EessiSimError, EnvironmentProblem, SedInvalid
from eessi_sim.identifiers import InstitutionId
from eessi_sim.institution.casework import Move
from eessi_sim.simulation.assembly import load_definition
from eessi_sim.simulation.control import AttachmentView, CaseView, NodeControl
from eessi_sim.simulation.watch import Progress
from eessi_sim.storage.base import JournalEntry


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What to send, by whom, to whom."""

    sed: Sed
    process: BucDefinition
    sender: InstitutionId
    receivers: tuple[InstitutionId, ...]
    catalogue: Catalogue
    """What a network knows that is started for it."""
    files: tuple[NewFile, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sent:
    """What became of it."""

    case: CaseView
    messages: tuple[Progress, ...]
    """One per receiver."""
    steps: tuple[JournalEntry, ...]
    """What every node did with them."""
    answers: tuple[Progress, ...] = ()
    """What the receivers sent back meanwhile."""

    @property
    def is_good(self) -> bool:
        """Whether every receiver got it, receipted it and found it valid."""
        return bool(self.messages) and all(message.is_good for message in self.messages)

    @property
    def attachments(self) -> tuple[AttachmentView, ...]:
        """What travelled with it."""
        own = (each for each in self.case.documents if each.sender == self.case.own)
        return tuple(file for document in own for file in document.attachments)


@click.command(epilog=failures.EXIT_STATUS)
@click.argument("file", metavar="FILE")
@click.option(
    "--from", "sender", required=True, metavar="ID", help="Institution that sends; it owns the case."
)
@click.option(
    "--to", "receivers", required=True, multiple=True, metavar="ID", help="Receiver; may be repeated."
)
@click.option(
    "--buc", metavar="BUC", help="Process of the case; found from the SED when only one begins with it."
)
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help=f"Folder of a running network; {STATE_FOLDER} when one runs there, else a temporary network.",
)
@attaching.attachment_options
@inputs.cdm_option
@output.shared_options
def send(
    *,
    file: str,
    sender: str,
    receivers: Sequence[str],
    buc: str | None,
    state: Path | None,
    files: tuple[NewFile, ...],
    catalogue: Catalogue,
    as_json: bool,
) -> None:
    r"""Put a SED of your own on the wire: FILE is XML, or JSON in RINA's form (- for standard input).

    The sender opens a case, seals the document and sends it through the access point. Before that it is validated,
    and sender and receivers are looked up: what would be refused is not sent.

    \b
    Example:
      eessi-sim sample A003 > my.xml
      eessi-sim send my.xml --from NO:NAVAT07 --to SE:FKSE01 --to PL:ZUS01
      eessi-sim send my.xml --from NO:NAVAT07 --to SE:FKSE01 --attach contract.pdf --medical report.pdf

    \b
    With --json: {"case", "international_id", "buc", "success",
      "messages": [{"message_id", "sed", "from", "to", "sent_at",
      "accepted_at", "receipted_at", "valid", "reason"}], "answers": [same],
      "attachments": [{"id", "name", "file_name", "mime_type", "medical", "size", "version"}],
      "trace": [{"at", "node", "step", "outcome", "message_id", "case_id", "detail"}]}
    """
    sed = _read(file, catalogue)
    parcel = _Parcel(
        sed=sed,
        process=_process(sed, buc),
        sender=InstitutionId(sender),
        receivers=tuple(InstitutionId(receiver) for receiver in receivers),
        catalogue=catalogue,
        files=files,
    )
    if parcel.files:
        engine.require_may_carry(parcel.process, CaseRole.CASE_OWNER, sed.type)
    with Screen(output.error_console() if as_json else output.console()) as screen:
        sent = run_async(_send(parcel, state, screen))
    if as_json:
        output.show_json(_as_json(sent))
    else:
        _show(sent)
    if not sent.is_good:
        click.get_current_context().exit(failures.FINDING)


def _read(file: str, catalogue: Catalogue) -> Sed:
    """Return the document of a file, valid and without a seal.

    Raises:
        SedInvalid: with all findings; nothing is sent.
    """
    validator = Validator(catalogue)
    data = inputs.read_input(file)
    sed, report = validator.validate_bytes(data)
    if sed is not None and (seals := sed.root.findall(SIGNATURE)):
        for seal in seals:
            sed.root.remove(seal)
        output.remark("The signature in the file is left out: the sender seals the document itself.")
        report = validator.validate(sed)
    if sed is None or not report.is_valid:
        errors = sum(issue.severity == "error" for issue in report.issues)
        raise SedInvalid(
            f'Expected a valid SED in "{file}", found {errors} {"error" if errors == 1 else "errors"}',
            report=report,
            hint="Correct the file; nothing was sent.",
        )
    return sed


def _process(sed: Sed, buc: str | None) -> BucDefinition:
    """Return the process that a case with this document belongs to.

    Raises:
        click.BadParameter: the process is unknown, or it cannot be told which one is meant.
        ActionNotAvailable: no case begins with such a document.
    """
    processes = Definitions.default()
    if buc is not None:
        return _named(processes, buc, sed)
    found = [process for process in processes.all() if sed.type in process.starters]
    if not found:
        starters = sorted({starter for process in processes.all() for starter in process.starters})
        raise ActionNotAvailable(
            f"Expected a SED that begins a case, found {sed.type}",
            available=tuple(starters),
            hint=f"{sed.type} is sent inside a case that another SED has begun.",
        )
    if len(found) > 1:
        names = ", ".join(process.buc for process in found)
        raise click.BadParameter(f"{sed.type} begins several processes: choose one with --buc: {names}.")
    return found[0]


def _named(processes: Definitions, buc: str, sed: Sed) -> BucDefinition:
    process = processes.find(buc)
    if process is None:
        known = [process.buc for process in processes.all()]
        raise click.BadParameter(f'Expected a process, found "{buc}". {failures.nearest(buc, known)}')
    if sed.type not in process.starters:
        raise ActionNotAvailable(
            f"Expected a SED with which the {CaseRole.CASE_OWNER} begins {buc}, found {sed.type}",
            available=process.starters,
            hint=f"Begin {buc} with one of them, or choose another process.",
        )
    return process


@asynccontextmanager
async def _stage(folder: Path | None, catalogue: Catalogue, screen: Screen) -> AsyncIterator[Stage]:
    """Use the running network of a folder, else one that lives as long as this command."""
    state = find_state(folder or STATE_FOLDER)
    if folder is not None and state is None:
        raise EnvironmentProblem(
            f'Expected a network in "{folder}", found none', hint=f"Start one: eessi-sim run --state {folder}"
        )
    if state is not None:
        async with running(state) as found:
            if found is not None:
                screen.phase(f"Using the network in {state.folder}")
                yield found
                return
    if folder is not None:
        raise EnvironmentProblem(
            f'Expected a running network in "{folder}", found a stopped one',
            hint=f"Start it: eessi-sim run --state {folder}",
        )
    screen.phase("No network is running here: starting a temporary one in this process, on simulated time.")
    async with in_process(load_definition(), catalogue=catalogue) as temporary:
        yield temporary


async def _send(parcel: _Parcel, folder: Path | None, screen: Screen) -> _Sent:
    async with _stage(folder, parcel.catalogue, screen) as stage:
        control = stage.controls.get(parcel.sender)
        if control is None:
            known = failures.nearest(parcel.sender, stage.controls)
            raise click.BadParameter(
                f'Expected an institution of the network, found "{parcel.sender}". {known}'
            )
        follower = Follower(stage, screen)
        await follower.watch.skip()
        case = await _begin(control, parcel)
        deliveries = [delivery for document in case.documents for delivery in document.deliveries]
        own = [delivery.message_id for delivery in deliveries if delivery.message_id]
        messages = await follower.until_settled(own)
        if stage.mode == "in-process":
            await follower.settle()
        screen.finish(messages)
        steps = tracing.in_order(entry for entry in follower.watch.entries if entry.message_id in own)
        case = await control.case(case.case_id)
        others = [item for item in follower.watch.messages if item.message_id not in own]
        answers = tuple(item for item in others if item.case == case.international_id)
        return _Sent(case, messages, tuple(steps), answers)


async def _begin(control: NodeControl, parcel: _Parcel) -> CaseView:
    """Open a case with the document; where the institution refuses it, no empty case stays behind."""
    case_id = await control.open_case(parcel.process.buc, parcel.receivers, parcel.sed.version)
    content = xmlsafe.serialize(parcel.sed.root)
    try:
        return await control.send(
            case_id, parcel.sed.type, content=content, receivers=parcel.receivers, files=parcel.files
        )
    except EessiSimError:
        await control.move(case_id, Move.REMOVE)
        raise


def _show(sent: _Sent) -> None:
    output.show(Text())
    title = f"What happened to {'it' if len(sent.messages) == 1 else 'them'} on every node"
    tracing.show_entries(sent.steps, title=title, with_message=len(sent.messages) > 1)
    states = (
        "accepted, receipted and valid" if sent.is_good else "not accepted, receipted and valid everywhere"
    )
    output.show(Text.assemble(output.mark(sent.is_good), (states, "bold")))
    files = sent.attachments
    output.show_fields(
        {
            "case": f"{sent.case.case_id} at {sent.case.own}, {sent.case.international_id} for all",
            "process": sent.case.buc,
            "messages": ", ".join(message.message_id for message in sent.messages),
            **({"attachments": "; ".join(map(attaching.in_a_line, files))} if files else {}),
        }
    )


def _as_json(sent: _Sent) -> dict[str, object]:
    return {
        "case": sent.case.case_id,
        "international_id": sent.case.international_id,
        "buc": sent.case.buc,
        "success": sent.is_good,
        "messages": [_message(message) for message in sent.messages],
        "answers": [_message(message) for message in sent.answers],
        "attachments": [asdict(each) for each in sent.attachments],
        "trace": tracing.as_json(sent.steps),
    }


def _message(message: Progress) -> dict[str, object]:
    return {
        "message_id": message.message_id,
        "sed": message.sed,
        "from": message.sender,
        "to": message.receiver,
        "sent_at": message.sent_at,
        "accepted_at": message.accepted_at,
        "receipted_at": message.receipted_at,
        "valid": message.is_valid,
        "reason": message.reason,
    }
