"""The XML signature core: canonical writing, strict reading."""

import re
from collections.abc import Callable

import pytest
from tests.helpers.keys import certificate, key_pair, rsa_key

from eessi_sim import xmlsafe
from eessi_sim.errors import SignatureError
from eessi_sim.security.indication import SubIndication
from eessi_sim.security.keys import KeyPair
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.security.policy import (
    DEFAULT,
    LEGACY_RSA_1024,
    DigestAlgorithm,
    SignatureAlgorithm,
    SignaturePolicy,
    Transform,
)
from eessi_sim.security.xmldsig import (
    DS,
    ENVELOPED,
    EXC_C14N,
    EXCLUSIVE,
    SWA_CONTENT,
    ParsedSignature,
    Reference,
    TransformStep,
    canonical,
    digest,
    octets_of,
    parse_reference,
    parse_signature,
    render_reference,
    render_signature,
    repeated_ids,
    signed_info,
    verify_value,
)

WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
RICH = Reference(
    uri='#a"<&\n',
    transforms=(ENVELOPED, TransformStep(Transform.EXCLUSIVE_C14N, ("S12", "#default"))),
    digest_value=b"\x00" * 64,
    digest_algorithm=DigestAlgorithm.SHA512,
    id="r-1",
    type="",
)
PLAIN = Reference("cid:x", (), b"\x01" * 32)
USUAL = (
    Reference("#a", (TransformStep(Transform.EXCLUSIVE_C14N, ("S12", "#default")),), b"\x02" * 32),
    Reference("cid:x", (SWA_CONTENT,), b"\x03" * 64, DigestAlgorithm.SHA512, id="r-2", type="urn:t"),
    Reference("#b", (ENVELOPED, EXCLUSIVE), b"\x04" * 32),
)
"""Such as are read out of the canonical form."""


def signature(
    *references: Reference, keys: KeyPair | None = None, key_info: str = "<ds:KeyName>n</ds:KeyName>"
) -> str:
    keys = keys or key_pair()
    info = signed_info(references or (RICH, PLAIN), keys.signature_algorithm)
    return render_signature(info, keys.sign(info), key_info, signature_id="id-1", value_id="value-1")


def parsed(text: str) -> ParsedSignature:
    return parse_signature(xmlsafe.parse(text.encode()))


def refused(text: str) -> SignatureError:
    with pytest.raises(SignatureError) as caught:
        parsed(text)
    return caught.value


class TestWriting:
    """Text in exclusive canonical form."""

    def test_signature_is_its_own_canonical_form(self) -> None:
        """What is written needs no canonicalisation."""
        text = signature().encode()
        assert canonical(xmlsafe.parse(text)) == text

    def test_signed_info_keeps_its_octets_inside_the_signature(self) -> None:
        """The canonical form of SignedInfo in its place is exactly what was signed."""
        info = signed_info((RICH, PLAIN), SignatureAlgorithm.ECDSA_SHA256)
        document = f"<e:x xmlns:e='urn:e' xmlns:ds='{DS}'>{signature()}</e:x>"
        assert canonical(xmlsafe.parse(document.encode())[0][0]) == info

    def test_reference_with_declaration_stands_alone(self) -> None:
        """A reference copied into a receipt is canonical where it stands."""
        text = f"<r:n xmlns:r='urn:r'>{render_reference(RICH, declare=True)}</r:n>"
        element = xmlsafe.parse(text.encode())[0]
        assert canonical(element).decode() == render_reference(RICH, declare=True)

    def test_ids_are_optional(self) -> None:
        """A signature of a message has no Id attributes."""
        text = render_signature(b"<ds:SignedInfo></ds:SignedInfo>", b"v", "")
        assert "Id=" not in text

    def test_objects_stand_last(self) -> None:
        """Objects follow the KeyInfo."""
        text = render_signature(b"", b"v", "", objects="<ds:Object></ds:Object>")
        assert text.endswith("</ds:KeyInfo><ds:Object></ds:Object></ds:Signature>")

    def test_reference_over_octets_is_sha256(self) -> None:
        """The usual reference is made in one step."""
        reference = Reference.over(b"octets", "#a", EXCLUSIVE)
        assert reference == Reference("#a", (EXCLUSIVE,), digest(b"octets"))

    @pytest.mark.parametrize(("algorithm", "size"), list(zip(DigestAlgorithm, (32, 48, 64), strict=True)))
    def test_digests_have_the_length_of_their_algorithm(self, algorithm: DigestAlgorithm, size: int) -> None:
        """Each digest algorithm is the one its name says."""
        reference = Reference("", (), b"", algorithm)
        assert len(reference.digest_of(b"")) == size


