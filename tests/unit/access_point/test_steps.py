"""Single checks of the access point, where a whole message could not show them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.helpers.as4_messages import packed_message, sed_payload, unpacked, user_message
from tests.helpers.envelopes import HEADER, nothing_yet
from tests.helpers.repositories import repository

from eessi_sim import xmlsafe
from eessi_sim.access_point.pipeline import Inspection, Rulebook
from eessi_sim.access_point.steps import check_legal_ground, check_schema, refusal, scan
from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.validation import Validator
from eessi_sim.errors import NotCompetent
from eessi_sim.identifiers import BucType, SedType
from eessi_sim.sbdh import OLD_HEADER_VERSION, StandardBusinessDocument


def test_element_that_is_no_sed_is_refused_under_an_old_header() -> None:
    """The old header says nothing about versions, so only the document itself shows that it is none."""
    letter = StandardBusinessDocument(HEADER, xmlsafe.parse(b"<A003/>"), OLD_HEADER_VERSION)
    inspection = Inspection(
        message=user_message(),
        unpacked=unpacked(packed_message()),
        repository=repository(),
        rulebook=Rulebook(Validator(Catalogue.default()), Definitions.default()),
        at=datetime(2026, 3, 2, tzinfo=UTC),
        passed=nothing_yet,
        document=letter,
    )
    with pytest.raises(EbmsFault, match="SED") as caught:
        check_schema(inspection)
    assert caught.value.error_code is EbmsErrorCode.OTHER


def test_refusal_keeps_sentence_hint_and_findings() -> None:
    """The ebMS error says the sentence and carries the whole finding, hint included, as its detail."""
    fault = refusal(NotCompetent("Expected a competence, found none", hint="Ask PL:ZUS01."))
    assert fault.as_error().description == "Expected a competence, found none"
    assert '"hint":"Ask PL:ZUS01."' in (fault.detail or "")
    assert '"code":"not-competent"' in (fault.detail or "")


MALWARE = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def _with_attachment(content: bytes) -> Inspection:
    part = msh.compressed_payload("att-1@pl.example", content, "application/octet-stream", "Attachment")
    return Inspection(
        message=user_message(),
        unpacked=unpacked(packed_message([sed_payload(), part])),
        repository=repository(),
        rulebook=Rulebook(Validator(Catalogue.default()), Definitions.default()),
        at=datetime(2026, 3, 2, tzinfo=UTC),
        passed=nothing_yet,
    )


@pytest.mark.parametrize("before", [0, 1024 * 1024 - 20, 1024 * 1024])
def test_test_file_of_scanners_is_found_wherever_it_lies(before: int) -> None:
    """BU-8: also where it begins in one piece of the content and ends in the next; the reason names the part."""
    with pytest.raises(EbmsFault, match=r"att-1@pl\.example") as caught:
        scan(_with_attachment(bytes(before) + MALWARE + b"more"))
    assert caught.value.error_code is EbmsErrorCode.OTHER


def test_parts_are_scanned_one_by_one() -> None:
    """What ends one part and what begins the next are not read as one text."""
    scan(_with_attachment(MALWARE[1:]))


def test_document_without_a_place_in_the_process_has_no_legal_ground() -> None:
    """The refusal names the legal basis of the process and what is exchanged under it."""
    inspection = _with_attachment(b"")
    inspection.document = StandardBusinessDocument(
        replace(HEADER, document=replace(HEADER.document, type=SedType("P2000"))),
        xmlsafe.parse(b"<P2000/>"),
        "1.1",
    )
    with pytest.raises(EbmsFault, match="found P2000") as caught:
        check_legal_ground(inspection)
    assert '"A003"' in (caught.value.detail or "")


def test_process_that_nobody_defines_has_no_legal_ground() -> None:
    """What is no process of the tables is refused as such."""
    inspection = _with_attachment(b"")
    scope = replace(HEADER.scope, buc=BucType("LA_BUC_99"))
    inspection.document = StandardBusinessDocument(
        replace(HEADER, scope=scope), xmlsafe.parse(b"<A003/>"), "1.1"
    )
    with pytest.raises(EbmsFault, match="LA_BUC_99"):
        check_legal_ground(inspection)
