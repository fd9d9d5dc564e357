"""Why a signature value does not fit, when the digests may: scheme, key, or a SignedInfo that was changed."""

from base64 import b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from tests.helpers.as4_forgery import usual
from tests.helpers.as4_messages import keys_of
from tests.helpers.broken_seals import COMPACT, differences, explained_check, signed_info_of, with_value
from tests.helpers.keys import key_pair
from tests.helpers.seals import inserted, sealed

from eessi_sim import xmlsafe
from eessi_sim.as4 import msh
from eessi_sim.security.keys import KeyPair
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.verification.explanation import Question
from eessi_sim.verification.outcome import Difference

OTHER = key_pair(name="NO:OTHER1")
RSA = key_pair(algorithm=KeyAlgorithm.RSA_2048)


def rsa_sealed() -> bytes:
    """A SED with an RSA seal."""
    return sealed(COMPACT, KeyAlgorithm.RSA_2048)


def one(document: bytes, question: Question | None = None) -> Difference:
    """The one explanation of a broken seal."""
    [found] = differences(document, question)
    assert found.reference == "SignatureValue"
    return found


def der_value(document: bytes) -> bytes:
    """A value as most libraries make it."""
    key = key_pair().private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(signed_info_of(document), ec.ECDSA(hashes.SHA256()))


def pss_value(document: bytes) -> bytes:
    """A value with the other padding."""
    key = RSA.private_key
    assert isinstance(key, rsa.RSAPrivateKey)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return key.sign(signed_info_of(document), pss, hashes.SHA256())


def test_a_value_in_der_is_recognised() -> None:
    """ECDSA values are two numbers one after the other, not DER."""
    found = one(with_value(sealed(COMPACT), der_value(sealed(COMPACT))))
    assert found.accidents == ("signature-scheme",)
    assert "ECDSA with SHA-256, the value in DER instead of ecdsa-sha256" in found.cause


def test_another_padding_of_rsa_is_recognised() -> None:
    """RSA-PSS under the name of PKCS #1 is told."""
    found = one(with_value(rsa_sealed(), pss_value(rsa_sealed())))
    assert "RSA-PSS with SHA-256 instead of rsa-sha256" in found.cause


def test_a_key_that_somebody_gives_is_tried() -> None:
    """A certificate from the command line that made the value is named: KeyInfo holds the wrong one."""
    document = with_value(sealed(COMPACT), OTHER.sign(signed_info_of(sealed(COMPACT))))
    found = one(document, Question(certificates=(OTHER.certificate,)))
    assert found.accidents == ("wrong-certificate",)
    assert f"serial number {OTHER.certificate.serial}" in found.cause


def test_of_an_unknown_key_nothing_is_known() -> None:
    """Without the certificate of the signer both possibilities are told, and which certificates were tried."""
    found = one(with_value(sealed(COMPACT), OTHER.sign(signed_info_of(sealed(COMPACT)))))
    assert found.accidents == ()
    assert found.cause.startswith("Another key made this value, or SignedInfo was changed")
    assert "CN=NO:NAVAT07" in found.remarks[0]


def test_a_formatted_signed_info_is_recognised() -> None:
    """SignedInfo that a formatter changed is shown with its first difference."""
    document = sealed(COMPACT)
    found = one(document.replace(b"<ds:SignatureMethod", b"\n  <ds:SignatureMethod"))
    assert found.accidents == ("pretty-printed",)
    assert found.comparison is not None
    assert found.comparison.path == "/SignedInfo"


def test_a_signed_info_digested_in_its_place_is_recognised() -> None:
    """Inclusive canonical form instead of the exclusive one: the declarations around count."""
    document = inserted(COMPACT.replace(b" sedGVer", b' xmlns:xd="urn:unused" sedGVer'))
    info = xmlsafe.inclusive_c14n(next(xmlsafe.parse(document).iter("{*}SignedInfo")))
    found = one(with_value(document, key_pair().sign(info)))
    assert found.accidents == ("other-canonical-form",)
    assert "inclusive canonical form, in its place" in found.cause


def test_what_an_rsa_key_signed_is_shown() -> None:
    """An RSA value tells the digest of the SignedInfo that was signed: the key is right, the content is not."""
    found = one(rsa_sealed().replace(b'Type=""', b'Type="urn:x"'))
    assert found.accidents == ("signed-info-changed",)
    assert found.expected.endswith("(SHA-256, as the value says)")


def test_a_certificate_of_the_wrong_kind_is_named() -> None:
    """An RSA certificate cannot have made an ECDSA value."""
    forgery = usual(token=keys_of("PL:ZUS001", KeyAlgorithm.RSA_2048).certificate.der)
    [found] = explained_check(msh.to_file(forgery.packed()), name="message-signature").differences
    assert found.accidents == ("wrong-certificate",)
    assert "has an RSA key, but the SignatureMethod is ecdsa-sha256" in found.cause


