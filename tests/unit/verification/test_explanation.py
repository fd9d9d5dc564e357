"""Explanations of whole checks: the signer's own copy, transforms in the wrong order, and the forms behind them."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers import evidence
from tests.helpers.as4_messages import packed_message, sed_payload
from tests.helpers.broken_seals import (
    COMPACT,
    FORMATTED,
    differences,
    explained_check,
    resealed,
    signed_info_of,
    with_value,
)
from tests.helpers.keys import key_pair
from tests.helpers.seals import inserted, sealed

from eessi_sim.as4 import msh
from eessi_sim.verification.accidents.model import Content, Scene
from eessi_sim.verification.accidents.search import QUICK, THOROUGH, Effort, search
from eessi_sim.verification.explanation import Question, explained, forms_of
from eessi_sim.verification.files import verify_file
from eessi_sim.verification.outcome import INTEGRITY_ONLY, Check, Difference

SENT = inserted(COMPACT)
CHANGED = SENT.replace(b"Code>01", b"Code>07")
MESSAGE = evidence.files()["message.as4"]
DAMAGED = MESSAGE.replace(b"PL:ZUS001</eb:PartyId>", b"PL:ZUS002</eb:PartyId>")


def against(copy: bytes, received: bytes = CHANGED) -> Difference:
    """The first explanation with a copy at hand."""
    return differences(received, Question(copy=copy, effort=QUICK))[0]


@pytest.mark.parametrize(
    ("copy", "origin"),
    [
        (SENT, "from your copy, the U018 in it; its digest is the one in the signature"),
        (
            COMPACT,
            "from your copy, the U018 in it, which is not signed; its digest is the one in the signature",
        ),
        (COMPACT.replace(b"Bo", b"Bu") + b"\n", "which is not signed"),
    ],
)
def test_a_copy_shows_what_was_changed(copy: bytes, origin: str) -> None:
    """The document, signed or not yet, is compared in canonical form."""
    found = against(copy)
    assert found.comparison is not None
    assert origin in found.comparison.origin


def test_a_copy_that_fits_gives_the_place_of_a_flipped_letter() -> None:
    """What no accident explains is found by comparison."""
    found = against(SENT)
    assert found.comparison is not None
    assert (found.comparison.path, found.comparison.extent) == ("/U018/Code", "This one octet differs")
    assert (found.cause, found.tried) == ("The content was changed after signing", ())


def test_the_signed_octets_themselves_are_a_copy() -> None:
    """A file of the signer with the canonical form is recognised by its digest."""
    found = against(COMPACT)
    assert found.forms is not None
    assert found.forms.signed == COMPACT


def test_an_accident_stays_named_beside_a_copy() -> None:
    """The copy adds the place, the accident keeps its name."""
    found = against(SENT, SENT.replace(b"><Code>01", b">\n<Code>01"))
    assert found.accidents == ("pretty-printed",)
    assert found.comparison is not None
    assert "your copy" in found.comparison.origin


def test_a_copy_of_something_else_does_not_hide_the_accident() -> None:
    """A copy that does not fit is of less worth than a form whose digest fits."""
    found = against(FORMATTED, SENT.replace(b"><Code>01", b">\n<Code>01"))
    assert found.comparison is not None
    assert found.comparison.origin.startswith("made again")


def test_a_copy_that_does_not_fit_is_compared_all_the_same() -> None:
    """A copy that was not signed either shows a difference, with a remark."""
    found = against(FORMATTED)
    assert found.comparison is not None
    assert found.remarks[0].startswith("Your copy differs, but is not what was signed either")


def test_an_equal_copy_says_that_nothing_happened_on_the_way() -> None:
    """The same document at both ends: the signer digested something else."""
    found = against(CHANGED)
    assert found.comparison is None
    assert found.remarks[0].startswith("Your copy has the same canonical form")


@pytest.mark.parametrize("copy", [b"", b"{}", b"<broken", b"--x\r\n\r\nno message\r\n--x--"])
def test_a_copy_that_cannot_be_read_is_compared_as_it_is(copy: bytes) -> None:
    """Any file is a copy."""
    found = against(copy)
    assert found.comparison is not None
    assert "the octets of the file" in found.comparison.origin


def test_a_message_is_a_copy_of_a_message() -> None:
    """The same reference of the copy is compared."""
    check = explained_check(DAMAGED, Question(QUICK, MESSAGE), "message-signature")
    [found] = check.differences
    assert found.comparison is not None
    assert "the same reference of the message" in found.comparison.origin


def test_a_message_is_a_copy_of_the_sed_in_it() -> None:
    """The SED in the copy of a message is found."""
    received = evidence.files()["sed.xml"].replace(b"Halina", b"Helina")
    [found] = differences(received, Question(QUICK, MESSAGE))
    assert found.comparison is not None
    assert "the A003 in it; its digest is the one in the signature" in found.comparison.origin


def test_an_envelope_is_a_copy_of_the_sed_in_it() -> None:
    """So is the SED in the copy of an envelope."""
    received = evidence.files()["sed.xml"].replace(b"Halina", b"Helina")
    [found] = differences(received, Question(QUICK, evidence.files()["sbdh.xml"]))
    assert found.comparison is not None
    assert "the A003 in it" in found.comparison.origin


def damaged_part() -> tuple[bytes, bytes]:
    """A message whose part was exchanged, and the document that was sent."""
    envelope = evidence.envelope()
    packed = packed_message((sed_payload(envelope),))
    other = sed_payload(envelope.replace(b"Halina", b"Helina")).content
    body = packed.body.replace(sed_payload(envelope).content, other)
    return msh.to_file(replace(packed, body=body)), envelope


def test_the_document_of_a_compressed_part_is_compared_after_decompression() -> None:
    """Octets of gzip streams say nothing; their contents do."""
    received, envelope = damaged_part()
    [found] = explained_check(received, Question(QUICK, envelope), "message-signature").differences
    assert found.comparison is not None
    assert "compared after decompression" in found.comparison.origin
    assert (found.comparison.path or "").endswith("/forename")


def test_a_broken_stream_is_compared_as_it_is() -> None:
    """A part that cannot be decompressed is compared octet by octet."""
    received, _ = damaged_part()
    [found] = explained_check(
        received, Question(QUICK, b"\x1f\x8bno stream"), "message-signature"
    ).differences
    assert found.comparison is not None
    assert "decompression" not in found.comparison.origin


def test_another_message_is_compared_by_its_first_part() -> None:
    """A copy whose parts have other names is compared by the first part."""
    received, envelope = damaged_part()
    part = replace(sed_payload(envelope), content_id="other@pl.example")
    copy = msh.to_file(packed_message((part,)))
    [found] = explained_check(received, Question(QUICK, copy), "message-signature").differences
    assert found.comparison is not None
    assert "the first part of the message; its digest is the one" in found.comparison.origin


def test_the_properties_of_another_seal_are_compared_by_their_type() -> None:
    """Signed properties have an id of their own in each seal."""
    received = SENT.replace(b"SigningTime>2026", b"SigningTime>2027")
    copy = sealed(COMPACT, token="f" * 32)
    [found] = differences(received, Question(QUICK, copy))
    assert found.comparison is not None
    assert "the U018 in it" in found.comparison.origin


def reordered(document: bytes) -> bytes:
    """A seal whose transforms stand in the wrong order, signed like that."""
    first = b'<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>'
    second = b'<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform>'
    changed = document.replace(first + second, second + first)
    return with_value(changed, key_pair().sign(signed_info_of(changed)))


def test_transforms_in_the_wrong_order_are_told() -> None:
    """The digest fits; only the list of transforms is wrong."""
    [found] = differences(reordered(SENT))
    assert found.accidents == ("transform-order",)
    assert found.found == "xml-exc-c14n, enveloped-signature"
    assert "the digest fits" in found.cause


def test_a_missing_transform_is_told() -> None:
    """Without enveloped-signature the digest cannot be what the list says."""
    first = b'<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>'
    changed = SENT.replace(first, b"")
    changed = with_value(changed, key_pair().sign(signed_info_of(changed)))
    [found] = differences(changed)
    assert found.accidents == ("transforms",)


@pytest.mark.parametrize(("count", "note"), [(1, "this digest still empty"), (2, "all digests still empty")])
def test_a_signer_who_leaves_the_signature_in_is_told(count: int, note: str) -> None:
    """The transform enveloped-signature that was not applied is found when the signature was a template."""
    at = SENT.index(b"<ds:Signature ")
    template = _emptied(_emptied(SENT[at:], b"SignatureValue", 1), b"DigestValue", count)
    octets = SENT[:at] + template
    [found] = differences(resealed(SENT, lambda _: sha256(octets).digest()))
    assert found.accidents == ("signature-not-removed",)
    assert note in found.cause


def _emptied(template: bytes, name: bytes, count: int) -> bytes:
    """The signature with the first ``count`` elements of a name emptied."""
    head, *rest = template.split(b"<ds:" + name, count)
    pieces = [head]
    for piece in rest:
        start, _, value = piece.partition(b">")
        pieces.append(start + b">" + value[value.index(b"</ds:") :])
    return (b"<ds:" + name).join(pieces)


def test_a_check_of_no_signature_stays_as_it_is() -> None:
    """Of checks without signature there is nothing to explain."""
    check = Check(name="file", file="x", passed=False, sentence="no")
    assert explained(check, Question()) is check
    assert list(forms_of(check)) == []


def test_an_intact_check_has_forms_and_no_differences() -> None:
    """What was digested can be compared even when everything fits."""
    [check] = verify_file("x", SENT, INTEGRITY_ONLY).checks
    assert explained(check, Question()).differences == ()
    assert [(form.reference, form.form) for form in forms_of(check)] == [
        ("the document (URI empty)", "received"),
        ("#xades-id-0123456789abcdef0123456789abcdef", "received"),
        ("SignatureValue", "received"),
    ]


def test_both_forms_are_given_when_both_are_known() -> None:
    """The form that was made again is given beside the one that was received."""
    check = explained_check(SENT.replace(b"><Code>01", b">\n<Code>01"))
    forms = {(form.reference, form.form): form.octets for form in forms_of(check)}
    assert forms["the document (URI empty)", "signed"] == COMPACT


@pytest.mark.parametrize(
    "document",
    [
        COMPACT,
        SENT.replace(b"<ds:SignedInfo>", b"<ds:SignedInfo><ds:Odd/>"),
        evidence.files()["receipt.xml"].replace(b"<ds:SignedInfo", b"<ds:SignedInf"),
    ],
)
def test_a_broken_structure_has_no_facts(document: bytes) -> None:
    """What is wrong with the structure the check says itself."""
    check = explained_check(document)
    assert (check.passed, check.differences) == (False, ())


def test_the_json_of_a_comparison_has_both_excerpts() -> None:
    """JSON carries everything that is shown."""
    [found] = differences(SENT.replace(b"><Code>01", b">\n<Code>01"))
    assert found.comparison is not None
    shape = found.as_dict()
    assert shape["accidents"] == ["pretty-printed"]
    assert shape["comparison"] == {
        "origin": "made again: the accident was undone, and the digest fits",
        "octet": found.comparison.octet,
        "line": 1,
        "path": "/U018",
        "expected": {"text": found.comparison.expected.text, "marked_at": 31, "marked": 0, "octets": ""},
        "found": {"text": found.comparison.found.text, "marked_at": 31, "marked": 2, "octets": "0a"},
        "expected_size": len(COMPACT),
        "found_size": len(COMPACT) + 1,
        "extent": "1 octet more than were signed",
    }


@settings(max_examples=60, deadline=None)
@given(
    position=st.integers(0, 10**6),
    junk=st.sampled_from([b"<x xmlns='relative'/>", b"\x00", b"<!-- -->", b"&#13;"]),
)
@pytest.mark.parametrize(
    "data", [SENT, MESSAGE, evidence.files()["sbdh.xml"]], ids=["SED", "message", "envelope"]
)
def test_any_damage_can_be_explained(data: bytes, position: int, junk: bytes) -> None:
    """Whatever is put in anywhere, an explanation ends without an error."""
    at = position % len(data)
    question = Question(Effort(candidates=200, octets=10**6, pairs=True), copy=SENT)
    for check in verify_file("x", data[:at] + junk + data[at:], INTEGRITY_ONLY).checks:
        assert explained(check, question).as_dict()["passed"] == check.passed


def test_content_without_canonical_form_has_no_candidates() -> None:
    """A namespace name that is relative ends an accident, not the search."""
    result = search(
        Content(b"<a xmlns='relative'/>", Scene(b"<a xmlns='relative'/>")), lambda _: False, THOROUGH
    )
    assert result.undone is None
    assert result.is_complete
