"""Files that travel with a document: from the sender's case into the receiver's, and what is refused on the way."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from tests.helpers.attached import JPEG, PDF, PNG, new_file
from tests.helpers.forge import Draft, held_back, let_go, post
from tests.helpers.lab import A003, DRV, INPS, INSS, NAV, P_BUC_01, POINT, ZUS, Lab, demo, silent
from tests.helpers.processes import CLERK

from eessi_sim import xmlsafe
from eessi_sim.as4 import msh
from eessi_sim.as4.model import Payload, UserMessage
from eessi_sim.attachments import MEGABYTE, AttachmentLimits, NewFile
from eessi_sim.buc.case import DocumentStatus, ParticipantChange
from eessi_sim.cdm.sed import SIGNATURE
from eessi_sim.errors import AttachmentError, AttachmentNotAllowed, DocumentNotFound
from eessi_sim.gateway.enclosed import payload_of
from eessi_sim.identifiers import AttachmentId, BucType, DocumentId, SedType
from eessi_sim.institution import content
from eessi_sim.institution.casework import Draft as NewDraft
from eessi_sim.sbdh import ListedAttachment
from eessi_sim.storage.base import Direction

FILES = (
    new_file("employment contract.pdf", name="Contract"),
    new_file("x-ray/left.png", PNG, mime_type="image/png", medical=True),
    new_file("photo.jpg", JPEG, mime_type="image/jpeg"),
)
SCANNER = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


async def send(lab: Lab, *files: NewFile, sed: SedType = A003) -> None:
    """Open a case at Norway and send its first document with files."""
    node = lab.node(NAV)
    case = await node.open_case(BucType("LA_BUC_02"), (ZUS,))
    await node.send_document(case.id, sed, files=files)


async def test_three_files_arrive_with_their_document(lab: Lab) -> None:
    """Names, types, the medical flag and every octet of three files are in the receiver's case; one receipt is enough."""
    await send(lab, *FILES)
    await lab.work(30)
    assert await lab.delivery(NAV) == "delivered"
    sent, got = (await lab.document(NAV, A003)).attachments, (await lab.document(ZUS, A003)).attachments
    assert [(each.file_name, each.mime_type, each.medical) for each in got] == [
        ("employment contract.pdf", "application/pdf", False),
        ("x-ray\uff0fleft.png", "image/png", True),
        ("photo.jpg", "image/jpeg", False),
    ]
    assert [each.id for each in got] == [each.id for each in sent]
    assert [each.name for each in sent] == ["Contract", "x-ray\uff0fleft.png", "photo.jpg"]
    for party, attachments in ((NAV, sent), (ZUS, got)):
        contents = [await lab.store(party).content(each.latest.digest) for each in attachments]
        assert [content and content.read() for content in contents] == [PDF, PNG, JPEG]


async def test_files_are_parts_of_the_message_and_the_header_names_none(lab: Lab) -> None:
    """Each part says that it is an attachment and which; file names stand in the envelope only (they may name a person)."""
    await send(lab, *FILES)
    message = await lab.sent(NAV)
    unpacked = msh.unpack(message.content_type, message.body)
    assert isinstance(unpacked.unit, UserMessage)
    ids = [each.id for each in (await lab.document(NAV, A003)).attachments]
    assert [part.part_type for part in unpacked.parts] == ["SED", "Attachment", "Attachment", "Attachment"]
    assert [part.attachment_id for part in unpacked.parts[1:]] == ids
    assert [part.content_id.partition("@")[0] for part in unpacked.parts[1:]] == ids
    assert b"contract" not in message.body
    assert message.details["attachments"] == "3"


async def test_same_file_twice_is_kept_once_and_arrives_twice(lab: Lab) -> None:
    """Two attachments may have one content."""
    await send(lab, new_file("a.pdf"), new_file("b.pdf"))
    await lab.work(30)
    digests = {each.latest.digest for each in (await lab.document(ZUS, A003)).attachments}
    assert (len((await lab.document(ZUS, A003)).attachments), len(digests)) == (2, 1)


async def test_changed_files_arrive_with_the_next_version(lab: Lab) -> None:
    """A sent document goes out again with other files; the first version keeps what travelled with it."""
    await send(lab, *FILES)
    await lab.work(30)
    document = await lab.document(NAV, A003)
    work, case_id = lab.node(NAV).casework, (await lab.case(NAV)).id
    gone = [each.id for each in document.attachments[:2]]
    await work.change_files(case_id, document.id, add=[new_file("second.pdf")], remove=gone, actor=CLERK)
    assert (await lab.document(NAV, A003)).status is DocumentStatus.ACTIVE
    await work.send_draft(case_id, document.id, actor=CLERK)
    await lab.work(30)
    got = await lab.document(ZUS, A003)
    assert (got.version, await lab.delivery(NAV)) == (2, "delivered")
    assert [each.file_name for each in got.attachments] == ["photo.jpg", "second.pdf"]
    assert [len(version.attachments) for version in got.versions] == [3, 2]
    seals = xmlsafe.parse(
        (await lab.store(ZUS).documents((await lab.case(ZUS)).id, with_content=True))[-1].content
    )
    assert len(seals.findall(SIGNATURE)) == 1