def test_an_elliptic_certificate_for_an_rsa_value_is_named() -> None:
    """The other way round it is told as well."""
    keys = keys_of("PL:ZUS001", KeyAlgorithm.RSA_2048)
    forgery = usual(keys=keys, token=keys_of("PL:ZUS001").certificate.der)
    [found] = explained_check(msh.to_file(forgery.packed()), name="message-signature").differences
    assert "has an elliptic curve key, but the SignatureMethod is rsa-sha256" in found.cause


def test_a_replaced_token_is_named_when_the_right_one_is_at_hand() -> None:
    """The BinarySecurityToken of another key: the value fits the certificate that is given."""
    keys = keys_of("PL:ZUS001")
    forgery = usual(token=keys_of("DE:DVKA01").certificate.der)
    data = msh.to_file(forgery.packed())
    question = Question(certificates=(keys.certificate,))
    [found] = explained_check(data, question, "message-signature").differences
    assert found.accidents == ("wrong-certificate",)


def replaced_certificate(document: bytes, keys: KeyPair) -> bytes:
    """The document with another certificate in KeyInfo."""
    return document.replace(b64encode(key_pair().certificate.der), b64encode(keys.certificate.der))


def test_a_replaced_certificate_of_a_seal_is_told() -> None:
    """The signed properties name the certificate: one that was exchanged is found by its digest."""
    found = {each.reference: each for each in differences(replaced_certificate(sealed(COMPACT), OTHER))}
    assert found["SigningCertificate"].accidents == ("wrong-certificate",)
    assert "not at hand; KeyInfo holds" in found["SigningCertificate"].cause
    assert "KeyInfo was replaced" in found["SigningCertificate"].remarks[0]


def test_the_named_certificate_is_told_when_it_is_at_hand() -> None:
    """With the right certificate given, both are named."""
    question = Question(certificates=(key_pair().certificate,))
    found = {
        each.reference: each for each in differences(replaced_certificate(sealed(COMPACT), OTHER), question)
    }
    assert "CN=NO:NAVAT07" in found["SigningCertificate"].cause
    assert found["SignatureValue"].accidents == ("wrong-certificate",)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (key_pair().certificate.pem, "PEM text of the right certificate"),
        (b64encode(key_pair().certificate.der), "base64 text"),
        (key_pair().certificate.public_key_der, "public key"),
    ],
    ids=["pem", "base64", "public-key"],
)
def test_a_digest_of_another_form_of_the_certificate_is_told(octets: bytes, words: str) -> None:
    """Signers digest the text of a certificate instead of its octets."""
    assert words in with_cert_digest(hashes_of(octets)).cause


def test_a_certificate_digest_of_another_spelling_is_told() -> None:
    """A digest in hexadecimal is recognised here too."""
    found = with_cert_digest(key_pair().certificate.sha256.hex().encode())
    assert found.accidents == ("digest-spelling",)
    assert "the certificate itself is the right one" in found.cause


def hashes_of(octets: bytes) -> bytes:
    """SHA-256 of octets."""
    context = hashes.Hash(hashes.SHA256())
    context.update(octets)
    return context.finalize()


def with_cert_digest(value: bytes) -> Difference:
    """The explanation of the certificate of a seal that names it by another digest, and is signed like that."""
    document = sealed(COMPACT)
    right = b64encode(key_pair().certificate.sha256)
    changed = document.replace(right, b64encode(value))
    properties = [
        xmlsafe.exclusive_c14n(next(xmlsafe.parse(each).iter("{*}SignedProperties")))
        for each in (document, changed)
    ]
    old, new = (b64encode(hashes_of(each)) for each in properties)
    changed = changed.replace(old, new)
    changed = with_value(changed, key_pair().sign(signed_info_of(changed)))
    [found] = differences(changed)
    return found


def test_a_seal_that_names_no_readable_digest_is_left_to_its_own_sentence() -> None:
    """What the verification says about a broken property is all that there is to say."""
    document = sealed(COMPACT).replace(b"SigningCertificate>", b"SigningCertificateV3>")
    assert "SigningCertificate" not in {each.reference for each in differences(document)}


def test_a_message_without_certificate_gives_no_explanation_of_its_value() -> None:
    """Where no certificate can be read nothing is tried."""
    packed = usual().packed()
    body = packed.body.replace(b"</wsse:BinarySecurityToken>", b"!</wsse:BinarySecurityToken>")
    check = explained_check(msh.to_file(replace(packed, body=body)), name="message-signature")
    assert (check.passed, check.differences) == (False, ())
