"""Envelope headers for tests: one complete example, and a strategy for all of them."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import strategies as st

from eessi_sim.access_point.pipeline import Passed
from eessi_sim.attachments import safe_file_name
from eessi_sim.identifiers import (
    COUNTRIES,
    AttachmentId,
    BucType,
    CdmVersion,
    DocumentId,
    InstitutionId,
    InternationalId,
    SedType,
)
from eessi_sim.sbdh import (
    BusinessScope,
    CaseAction,
    ContactTypeIdentifier,
    DocumentIdentification,
    ListedAttachment,
    Partner,
    StandardBusinessDocumentHeader,
)

OWNER = InstitutionId("PL:ZUS001")
COUNTERPARTY = InstitutionId("NO:NAVAT07")

HEADER = StandardBusinessDocumentHeader(
    sender=Partner(OWNER, ContactTypeIdentifier.CASE_OWNER),
    receivers=(Partner(COUNTERPARTY, ContactTypeIdentifier.COUNTERPARTY),),
    document=DocumentIdentification(
        created_at=datetime(2026, 3, 2, 8, 15, tzinfo=UTC),
        case_action=CaseAction.START,
        type=SedType("A003"),
        instance_id=UUID("8a1f0f0c-5b0e-4e7a-9a53-6f0c9a110001"),
        version=CdmVersion("4.4"),
    ),
    scope=BusinessScope(
        document_version=1,
        set_id=DocumentId("8a1f0f0c5b0e4e7a9a536f0c9a110002"),
        case_id=InternationalId("8a1f0f0c5b0e4e7a9a536f0c9a110003"),
        buc=BucType("LA_BUC_02"),
        buc_version=CdmVersion("4.4"),
    ),
)
"""The header of an A003 from Poland to Norway."""

SCAN = ListedAttachment(
    AttachmentId("8a1f0f0c5b0e4e7a9a536f0c9a110009"), "Smith & son.pdf", "application/pdf", is_medical=True
)
"""A medical report."""

SED = (
    b'<a:A003 xmlns:a="http://ec.europa.eu/eessi/ns/4_4/A003" sedGVer="4" sedVer="4">'
    b"<Content>\xc3\x85se &amp; Zo\xc3\xab</Content></a:A003>"
)
"""An A003 in canonical form; what it contains does not matter to the envelope."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_versions = st.builds(
    lambda major, minor: CdmVersion(f"{major}.{minor}"), st.integers(0, 99), st.integers(0, 99)
)
_institutions = st.builds(
    lambda country, code: InstitutionId(f"{country}:{code}"),
    st.sampled_from([*COUNTRIES, "EU"]),
    st.text(_LETTERS + "abc0123456789", min_size=4, max_size=10),
)
_partners = st.builds(Partner, _institutions, st.sampled_from(ContactTypeIdentifier))

_listed = st.builds(
    ListedAttachment,
    id=st.uuids().map(lambda value: AttachmentId(value.hex)),
    file_name=st.text("ab.&<> é/\\\r\u202e", max_size=12).map(lambda text: safe_file_name(f"a{text}")),
    media_type=st.sampled_from(["application/pdf", "image/svg+xml"]),
    is_medical=st.booleans(),
)

headers = st.builds(
    StandardBusinessDocumentHeader,
    sender=_partners,
    receivers=st.lists(_partners, min_size=1, max_size=4).map(tuple),
    document=st.builds(
        DocumentIdentification,
        created_at=st.datetimes(timezones=st.just(UTC)).map(
            lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
        ),
        case_action=st.sampled_from(CaseAction),
        type=st.from_regex(SedType.pattern, fullmatch=True, alphabet=_LETTERS + "_0123456789").map(SedType),
        instance_id=st.uuids(),
        version=_versions,
    ),
    scope=st.builds(
        BusinessScope,
        document_version=st.integers(1, 999_999_999),
        set_id=st.uuids().map(lambda value: DocumentId(value.hex)),
        case_id=st.uuids().map(lambda value: InternationalId(value.hex)),
        buc=st.from_regex(BucType.pattern, fullmatch=True, alphabet=_LETTERS + "abcd_0123456789").map(
            BucType
        ),
        buc_version=_versions,
    ),
    attachments=st.lists(_listed, max_size=3, unique_by=lambda listed: listed.id).map(tuple),
)
"""Every header that the types allow; times with milliseconds, as the envelope carries them."""


async def nothing_yet(_case: str) -> tuple[Passed, ...]:
    """Of any case an access point has let pass nothing."""
    return ()