class TestReading:
    """Strict structure."""

    def test_everything_written_is_read_again(self) -> None:
        """References, algorithm, ids and KeyInfo come back."""
        found = parsed(signature())
        assert found.references == (RICH, PLAIN)
        assert (found.id, found.algorithm) == ("id-1", SignatureAlgorithm.ECDSA_SHA256)
        assert found.key_info[0].text == "n"

    def test_white_space_between_elements_does_not_matter(self) -> None:
        """Indented signatures of other products are read; their own SignedInfo is what counts."""
        text = signature().replace("><ds:", ">\n  <ds:")
        assert parsed(text).references == (RICH, PLAIN)

    def test_declared_canonicalization_is_applied_with_its_prefixes(self) -> None:
        """A PrefixList on the CanonicalizationMethod brings ancestors' declarations into the signed octets."""
        text = signature().replace(
            'c14n#"></ds:CanonicalizationMethod>',
            'c14n#"><ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="e"/>'
            "</ds:CanonicalizationMethod>",
        )
        document = xmlsafe.parse(f"<e:x xmlns:e='urn:e'>{text}</e:x>".encode())
        assert b'<ds:SignedInfo xmlns:ds="' + DS.encode() + b'" xmlns:e="urn:e">' in (
            parse_signature(document[0]).signed_info
        )

    def test_reference_alone_can_be_read(self) -> None:
        """References copied into receipts are read by the same rules."""
        element = xmlsafe.parse(render_reference(RICH, declare=True).encode())
        assert parse_reference(element) == RICH

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("ds:Signature ", 'ds:Signature Mime="x" '),
            ("<ds:SignedInfo>", '<ds:SignedInfo lang="x">'),
            ("<ds:SignedInfo>", "<ds:SignedInfo>text"),
            ("</ds:SignedInfo>", "</ds:SignedInfo>text"),
            ("<ds:SignedInfo>", "<ds:SignedInfo><ds:SignedInfo></ds:SignedInfo>"),
            ("<ds:Transforms>", "<ds:Transforms Id='x'>"),
            ("<ds:DigestValue>", "<ds:DigestValue Id='x'>"),
            ("<ds:DigestValue>", "<ds:DigestValue><ds:x/>"),
            ("<ds:DigestValue>", "<ds:DigestValue>="),
            ("<ds:DigestValue>", "<ds:DigestValue>ü"),
            ('xmldsig#" Id', 'xmldsi#" Id'),
            ("</ds:SignatureMethod>", "<ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>"),
            ("</ds:DigestMethod>", "<ds:x/></ds:DigestMethod>"),
            ('enveloped-signature"></', 'enveloped-signature"><ds:x/></'),
            ("<ds:KeyInfo><ds:KeyName>n</ds:KeyName></ds:KeyInfo>", ""),
            ("</ds:KeyInfo>", "</ds:KeyInfo><ds:Object></ds:Object>"),
            ("</ds:KeyInfo>", "</ds:KeyInfo><ds:KeyInfo></ds:KeyInfo>"),
            (' URI="cid:x"', ""),
            ('PrefixList="S12 #default"', 'PrefixList="a:b"'),
            ('PrefixList="S12 #default"', ""),
            ('PrefixList="S12 #default"', 'PrefixList="' + " ".join("abcdefgh" * 9) + '"'),
            ("ec:InclusiveNamespaces", "ds:InclusiveNamespaces"),
            ("</ec:InclusiveNamespaces>", "</ec:InclusiveNamespaces><x/>"),
            ('c14n#"></ds:C', 'c14n#">text</ds:C'),
        ],
    )
    def test_other_structure_is_refused(self, old: str, new: str) -> None:
        """Anything XMLDSig or our profile does not foresee is a FORMAT_FAILURE, whichever way it is read."""
        for text in (signature(), signature(*USUAL)):
            assert old in text
            assert refused(text.replace(old, new)).verdict is SubIndication.FORMAT_FAILURE

    def test_both_ways_of_reading_find_the_same(self) -> None:
        """What is read out of the canonical form is what the tree says."""
        usual = parsed(signature(*USUAL))
        other = parsed(signature(*USUAL).replace("><ds:", ">\n<ds:"))
        assert usual.references == other.references == USUAL
        assert (usual.algorithm, usual.value) == (other.algorithm, other.value)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('Attachment-Content-Signature-Transform">', "\\g<0>{prefixes}"),
            ("<ds:SignedInfo>", '<ds:SignedInfo><x xmlns="relative"/>'),
            ("</ds:Reference></ds:SignedInfo>", "</ds:Reference><x/></ds:SignedInfo>"),
            ("I=</ds:DigestValue>", "J=</ds:DigestValue>"),
            ('<ds:Reference URI="#b">', '<ds:Reference xmlns:ds="urn:other" URI="#b">'),
        ],
    )
    def test_canonical_form_of_another_structure_is_refused(self, old: str, new: str) -> None:
        """The pattern of the canonical form lets nothing pass that the tree would not."""
        prefixes = f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="a"/>'
        text, number = re.subn(old, new.format(prefixes=prefixes), signature(*USUAL), count=1)
        assert number
        assert refused(text).verdict is SubIndication.FORMAT_FAILURE

    def test_signature_without_reference_is_refused(self) -> None:
        """A signature over nothing is none."""
        keys = key_pair()
        info = signed_info((), keys.signature_algorithm)
        assert "at least one" in refused(render_signature(info, keys.sign(info), "")).message

    def test_empty_transforms_are_refused(self) -> None:
        """ds:Transforms has at least one transform."""
        text = signature(PLAIN).replace(
            "<ds:DigestMethod", "<ds:Transforms></ds:Transforms><ds:DigestMethod", 1
        )
        assert "ds:Transform" in refused(text).message

    def test_more_references_than_the_limit_are_refused(self) -> None:
        """Ten thousand references are not even read (REF-8)."""
        error = refused(signature(*[PLAIN] * (DEFAULT.max_references + 1)))
        assert error.verdict is SubIndication.FORMAT_FAILURE

    def test_more_transforms_than_the_limit_are_refused(self) -> None:
        """A chain of transforms is no work for a receiver."""
        error = refused(signature(Reference("", (EXCLUSIVE,) * 9, b"d")))
        assert error.verdict is SubIndication.FORMAT_FAILURE

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (f"{SignatureAlgorithm.ECDSA_SHA256}", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
            (f"{DigestAlgorithm.SHA512}", "http://www.w3.org/2000/09/xmldsig#sha1"),
            (
                "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
                "http://www.w3.org/TR/1999/REC-xslt-19991116",
            ),
            ("http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
            (f"{SignatureAlgorithm.ECDSA_SHA256}", ""),
        ],
    )
    def test_algorithms_outside_the_policy_are_refused(self, old: str, new: str) -> None:
        """Weak, computing, unknown or missing algorithms are a CRYPTO_CONSTRAINTS_FAILURE (ALG-1 to ALG-4, REF-7)."""
        error = refused(signature().replace(old, new, 1))
        assert error.verdict is SubIndication.CRYPTO_CONSTRAINTS_FAILURE

    def test_objects_are_read_only_where_they_are_allowed(self) -> None:
        """A seal has one ds:Object, a message none (XSW-5)."""
        text = signature().replace("</ds:KeyInfo>", "</ds:KeyInfo><ds:Object></ds:Object>")
        assert len(parse_signature(xmlsafe.parse(text.encode()), max_objects=1).objects) == 1

    def test_relative_namespace_has_no_canonical_form(self) -> None:
        """A namespace name that is relative is refused with our own error."""
        with pytest.raises(SignatureError, match="canonical form"):
            canonical(xmlsafe.parse(b"<a xmlns:b='relative'><b:c/></a>"))


