"""``eessi-sim send``: a document of one's own into a case, its own or one that there is, at one institution, to others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
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
from eessi_sim.cli.places import Place, Way, place_in_case, way_options
from eessi_sim.cli.playing import Follower
from eessi_sim.cli.stage import STATE_FOLDER, Stage, find_state, in_process, run_async, running
from eessi_sim.errors import ActionNotAvailable, EessiSimError, EnvironmentProblem, SedInvalid
from eessi_sim.identifiers import InstitutionId
from eessi_sim.institution.casework import Move
from eessi_sim.simulation.assembly import load_definition
from eessi_sim.simulation.control import NodeControl
from eessi_sim.simulation.views import AttachmentView, CaseView, DocumentView
from eessi_sim.simulation.watch import Progress
from eessi_sim.storage.base import JournalEntry


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What to send, by whom, to whom."""

    sed: Sed
    into: BucDefinition | Place
    """The process of a case of its own, or the place in a case that there is."""
    sender: InstitutionId
    receivers: tuple[InstitutionId, ...]
    catalogue: Catalogue
    """What a network knows that is started for it."""
    files: tuple[NewFile, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sent:
    """What became of it."""

    case: CaseView
    documents: tuple[DocumentView, ...]
    """What is new in it."""
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
        return tuple(file for document in self.documents for file in document.attachments)


@click.command(epilog=failures.EXIT_STATUS)
@click.argument("file", metavar="FILE")
@click.option(
    "--from", "sender", required=True, metavar="ID", help="Institution that sends; it owns the case."
)
@way_options
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
    way: Way,
    state: Path | None,
    files: tuple[NewFile, ...],
    catalogue: Catalogue,
    as_json: bool,
) -> None:
    r"""Put a SED of your own on the wire: FILE is XML, or JSON in RINA's form (- for standard input).

    The sender opens a case, seals the document and sends it through the access point. Before that it is validated,
    and sender and receivers are looked up: what would be refused is not sent. With --case it goes into a case of a
    running network, as an answer where it is one.

    \b
    Example:
      eessi-sim sample A003 > my.xml
      eessi-sim send my.xml --from NO:NAVAT07 --to SE:FKSE01 --to PL:ZUS01
      eessi-sim send my.xml --from NO:NAVAT07 --to SE:FKSE01 --attach contract.pdf --medical report.pdf
      eessi-sim send my-a012.xml --from SE:FKSE01 --case 171d21fd7c1d407d98210bf57bdb7b9b

    \b
    With --json: {"case", "international_id", "buc", "success",
      "messages": [{"message_id", "sed", "from", "to", "sent_at",
      "accepted_at", "receipted_at", "valid", "reason"}], "answers": [same],
      "attachments": [{"id", "name", "file_name", "mime_type", "medical", "size", "version"}],
      "trace": [{"at", "node", "step", "outcome", "message_id", "case_id", "detail"}]}
    """
    sed = read_sed(file, catalogue)
    state = state or (STATE_FOLDER if way.reference is not None else None)
    parcel = _Parcel(
        sed=sed,
        into=place_in_case(state, sender, way, sed.type)
        if state and way.reference
        else _process(sed, way.buc),
        sender=InstitutionId(sender),
        receivers=tuple(InstitutionId(receiver) for receiver in way.receivers),
        catalogue=catalogue,
        files=files,
    )
    if parcel.files and isinstance(parcel.into, BucDefinition):
        engine.require_may_carry(parcel.into, CaseRole.CASE_OWNER, sed.type)
    with Screen(output.error_console() if as_json else output.console()) as screen:
        sent = run_async(_send(parcel, state, screen))
    if as_json:
        output.show_json(_as_json(sent))
    else:
        _show(sent)
    if not sent.is_good:
        click.get_current_context().exit(failures.FINDING)


def read_sed(file: str, catalogue: Catalogue) -> Sed:
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
        follower = Follower(await _around(stage, control, parcel), screen)
        await follower.watch.skip()
        case, documents = await _hand_in(control, parcel)
        deliveries = [delivery for document in documents for delivery in document.deliveries]
        own = [delivery.message_id for delivery in deliveries if delivery.message_id]
        messages = await follower.until_settled(own)
        if stage.mode == "in-process":
            await follower.settle()
        screen.finish(messages)
        steps = tracing.in_order(entry for entry in follower.watch.entries if entry.message_id in own)
        case = await control.case(case.case_id)
        made = {document.id for document in documents}
        documents = tuple(document for document in case.documents if document.id in made)
        others = [item for item in follower.watch.messages if item.message_id not in own]
        answers = tuple(item for item in others if item.case == case.international_id)
        return _Sent(case, documents, messages, tuple(steps), answers)


async def _around(stage: Stage, control: NodeControl, parcel: _Parcel) -> Stage:
    """Return the stage with only those who may have to do with the document: a network may have thousands."""
    between = stage.readers.keys() - stage.controls.keys()
    involved = {*between, parcel.sender, *parcel.receivers}
    if not isinstance(parcel.into, BucDefinition):
        involved |= {InstitutionId(party) for party in (await control.case(parcel.into.case_id)).participants}
    return replace(
        stage, readers={party: stage.readers[party] for party in stage.readers if party in involved}
    )


async def _hand_in(control: NodeControl, parcel: _Parcel) -> tuple[CaseView, tuple[DocumentView, ...]]:
    """Give the document to its institution; return the case, and what is new in it."""
    if isinstance(parcel.into, BucDefinition):
        case = await _begin(control, parcel, parcel.into)
        return case, case.documents
    known = {document.id for document in (await control.case(parcel.into.case_id)).documents}
    case = await control.send(
        parcel.into.case_id,
        parcel.sed.type,
        content=xmlsafe.serialize(parcel.sed.root),
        parent_id=parcel.into.parent_id,
        receivers=parcel.receivers or None,
        files=parcel.files,
    )
    return case, tuple(
        each for each in case.documents if each.id not in known and each.type == parcel.sed.type
    )


async def _begin(control: NodeControl, parcel: _Parcel, process: BucDefinition) -> CaseView:
    """Open a case with the document; where the institution refuses it, no empty case stays behind."""
    case_id = await control.open_case(process.buc, parcel.receivers, parcel.sed.version)
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
