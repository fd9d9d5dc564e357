"""WS-Security: what is signed verifies, and what verifies is what will be processed."""

from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from tests.helpers.as4_forgery import forged, usual
from tests.helpers.as4_messages import (
    MESSAGE_ID,
    NOW,
    SENDER,
    authority,
    edited,
    fault_of_verifying,
    keys_of,
    packed_message,
    sed_payload,
    stamp,
    trust,
    unpacked,
    unsigned_message,
    verified,
)

from eessi_sim.as4 import mime, msh, vocabulary
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.limits import DEFAULT_LIMITS
from eessi_sim.as4.model import Payload
from eessi_sim.conformance.forgery import Forgery
from eessi_sim.security import xmldsig
from eessi_sim.security.keys import Certificate, Purpose
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm
from eessi_sim.security.policy import DEFAULT
from eessi_sim.security.result import VerificationResult
from eessi_sim.security.trust import TrustStore
from eessi_sim.security.xmldsig import Reference

KEYS = keys_of(SENDER.id)
USUAL = usual().usual_references()
MESSAGING, BODY, SED, ATTACHMENT = USUAL
DS = vocabulary.DS
C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
SIGNED = usual().messaging
HIDDEN = SIGNED.replace("NO:NAVAT07", "DE:EVIL01").replace("ebms-1", "ebms-2")
KEY_REFERENCE = "<wsse:SecurityTokenReference>{}</wsse:SecurityTokenReference>"


def _plain(content_type: str, content: bytes) -> Payload:
    return Payload("part@pl.example", content, content_type)


# What must pass


def test_part_that_was_taken_away_is_not_compared() -> None:
    """With a part withheld the rest of the signature is verified, and what was signed is still told."""
    message = unpacked(packed_message((sed_payload(),)))
    bare = msh.unpack_soap(mime.read(message.content_type, message.body, DEFAULT_LIMITS).root.content)
    gone = [message.parts[0].content_id]
    result = msh.verify(bare, candidates=None, trust=trust(), at=NOW, withheld=gone)
    assert result.references == verified(message).references
    assert [each.uri for each in result.result.references] == [each.uri for each in result.references[:2]]


def test_part_that_was_taken_away_must_have_been_signed() -> None:
    """A part without reference is refused, whether it is there or not."""
    message = unpacked(packed_message())
    with pytest.raises(EbmsFault, match="Expected part 'cid:other@no"):
        msh.verify(message, candidates=None, trust=trust(), at=NOW, withheld=["other@no.example"])


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_our_message_verifies(algorithm: KeyAlgorithm) -> None:
    """A message that we signed verifies, with RSA and with an elliptic curve."""
    keys = keys_of(SENDER.id, algorithm)
    message = unpacked(packed_message(keys=keys))
    found = verified(message, keys.certificate, by=trust(algorithm))
    assert (found.result.is_valid, found.certificate) == (True, keys.certificate)


def test_verified_references_are_those_that_were_signed() -> None:
    """The references for the receipt are the ones that the sender keeps."""
    packed = packed_message()
    assert verified(unpacked(packed)).references == packed.digests


def test_message_without_payload_verifies() -> None:
    """Messaging and Body alone can be signed, in a simple SOAP message."""
    assert len(verified(unpacked(packed_message([]))).references) == 2


def test_message_put_together_by_hand_verifies() -> None:
    """The forgeries below are right but for what each of them names."""
    assert verified(forged()).result.is_valid


@pytest.mark.parametrize(
    "content_type", ["application/xml", "text/xml; charset=utf-8", "image/svg+xml", "application/x.y+xml"]
)
def test_xml_part_is_digested_in_canonical_form(content_type: str) -> None:
    """E-16: an XML part may be written differently on its way; its canonical form counts (WSS SwA 5.4.2)."""
    packed = packed_message([_plain(content_type, b"<a  b='1'/>")])
    other = replace(packed, body=packed.body.replace(b"<a  b='1'/>", b'<a b="1"></a>'))
    assert verified(unpacked(other)).result.is_valid


def test_other_parts_are_digested_octet_by_octet() -> None:
    """Whatever is not XML is signed as it is."""
    packed = packed_message([_plain("application/octet-stream", b"<a  b='1'/>")])
    other = replace(packed, body=packed.body.replace(b"<a  b='1'/>", b'<a b="1"></a>'))
    assert fault_of_verifying(unpacked(other)).error_code.code == "EBMS:0101"