class TestBase64:
    """One spelling of octets."""

    def test_white_space_does_not_count(self) -> None:
        """Line ends that other products put into base64 are ignored."""
        assert octets_of(xmlsafe.parse(b"<v> YW\n Jj </v>")) == b"abc"

    @pytest.mark.parametrize("text", ["", " ", "YWJj=", "YW*j", "YWJjZB==", "&#252;", "YWJj<x/>"])
    def test_irregular_spelling_is_refused(self, text: str) -> None:
        """Left-over bits, wrong padding, other content and emptiness are refused with the place."""
        with pytest.raises(SignatureError, match="/here"):
            octets_of(xmlsafe.parse(f"<here>{text}</here>".encode()))


class TestValue:
    """The signature value."""

    @pytest.mark.parametrize("algorithm", KeyAlgorithm)
    def test_value_verifies_with_the_signer_only(self, algorithm: KeyAlgorithm) -> None:
        """The signer's certificate confirms the value, another one does not (KEY-2)."""
        keys = key_pair(algorithm=algorithm)
        found = parsed(signature(keys=keys))
        assert verify_value(found, keys.certificate)
        assert not verify_value(found, key_pair(algorithm=algorithm, name="Other").certificate)

    def test_changed_signed_info_does_not_verify(self) -> None:
        """One changed character in SignedInfo breaks the value."""
        found = parsed(signature().replace("cid:x", "cid:y"))
        assert not verify_value(found, key_pair().certificate)

    @pytest.mark.parametrize(("policy", "accepts"), [(DEFAULT, False), (LEGACY_RSA_1024, True)])
    def test_short_rsa_key_needs_the_legacy_policy(self, policy: SignaturePolicy, accepts: bool) -> None:
        """RSA with 1024 bits is refused by default and readable on request (ALG-5)."""
        keys = KeyPair(rsa_key(1024), certificate(rsa_key(1024)))
        found = parse_signature(xmlsafe.parse(signature(keys=keys).encode()), policy)
        check: Callable[[], bool] = lambda: verify_value(found, keys.certificate)  # noqa: E731
        if accepts:
            assert check()
        else:
            with pytest.raises(SignatureError, match="2048 bits"):
                check()


class TestIds:
    """Ids that two elements claim."""

    @pytest.mark.parametrize(
        "document",
        [
            "<a Id='x'><b Id='x'/></a>",
            "<a Id='x'><b ID='x'/></a>",
            "<a xml:id='x'><b Id='x'/></a>",
            f"<a><b xmlns:u='{WSU}' u:Id='x'/><c Id='x'/></a>",
            "<a Id='x' ID='x'/>",
        ],
    )
    def test_repeated_id_is_found(self, document: str) -> None:
        """The same id in any of the id attributes is found (ID-1)."""
        assert repeated_ids(xmlsafe.parse(document.encode())) == ("x",)

    def test_other_attributes_may_repeat(self) -> None:
        """Business attributes are no ids."""
        assert repeated_ids(xmlsafe.parse(b"<a Id='x' id='y'><b href='x' id='y'/></a>")) == ()


def test_swa_content_is_the_transform_of_attachments() -> None:
    """The step for SOAP attachments carries the URI of the SwA profile."""
    assert SWA_CONTENT.transform.endswith("#Attachment-Content-Signature-Transform")