async def test_draft_is_sent_with_its_files(lab: Lab) -> None:
    """Files are attached to a draft with it or later, and removed before anybody gets them."""
    node = lab.node(NAV)
    case = await node.open_case(BucType("LA_BUC_02"), (ZUS,))
    draft = await node.casework.create_draft(case.id, NewDraft(sed=A003, files=FILES), actor=CLERK)
    (first, *others) = draft.attachments
    await node.casework.change_files(
        case.id, draft.id, add=[new_file("late.pdf", PDF + b"late")], remove=[first.id], actor=CLERK
    )
    assert len(others) == 2
    await node.casework.send_draft(case.id, draft.id, actor=CLERK)
    await lab.work(30)
    names = [each.file_name for each in (await lab.document(ZUS, A003)).attachments]
    assert names == ["x-ray\uff0fleft.png", "photo.jpg", "late.pdf"]


async def test_newcomer_gets_the_files_too(lab: Lab) -> None:
    """What is handed over to a new participant comes with its files, also those of another author."""
    owner, other = lab.node(INSS), lab.node(DRV)
    case = await owner.open_case(P_BUC_01, (DRV,))
    await owner.send_document(case.id, SedType("P2000"), files=FILES[:1])
    await lab.work(10)
    await other.send_document((await lab.case(DRV)).id, SedType("P6000"), files=FILES[1:])
    await lab.work(10)
    await owner.send_document(case.id, SedType("X005"), change=ParticipantChange(joins=INPS))
    await lab.work(30)
    got = {
        str(each.type): [file.file_name for file in each.attachments]
        for each in (await lab.case(INPS)).documents
    }
    assert got["P2000"] == ["employment contract.pdf"]
    assert got["P6000"] == ["x-ray\uff0fleft.png", "photo.jpg"]


async def test_files_of_a_document_that_was_never_stored_cannot_be_changed(lab: Lab) -> None:
    """There is no content to send once more."""
    await lab.open()
    with pytest.raises(DocumentNotFound, match="Expected a document that was sent"):
        await content.as_kept(lab.node(NAV).office, (await lab.case(NAV)).id, DocumentId("f" * 32))


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([new_file(mime_type="text/html")], "found text/html"),
        ([new_file(data=PNG)], "found image/png"),
        ([new_file(data=PDF + bytes(10 * MEGABYTE))], 'at most 10 MB in "scan.pdf"'),
        ([new_file(data=PDF + bytes(8 * MEGABYTE))] * 3, "at most 20 MB in all"),
        ([new_file("..")], "Expected a file name"),
    ],
)
async def test_file_that_may_not_be_attached_is_refused_before_the_wire(
    lab: Lab, files: list[NewFile], sentence: str
) -> None:
    """Nothing is sent, and the sender is told what to change."""
    with pytest.raises(AttachmentError, match=sentence) as refused:
        await send(lab, *files)
    assert refused.value.hint
    assert not await lab.messages(NAV, Direction.OUT)


async def test_sed_without_attachments_is_refused_before_the_wire(lab: Lab) -> None:
    """The table says which SEDs carry files; the hint names them."""
    await lab.open()
    await lab.work(30)
    with pytest.raises(AttachmentNotAllowed, match="X008") as refused:
        await lab.node(NAV).send_document((await lab.case(NAV)).id, SedType("X008"), files=FILES)
    assert refused.value.hint is not None
    assert "A003" in refused.value.hint


LISTED = ListedAttachment(AttachmentId("a" * 32), "scan.pdf", "application/pdf")
OTHER = replace(LISTED, id=AttachmentId("b" * 32), file_name="other.pdf")


def part(listed: ListedAttachment = LISTED, data: bytes = PDF) -> Payload:
    """The part that carries a listed file."""
    return payload_of(listed, new_file(data=data).content, "forged.example")


def with_files(draft: Draft, listed: tuple[ListedAttachment, ...], *parts: Payload) -> Draft:
    """The message with another list and other parts."""
    return replace(draft.with_header(attachments=listed), attachments=parts)


def without_property(payload: Payload) -> Payload:
    """A part that only its Content-ID names."""
    return replace(payload, properties=payload.properties[:-1])