@pytest.mark.parametrize("digested", [b"a\r\nb\r\n", b"a\nb\n"])
def test_text_part_is_accepted_in_both_readings(digested: bytes) -> None:
    """Text parts are digested with CRLF by the standard and as they are by products: both verify."""
    payload = _plain("text/plain", b"a\nb\n")
    base = usual(payloads=(payload,))
    text = Reference.over(digested, "cid:part@pl.example", xmldsig.SWA_CONTENT)
    forgery = replace(base, references=(*base.usual_references()[:2], text))
    assert verified(unpacked(forgery.packed())).result.is_valid


def test_certificate_may_come_with_its_path() -> None:
    """KEY-4: a token with the path from the authority to the signer means the signer, as Java products send it."""
    packed = packed_message()
    signer = keys_of(SENDER.id).certificate.der
    content = authority().certificate.der + signer
    path = b64encode(b"\x30\x82" + len(content).to_bytes(2) + content)
    body = packed.body.replace(b64encode(signer), path).replace(b"#X509v3", b"#X509PKIPathv1")
    assert verified(unpacked(replace(packed, body=body))).certificate == keys_of(SENDER.id).certificate


def test_text_part_is_signed_as_the_standard_wants() -> None:
    """We digest text with CRLF, as Java products do; they refuse the digest of the octets as they are."""
    digests = packed_message([_plain("text/plain", b"a\nb\r")]).digests
    wanted = Reference.over(b"a\r\nb\r\n", "cid:part@pl.example", xmldsig.SWA_CONTENT)
    assert digests[-1].digest_value == wanted.digest_value


def test_header_block_may_be_signed_too() -> None:
    """A further signed header block does no harm as long as it is whole (observed)."""
    block = f'<wsa:To xmlns:wsa="{vocabulary.WSA}" xmlns:wsu="{vocabulary.WSU}" wsu:Id="to-1">urn:x</wsa:To>'
    extra = Reference.over(block.encode(), "#to-1", xmldsig.EXCLUSIVE)
    assert len(verified(forged(blocks=block, references=(*USUAL, extra))).references) == 5


def test_altered_header_block_that_was_signed_is_refused() -> None:
    """A further reference must be right as well."""
    block = f'<wsa:To xmlns:wsa="{vocabulary.WSA}" xmlns:wsu="{vocabulary.WSU}" wsu:Id="to-1">urn:x</wsa:To>'
    extra = Reference.over(b"other", "#to-1", xmldsig.EXCLUSIVE)
    fault = fault_of_verifying(forged(blocks=block, references=(*USUAL, extra)))
    assert fault.error_code.code == "EBMS:0101"


def test_prefix_list_is_honoured() -> None:
    """REF-9: InclusiveNamespaces with a correct list is part of the canonical form."""
    step = xmldsig.TransformStep(xmldsig.EXCLUSIVE.transform, ("S12",))
    listed = replace(BODY, transforms=(step,))
    assert verified(forged(references=(MESSAGING, listed, SED, ATTACHMENT))).result.is_valid


def test_prefix_list_that_changes_the_octets_is_refused() -> None:
    """REF-9: with another list the digest decides."""
    block = f'xmlns:S12="{vocabulary.S12}"'
    step = xmldsig.TransformStep(xmldsig.EXCLUSIVE.transform, ("evil",))
    listed = replace(BODY, transforms=(step,))
    fault = fault_of_verifying(
        forged(
            references=(MESSAGING, listed, SED, ATTACHMENT),
            edits=((f"<S12:Envelope {block}", f'<S12:Envelope {block} xmlns:evil="urn:evil"'),),
        )
    )
    assert fault.error_code.code == "EBMS:0101"


def test_order_of_headers_does_not_matter() -> None:
    """E-24: Security may come last."""
    security = usual().security()
    message = forged(edits=((security, ""), ("</S12:Header>", security + "</S12:Header>")))
    assert verified(message).result.is_valid


def test_white_space_in_key_info_does_not_matter() -> None:
    """Products indent what is not signed."""
    assert verified(forged(key_info="\n  " + usual().key_info + "\n")).result.is_valid


# Signature wrapping, references


def _wrapped(inner: str) -> str:
    return f'<w:W xmlns:w="urn:w" xmlns:S12="{vocabulary.S12}">{inner}</w:W>'


