"""Each accident that breaks a seal, done to a sealed SED: the explanation names it, the reference and the place."""

import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.helpers import evidence
from tests.helpers.broken_seals import COMPACT, FORMATTED, differences, edited, explained_check, sealed_over
from tests.helpers.seals import inserted

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.codec import Codec
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.verification.accidents.model import Content
from eessi_sim.verification.accidents.search import Effort, search
from eessi_sim.verification.accidents.table import ACCIDENTS
from eessi_sim.verification.explanation import Question

XSI = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
DOCUMENT = "the document (URI empty)"


def swapped(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """An edit that replaces text everywhere in the document."""
    return lambda octets: octets.replace(old, new)


def text_edited(change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    """An edit of the document as text."""
    return lambda octets: change(octets.decode()).encode()


def moved_day(octets: bytes) -> bytes:
    """The document with Day in front of the second Code."""
    day = b"<Day>2026-03-02</Day>"
    return octets.replace(day, b"").replace(b"<Code>02", day + b"<Code>02")


@dataclass(frozen=True)
class Case:
    """One accident: what was signed, what arrived, and what is to be found."""

    accident: str
    arrived: bytes
    path: str
    """End of the path of the first difference."""


def damaged(accident: str, edit: Callable[[bytes], bytes], path: str, sed: bytes = COMPACT) -> Case:
    """A document that was damaged after signing."""
    return Case(accident, edited(inserted(sed), edit), path)


def misread(accident: str, octets: bytes, path: str) -> Case:
    """A document whose signer digested other octets."""
    return Case(accident, sealed_over(octets), path)


NFD = unicodedata.normalize("NFD", COMPACT.decode()).encode()
WITH_CR = COMPACT.replace(b"one\n", b"one&#xD;\n")
ODD = COMPACT.replace(b'"4"', b"'4'").replace(b"<Code>01", b"<Empty/><!-- a comment --><Code>01")
COMMENTED = COMPACT.replace(b"<Code>01", b"<Empty></Empty><!-- a comment --><Code>01")
BY_NAME = COMPACT[: COMPACT.index(b"<Person>")] + (
    b"<Code>01</Code><Code>02</Code><Day>2026-03-02</Day><Person>"
    + COMPACT.partition(b"<Person>")[2].partition(b"</Person>")[0]
    + b"</Person><Text>one\ntwo</Text></u:U018>"
)
LIGATURE = COMPACT.replace(b"one", "ﬁnd".encode())
RENAMED = inserted(COMPACT).replace(b"u:U018", b"ns2:U018").replace(b"xmlns:u=", b"xmlns:ns2=")
LOCATED = XSI + b' xsi:schemaLocation="u u.xsd" sedGVer="4"'
ROOT = "/U018"
CASES = (
    damaged("blanks-beside-signature", lambda octets: octets + b"\n  ", ROOT),
    damaged("blanks-lost-beside-signature", lambda octets: octets.rstrip(), ROOT, FORMATTED),
    damaged("pretty-printed", swapped(b"><", b">\n  <"), ROOT),
    damaged("texts-padded", swapped(b">01<", b">\n    01\n  <"), "/Code"),
    damaged("lf-to-crlf", swapped(b"\n", b"&#13;\n"), "/Text"),
    damaged("crlf-to-lf", swapped(b"&#xD;\n", b"\n"), "/Text", WITH_CR),
    damaged("carriage-returns", swapped(b"\n", b"&#13;"), "/Text"),
    damaged("encoded-twice", lambda octets: octets.decode("latin-1").encode(), "/familyName"),
    damaged(
        "unicode-decomposed", text_edited(lambda text: unicodedata.normalize("NFD", text)), "/familyName"
    ),
    damaged(
        "unicode-composed", text_edited(lambda text: unicodedata.normalize("NFC", text)), "/familyName", NFD
    ),
    damaged("escaped-twice", swapped(b"&amp;", b"&amp;amp;"), "/forename"),
    damaged("escaped-twice", swapped("Åse".encode(), b"&amp;#xC5;se"), "/familyName"),
    damaged("escaped-twice", swapped("Åse".encode(), b"&amp;#197;se"), "/familyName"),
    Case("prefix-renamed", RENAMED, ROOT),
    damaged("schema-location-added", swapped(b' sedGVer="4"', LOCATED), ROOT),
    damaged("attribute-added", swapped(b' sedVer="4"', b' sedVer="4" version="4.4"'), ROOT),
    damaged("formatting-removed", lambda octets: re.sub(rb">\s+<", b"><", octets), ROOT, FORMATTED),
    damaged("formatted-again", swapped(b"  ", b"    "), ROOT, FORMATTED),
    damaged("blanks-changed", swapped(b">\n", b"> \n"), ROOT, FORMATTED),
    damaged("blanks-in-texts", swapped(b" &amp; ", b"  &amp;\n "), "/forename"),
    damaged("empty-elements-added", swapped(b"<Day>", b"<Night/><Day>"), "/Night"),
    damaged("values-rewritten", swapped(b"2026-03-02", b"2026-03-02+01:00"), "/Day"),
    damaged("values-reordered", swapped(b"01</Code><Code>02", b"02</Code><Code>01"), "/Code"),
    Case("elements-sorted", sealed_over(BY_NAME), "/Person"),
    damaged("elements-swapped", moved_day, "/Day"),
    damaged(
        "text-trimmed",
        swapped("Żółć ".encode(), "Żółć".encode()),
        "/familyName",
        COMPACT.replace("Żółć".encode(), "Żółć ".encode()),
    ),
    misread("nothing-signed", b"", "/"),
    Case("not-canonical", sealed_over(ODD, inserted(ODD)), ROOT),
    Case("comments-signed", sealed_over(COMMENTED, inserted(ODD)), "/Code"),
    misread("byte-order-mark-removed", b"\xef\xbb\xbf" + COMPACT, "/"),
    misread("declaration-removed", b'<?xml version="1.0" encoding="UTF-8"?>' + COMPACT, ROOT),
    misread("end-removed", COMPACT + b"\n", ""),
    misread("other-encoding-signed", COMPACT.decode().encode("utf-16-le"), ROOT),
    misread("encoded-twice-by-signer", COMPACT.decode("latin-1").encode(), "/familyName"),
    misread("base64-signed", b64encode(COMPACT), "/"),
    Case(
        "unicode-compatibility",
        sealed_over(unicodedata.normalize("NFKC", LIGATURE.decode()).encode(), inserted(LIGATURE)),
        "/Text",
    ),
    misread("namespace-declaration-removed", COMPACT.replace(b' sedGVer="4"', XSI + b' sedGVer="4"'), ROOT),
    misread("content-alone", COMPACT[COMPACT.index(b"<Person>") : COMPACT.index(b"</u:")], ROOT),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.accident)
def test_an_accident_is_named_with_reference_and_place(case: Case) -> None:
    """The explanation of a damaged SED names the accident that happened, and no other."""
    [found] = [each for each in differences(case.arrived) if each.reference == DOCUMENT]
    assert found.accidents == (case.accident,)
    assert found.comparison is not None
    assert (found.comparison.path or "").endswith(case.path)


def test_two_accidents_are_told_in_their_order() -> None:
    """A prefix that was renamed and a formatter together are found too."""
    arrived = (
        re.sub(rb"><(?=[^/]*>)", b">\n<", RENAMED[: RENAMED.index(b"<ds:")])
        + RENAMED[RENAMED.index(b"<ds:") :]
    )
    [found] = [each for each in differences(arrived) if each.reference == DOCUMENT]
    assert found.accidents == ("prefix-renamed", "pretty-printed")
    assert found.cause.startswith("Two accidents together. A namespace prefix was changed after signing (")


def test_a_flipped_letter_is_no_accident() -> None:
    """A letter that was changed after signing is told as that; everything that was tried is listed."""
    [found] = differences(inserted(COMPACT).replace(b"Code>01", b"Code>07"))
    assert found.accidents == ()
    assert found.comparison is None
    assert found.cause == "The content was changed after signing, and not by one of the usual accidents"
    assert {"pretty-printed", "prefix-renamed", "recompressed"} <= set(found.tried)


def test_an_intact_value_says_that_the_digest_is_the_signers_own() -> None:
    """When SignedInfo is intact, the remark says so: the content is to blame."""
    [found] = differences(inserted(COMPACT).replace(b"Code>01", b"Code>07"))
    assert found.remarks[0].startswith("SignedInfo and the signature value are intact")


def test_what_cannot_be_the_cause_is_said() -> None:
    """Differences that the canonical form levels out are excluded in words."""
    [found] = differences(inserted(COMPACT).replace(b"Code>01", b"Code>07"))
    assert any("comments, CDATA, XML declaration" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    "edit",
    [
        swapped(b"Code>01<", b"Code><![CDATA[01]]><"),
        swapped(b"<Code>01", b"<!-- 1 --><Code>01"),
        swapped(b'sedVer="4"', b"sedVer='4'"),
        swapped(b"Code>01<", b"Code>&#48;1<"),
        lambda octets: b'\xef\xbb\xbf<?xml version="1.0"?>\r\n' + octets,
        swapped(b"\n", b"\r\n"),
    ],
    ids=["CDATA", "comment", "quotes", "reference", "declaration", "CRLF"],
)
def test_neutral_changes_break_no_seal(edit: Callable[[bytes], bytes]) -> None:
    """What the explanation calls neutral is neutral."""
    assert explained_check(edited(inserted(COMPACT), edit)).passed


def test_the_search_ends_with_its_effort() -> None:
    """A search that gave up says that there is more to try."""
    question = Question(effort=Effort(candidates=20, octets=10**6))
    [found] = differences(inserted(COMPACT).replace(b"Code>01", b"Code>07"), question)
    assert any("more to try than is worth the time" in remark for remark in found.remarks)


def test_large_content_is_not_searched_for_pairs() -> None:
    """Two accidents at a time are undone in documents of at most a megabyte."""
    effort = Effort(candidates=10**6, octets=10**7, pairs=True)
    content = Content(b"x" * (1024 * 1024 + 1))
    result = search(content, lambda _: False, effort)
    assert len(result.tried) < len(ACCIDENTS)


def test_a_document_that_went_through_json_is_explained() -> None:
    """RINA's JSON form keeps neither prefix nor white space: both are found."""
    sed = evidence.sample()
    codec = Codec.of(Catalogue.default().get(SedType("A003"), CdmVersion("4.4")))
    again = xmlsafe.serialize(codec.to_xml(codec.to_json(xmlsafe.parse(sed))), declaration=False)
    signed = inserted(sed)
    signature = signed[signed.index(b"<ds:Signature ") : signed.rindex(b"</")]
    end = again.rindex(b"</")
    [found] = differences(again[:end] + signature + again[end:])
    assert found.accidents == ("prefix-renamed", "formatting-removed")