@pytest.mark.parametrize(
    "change",
    [
        lambda draft: with_files(draft, (LISTED, OTHER), part(OTHER), part()),
        lambda draft: with_files(draft, (LISTED,), without_property(part())),
    ],
)
async def test_list_and_parts_are_matched_by_id(lab: Lab, change: Callable[[Draft], Draft]) -> None:
    """Parts may come in another order than the list, and without the property that repeats their id."""
    draft = change(await held_back(lab))
    await let_go(lab, draft.packed(lab.keys(NAV).ebms))
    assert await lab.delivery(NAV) == "delivered"
    assert [each.id for each in (await lab.document(ZUS, A003)).attachments] == [
        each.id for each in draft.header.attachments
    ]


_WRONG: list[tuple[str, Callable[[Draft], Draft], str]] = [
    ("missing part", lambda d: with_files(d, (LISTED,)), "which the envelope lists, found none"),
    ("extra part", lambda d: with_files(d, (), part()), "besides"),
    (
        "part twice",
        lambda d: with_files(d, (LISTED,), part(), replace(part(), content_id="twice@forged.example")),
        "twice@forged.example",
    ),
    (
        "type of the part",
        lambda d: with_files(d, (LISTED,), part(replace(LISTED, media_type="image/png"))),
        "application/pdf, as the envelope says, found image/png",
    ),
    (
        "type not allowed",
        lambda d: with_files(
            d, (replace(LISTED, media_type="text/html"),), part(replace(LISTED, media_type="text/html"))
        ),
        "allowed type, found text/html",
    ),
    ("content of another type", lambda d: with_files(d, (LISTED,), part(data=JPEG)), "found image/jpeg"),
    ("empty file", lambda d: with_files(d, (LISTED,), part(data=b"")), "found nothing"),
    ("too large", lambda d: with_files(d, (LISTED,), part(data=PDF + bytes(2000))), "at most 1 kB in"),
    (
        "too much",
        lambda d: with_files(d, (LISTED, OTHER), part(data=PDF + bytes(900)), part(OTHER, PDF + bytes(900))),
        "at most 1.5 kB in all",
    ),
    ("scanner's test file", lambda d: with_files(d, (LISTED,), part(data=PDF + SCANNER)), "test string"),
]
SMALL = AttachmentLimits(file_bytes=1024, message_bytes=1536)


@pytest.fixture
async def small() -> AsyncIterator[Lab]:
    """A network that takes small attachments only."""
    async with Lab.build(replace(silent(demo()), attachments=SMALL)) as lab:
        yield lab


@pytest.mark.parametrize(("change", "sentence"), [row[1:] for row in _WRONG], ids=[row[0] for row in _WRONG])
async def test_wrong_attachments_are_refused_by_the_access_point(
    small: Lab, change: Callable[[Draft], Draft], sentence: str
) -> None:
    """The sender learns which file is wrong, by its id; the receiver never sees the message."""
    await let_go(small, change(await held_back(small)).packed(small.keys(NAV).ebms))
    message = await small.sent(NAV)
    assert (message.state, await small.delivery(NAV)) == ("rejected", "error")
    assert sentence in str(message.last_error)
    assert not await small.messages(ZUS, Direction.IN)
    assert ".pdf" not in f"{message.last_error}{await small.reasons(NAV)}{await small.reasons(POINT)}"


@pytest.mark.parametrize(
    ("change", "sentence"), [row[1:] for row in _WRONG[:2]], ids=[row[0] for row in _WRONG[:2]]
)
async def test_receiver_looks_for_itself(lab: Lab, change: Callable[[Draft], Draft], sentence: str) -> None:
    """A message that an access point let pass all the same is a dead letter of the receiver."""
    draft = change(await held_back(lab))
    await post(lab, draft.packed(lab.keys(NAV).ebms), client=POINT, to=ZUS)
    message = await lab.received(ZUS)
    assert message.state == "rejected"
    assert sentence in str(message.last_error)


async def test_sed_without_attachments_is_refused_on_the_way_and_at_the_end(sent: Lab) -> None:
    """An X-SED carries no files (documented): neither access point nor receiver takes it with some."""
    lab = sent
    lab.take_down(POINT)
    await lab.reply(NAV, SedType("X008"), A003)
    draft = with_files(Draft.of((await lab.messages(NAV, Direction.OUT))[-1]), (LISTED,), part())
    await let_go(lab, draft.packed(lab.keys(NAV).ebms))
    message = (await lab.messages(NAV, Direction.OUT))[-1]
    assert (message.state, "X008 of the CaseOwner without" in str(message.last_error)) == ("rejected", True)
    again = draft.named("again@forged.example").packed(lab.keys(NAV).ebms)
    await post(lab, again, client=POINT, to=ZUS)
    refused = (await lab.messages(ZUS, Direction.IN))[-1]
    assert "Expected X008 of the CaseOwner without attachments" in str(refused.last_error)