XSW_ROWS = [
    ("XSW-1", {"edits": ((SIGNED, HIDDEN + _wrapped(SIGNED)),)}, "EBMS:0101"),
    ("XSW-2", {"edits": ((SIGNED, _wrapped(SIGNED) + HIDDEN),)}, "EBMS:0101"),
    ("XSW-4", {"edits": ((SIGNED, HIDDEN.replace("</eb:Messaging>", _wrapped(SIGNED) + "</eb:Messaging>")),)}, "EBMS:0101"),
    ("XSW-5", {"objects": f"<ds:Object>{SIGNED}</ds:Object>", "edits": ((f"</wsse:Security>{SIGNED}", f"</wsse:Security>{HIDDEN}"),)}, "EBMS:0101"),
    ("XSW-6", {"objects": _wrapped(SIGNED), "edits": ((f"</wsse:Security>{SIGNED}", f"</wsse:Security>{HIDDEN}"),)}, "EBMS:0101"),
    ("XSW-8", {"objects": "<ds:Object/>"}, "EBMS:0101"),
    ("XSW-9", {"edits": ((usual().body, usual().body.replace("body-1", "body-2")), ("</S12:Header>", usual().body + "</S12:Header>"))}, "EBMS:0101"),
    ("ID-2", {"edits": ((' wsu:Id="ebms-1"', ""), ("<eb:UserMessage", '<eb:UserMessage Id="ebms-1"'))}, "EBMS:0101"),
    ("REF-1", {"references": (BODY, SED, ATTACHMENT)}, "EBMS:0103"),
    ("REF-2", {"references": (MESSAGING, SED, ATTACHMENT)}, "EBMS:0103"),
    ("REF-3", {"references": (MESSAGING, BODY, SED)}, "EBMS:0103"),
    ("HB-01", {"references": (MESSAGING, BODY, ATTACHMENT)}, "EBMS:0103"),
    ("REF-4", {"references": (*USUAL, replace(SED, uri="cid:other@pl.example"))}, "EBMS:0101"),
    ("REF-5", {"references": (*USUAL, replace(SED, uri="http://example.org/x"))}, "EBMS:0101"),
    ("REF-5", {"references": (*USUAL, replace(SED, uri="file:///etc/passwd"))}, "EBMS:0101"),
    ("REF-6", {"references": (*USUAL, replace(BODY, uri=""))}, "EBMS:0103"),
    ("REF-6", {"signed_edits": ((' URI="#body-1"', ""),)}, "EBMS:0103"),
    ("REF-7", {"signed_edits": ((f'<ds:Transform Algorithm="{C14N}">', '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116">'),)}, "EBMS:0103"),
    ("REF-7", {"signed_edits": ((f'<ds:Transform Algorithm="{C14N}">', f'<ds:Transform Algorithm="{DS}enveloped-signature">'),)}, "EBMS:0103"),
    ("REF-7", {"references": (replace(MESSAGING, transforms=()), BODY, SED, ATTACHMENT)}, "EBMS:0103"),
    ("REF-7", {"references": (replace(MESSAGING, transforms=(xmldsig.EXCLUSIVE,) * 2), BODY, SED, ATTACHMENT)}, "EBMS:0103"),
    ("REF-8", {"references": USUAL * 17}, "EBMS:0009"),
    ("REF-10", {"references": (replace(MESSAGING, transforms=(xmldsig.SWA_CONTENT,)), BODY, SED, ATTACHMENT)}, "EBMS:0103"),
    ("REF-10", {"references": (MESSAGING, BODY, replace(SED, transforms=(xmldsig.EXCLUSIVE,)), ATTACHMENT)}, "EBMS:0103"),
    ("twice", {"references": (*USUAL, SED)}, "EBMS:0103"),
    ("SEC-2", {"in_security": "<ds:Signature xmlns:ds='" + DS + "'/>"}, "EBMS:0103"),
    ("SEC-4", {"security_attributes": ' S12:role="urn:else"'}, "EBMS:0103"),
    ("ALG-14", {"in_security": f'<x:EncryptedKey xmlns:x="{vocabulary.XENC}"/>'}, "EBMS:0103"),
    ("ALG-1", {"signed_edits": ((ECDSA, DS + "rsa-sha1"),)}, "EBMS:0103"),
    ("ALG-1", {"signed_edits": ((SHA256, DS + "sha1"),)}, "EBMS:0103"),
    ("ALG-2", {"signed_edits": ((ECDSA, "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"),)}, "EBMS:0103"),
    ("ALG-3", {"signed_edits": ((ECDSA, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),)}, "EBMS:0103"),
    ("ALG-4", {"signed_edits": ((ECDSA, ""),)}, "EBMS:0103"),
    ("ALG-4", {"signed_edits": ((ECDSA, "none"),)}, "EBMS:0103"),
    ("P4-10", {"signed_edits": ((SHA256, "http://www.w3.org/2001/04/xmlenc#ripemd160"),)}, "EBMS:0103"),
    ("P4-10", {"signed_edits": ((f'<ds:CanonicalizationMethod Algorithm="{C14N}">', '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315">'),)}, "EBMS:0103"),
    ("structure", {"edits": (("<ds:SignatureValue>", "<ds:SignatureValue>*"),)}, "EBMS:0101"),
    ("structure", {"edits": (("<ds:KeyInfo>", "<ds:Other/><ds:KeyInfo>"),)}, "EBMS:0101"),
    ("ALG-5", {"edits": (("<ds:SignatureValue>", "<ds:SignatureValue>AAAA"),)}, "EBMS:0101"),
    ("KEY-1", {"key_info": "<ds:KeyName>PL:ZUS001</ds:KeyName>"}, "EBMS:0103"),
    ("KEY-1", {"key_info": "<ds:KeyValue/>"}, "EBMS:0103"),
    ("KEY-1", {"key_info": '<ds:RetrievalMethod URI="http://example.org/key"/>'}, "EBMS:0103"),
    ("KEY-1", {"key_info": KEY_REFERENCE.format("<wsse:Embedded/>")}, "EBMS:0103"),
    ("KEY-1", {"key_info": KEY_REFERENCE.format("")}, "EBMS:0103"),
    ("KEY-1", {"key_info": KEY_REFERENCE.format("<wsse:KeyIdentifier>AAAA</wsse:KeyIdentifier>")}, "EBMS:0103"),
    ("KEY-2", {"token": keys_of("DE:OTHER1").certificate.der}, "EBMS:0101"),
    ("KEY-3", {"key_info": usual().key_info.replace("#cert-1", "#cert-2")}, "EBMS:0101"),
    ("KEY-3", {"key_info": usual().key_info.replace('URI="#cert-1" ', "")}, "EBMS:0101"),
    ("KEY-4", {"edits": (("#X509v3", "#X509PKIPathv1"),)}, "EBMS:0103"),
    ("KEY-4", {"edits": (("#Base64Binary", "#HexBinary"),)}, "EBMS:0103"),
    ("CRT-11", {"token": b"\x30\x03\x02\x01\x01"}, "EBMS:0101"),
    ("CRT-11", {"token": KEYS.certificate.der + b"\0"}, "EBMS:0101"),
    ("CRT-11", {"token": bytes(1024 * 1024 // 2)}, "EBMS:0101"),
    ("CRT-11", {"token": b""}, "EBMS:0101"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "changes", "code"), XSW_ROWS)
def test_forged_signature_is_refused(row: str, changes: dict[str, object], code: str) -> None:
    """A message that is right but for one trick is refused with the code of its row."""
    fault = fault_of_verifying(forged(**changes))
    assert fault.error_code.code == code, row
    assert fault.ref == MESSAGE_ID
    assert isinstance(fault.verdict, VerificationResult)


@pytest.mark.parametrize(
    "edits",
    [
        ((SIGNED, HIDDEN + SIGNED),),
        ((SIGNED, HIDDEN.replace("ebms-2", "ebms-1") + _wrapped(SIGNED)),),
    ],
)
def test_doubled_header_is_refused_before_any_signature(edits: tuple[tuple[str, str], ...]) -> None:
    """XSW-3, XSW-7: a second eb:Messaging, or a second element with its id, is an invalid header already."""
    fault = _unpack_fault(usual(edits=edits))
    assert fault == "EBMS:0009"


def _unpack_fault(forgery: Forgery) -> str:
    with pytest.raises(EbmsFault) as caught:
        unpacked(forgery.packed())
    return caught.value.error_code.code


TAMPERED_ROWS = [
    ("RI-3", ((f' S12:role="{vocabulary.NEXT_MSH}"', ""),)),
    ("P4-05", (("application/pdf", "application/pdg"),)),
    ("header", (("NO:NAVAT07", "NO:NAVAT08"),)),
    ("time", (("08:15:01.000Z", "08:15:02.000Z"),)),
]


@pytest.mark.parametrize(("row", "edits"), TAMPERED_ROWS)
def test_change_after_signing_is_found(row: str, edits: tuple[tuple[str, str], ...]) -> None:
    """Whatever of the signed header is changed on the way, the digest says so."""
    fault = fault_of_verifying(unpacked(edited(packed_message(), *edits)))
    assert fault.error_code.code == "EBMS:0101", row


def test_changed_payload_is_found() -> None:
    """P4-05, 8.4.5: a payload changed after signing is refused."""
    packed = packed_message([_plain("application/octet-stream", b"original")])
    fault = fault_of_verifying(unpacked(edited(packed, ("original", "0riginal"))))
    assert fault.error_code.code == "EBMS:0101"


def test_changed_media_type_changes_what_is_digested() -> None:
    """MI-20: XML that becomes opaque on the way has another digest."""
    packed = packed_message([_plain("application/xml", b"<a  b='1'/>")])
    fault = fault_of_verifying(unpacked(edited(packed, ("application/xml", "application/octet-stream"))))
    assert fault.error_code.code == "EBMS:0101"


@pytest.mark.parametrize("content", [b"not xml", b"<!DOCTYPE a><a/>", b'<a xmlns:b="c"><b:d/></a>'])
def test_xml_part_without_canonical_form_is_refused(content: bytes) -> None:
    """A part that says XML and has no canonical form cannot have the signed digest."""
    fault = fault_of_verifying(forged(payloads=(_plain("application/xml", content),)))
    assert fault.error_code.code == "EBMS:0101"


def test_unsigned_message_is_refused() -> None:
    """SEC-3: a message without Security header does not follow the policy."""
    assert fault_of_verifying(unpacked(unsigned_message())).error_code.code == "EBMS:0103"


def test_failed_verification_shows_what_was_digested() -> None:
    """The verdict of a refusal keeps the octets, so that the difference can be explained."""
    packed = packed_message([_plain("application/octet-stream", b"original")])
    verdict = fault_of_verifying(unpacked(edited(packed, ("original", "0riginal")))).verdict
    assert isinstance(verdict, VerificationResult)
    assert [result.ok for result in verdict.references] == [True, True, False]
    assert verdict.references[2].canonical == b"0riginal"


# KeyInfo by issuer and serial, or by key identifier


def _issuer_serial(serial: int) -> str:
    return KEY_REFERENCE.format(
        "<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=Test CA</ds:X509IssuerName>"
        f"<ds:X509SerialNumber>{serial}</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>"
    )


def _key_identifier(octets: str) -> str:
    return KEY_REFERENCE.format(
        f'<wsse:KeyIdentifier ValueType="{vocabulary.X509_SKI}">{octets}</wsse:KeyIdentifier>'
    )


def _own_key_identifier() -> str:
    extension = KEYS.certificate.decoded.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return b64encode(extension.value.digest).decode()


@pytest.mark.parametrize(
    "key_info", [_issuer_serial(KEYS.certificate.serial), _key_identifier(_own_key_identifier())]
)
def test_certificate_may_be_named_instead_of_sent(key_info: str) -> None:
    """8.1.1: issuer and serial, or a key identifier, find the certificate among those listed for the sender."""
    message = forged(key_info=key_info)
    found = verified(message, keys_of("DE:OTHER1").certificate, KEYS.certificate)
    assert found.certificate == KEYS.certificate


@pytest.mark.parametrize(
    "key_info",
    [
        _issuer_serial(1),
        _key_identifier("AAAA"),
        _key_identifier("*"),
        KEY_REFERENCE.format("<ds:X509Data/>"),
    ],
)
def test_certificate_that_nobody_listed_is_not_found(key_info: str) -> None:
    """A name that fits none of the listed certificates is refused."""
    assert fault_of_verifying(forged(key_info=key_info)).error_code.code == "EBMS:0101"


def test_certificate_without_key_identifier_is_passed_over() -> None:
    """A listed certificate that has no key identifier fits none."""
    anonymous = _self_signed_without_identifier()
    message = forged(key_info=_key_identifier(_own_key_identifier()))
    assert verified(message, anonymous, KEYS.certificate).result.is_valid


def _self_signed_without_identifier() -> Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateBuilder(
        name, name, KEYS.private_key.public_key(), 1, NOW - timedelta(days=1), NOW + timedelta(days=1)
    )
    certificate = builder.sign(KEYS.private_key, hashes.SHA256())
    return Certificate.from_der(certificate.public_bytes(Encoding.DER))


# The certificate


def test_foreign_authority_is_refused() -> None:
    """CRT-1: a certificate of an authority that we do not trust is refused."""
    stranger = CertificateAuthority.create("Other CA", NOW, KeyAlgorithm.P_256)
    fault = fault_of_verifying(unpacked(packed_message()), by=TrustStore.of([stranger.certificate]))
    assert fault.error_code.code == "EBMS:0101"


def test_certificate_that_is_not_listed_is_refused() -> None:
    """CRT-2, CRT-3, E-09: a trusted certificate that is not listed for the sender is refused."""
    fault = fault_of_verifying(unpacked(packed_message()), keys_of("DE:OTHER1").certificate)
    assert fault.error_code.code == "EBMS:0101"


def test_certificate_of_equal_name_is_refused() -> None:
    """CRT-10: the whole certificate is compared, not its name."""
    twin = authority().issue(SENDER.id, Purpose.EBMS, country="PL", now=NOW - timedelta(days=1))
    fault = fault_of_verifying(unpacked(packed_message(keys=twin)))
    assert fault.error_code.code == "EBMS:0101"


def test_tls_certificate_is_refused() -> None:
    """CRT-4, CRT-9: a certificate made for TLS does not sign messages."""
    keys = keys_of(SENDER.id, purpose=Purpose.TLS)
    fault = fault_of_verifying(unpacked(packed_message(keys=keys)), keys.certificate)
    assert fault.error_code.code == "EBMS:0101"


@pytest.mark.parametrize("days", [-30, 4000])
def test_certificate_out_of_its_time_is_refused(days: int) -> None:
    """CRT-5, CRT-6: a certificate that is expired or not yet valid is refused."""
    fault = fault_of_verifying(unpacked(packed_message()), at=NOW + timedelta(days=days))
    assert fault.error_code.code == "EBMS:0101"


def test_revoked_certificate_is_refused() -> None:
    """CRT-7: a revoked certificate is refused."""
    issuer = CertificateAuthority.create("Revoking CA", NOW - timedelta(days=9), KeyAlgorithm.P_256)
    keys = issuer.issue(SENDER.id, Purpose.EBMS, country="PL", now=NOW - timedelta(days=1))
    issuer.revoke(keys.certificate, NOW - timedelta(hours=1))
    store = TrustStore.of([issuer.certificate], [issuer.crl(NOW - timedelta(minutes=1))])
    fault = fault_of_verifying(unpacked(packed_message(keys=keys)), keys.certificate, by=store)
    assert fault.error_code.code == "EBMS:0101"


def test_short_key_is_refused() -> None:
    """ALG-5: a key below the length of the policy is refused."""
    with pytest.raises(EbmsFault) as caught:
        msh.verify(
            unpacked(packed_message()),
            candidates=[KEYS.certificate],
            trust=trust(),
            at=NOW,
            policy=replace(DEFAULT, min_ec_bits=384),
        )
    assert caught.value.error_code.code == "EBMS:0101"


def test_refusals_of_security_look_alike_on_the_wire() -> None:
    """One generic description per code: the wire does not tell a wrong digest from a wrong certificate."""
    digest = fault_of_verifying(unpacked(edited(packed_message(), ("NO:NAVAT07", "NO:NAVAT08"))))
    listing = fault_of_verifying(unpacked(packed_message()), keys_of("DE:OTHER1").certificate)
    assert digest.description == listing.description
    assert digest.message != listing.message


# References without verification


def test_references_can_be_read_without_verifying() -> None:
    """The sender reads what its stored message signed, to compare it with a receipt."""
    packed = packed_message()
    assert msh.signed_references(unpacked(packed)) == packed.digests


def test_unsigned_message_has_no_references() -> None:
    """A message without signature has nothing to repeat in a receipt."""
    assert msh.signed_references(unpacked(unsigned_message())) == ()


def test_receipt_of_a_receipt_names_the_signal() -> None:
    """A signal is verified like a user message."""
    message = unpacked(packed_message([sed_payload()]))
    receipt = unpacked(msh.pack_receipt(message, keys_of("NO:NAVAT07"), stamp=stamp()))
    assert verified(receipt, keys_of("NO:NAVAT07").certificate).result.is_valid
