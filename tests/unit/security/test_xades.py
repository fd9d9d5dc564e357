"""The seal in a SED: made, verified, refused."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha512

import pytest
from tests.helpers.keys import NOW, authority, key_pair, trust
from tests.helpers.seals import DS, SED, TOKEN, XADES, inserted, sealed, sealed_again

from eessi_sim import xmlsafe
from eessi_sim.errors import SignatureError
from eessi_sim.security.keys import Purpose
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.security.policy import DEFAULT, DigestAlgorithm, SignaturePolicy
from eessi_sim.security.result import Indication, SubIndication, VerificationResult
from eessi_sim.security.xades import sign, verify

BODY = xmlsafe.exclusive_c14n(xmlsafe.parse(SED))
EXC_STEP = '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform>'
ENVELOPED_STEP = (
    '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>'
)
TRUSTED = trust()


def check(document: bytes | xmlsafe.Element, policy: SignaturePolicy = DEFAULT) -> VerificationResult:
    root = xmlsafe.parse(document) if isinstance(document, bytes) else document
    return verify(root, trust=TRUSTED, expected=[key_pair().certificate], at=NOW, policy=policy)


def edited(old: str, new: str, document: bytes | None = None) -> bytes:
    text = (document or sealed()).decode()
    assert old in text
    return text.replace(old, new).encode()


def odd(old: str, new: str) -> bytes:
    """An edited seal that is signed again, so that only its form is odd."""
    return sealed_again(edited(old, new))


class TestSigning:
    """What a seal looks like."""

    @pytest.mark.parametrize("algorithm", KeyAlgorithm)
    def test_sealed_sed_is_its_own_canonical_form(self, algorithm: KeyAlgorithm) -> None:
        """The output can be digested, stored and sent as it is."""
        document = sealed(algorithm=algorithm)
        assert xmlsafe.exclusive_c14n(xmlsafe.parse(document)) == document

    def test_signing_leaves_the_element_as_it_is(self) -> None:
        """The tree handed in is not changed."""
        root = xmlsafe.parse(SED)
        sign(root, key_pair(), signing_time=NOW, token=TOKEN)
        assert xmlsafe.exclusive_c14n(root) == BODY

    def test_same_input_gives_the_same_octets(self) -> None:
        """A seeded run repeats itself."""
        assert sealed() == sealed()

    def test_ids_follow_the_pattern_of_the_public_sample(self) -> None:
        """One token names the signature, its value and its properties."""
        ids = xmlsafe.parse(sealed()).xpath("//@Id")
        assert ids == [f"id-{TOKEN}", "r-id-1", f"value-id-{TOKEN}", f"xades-id-{TOKEN}"]

    def test_signing_time_is_utc_with_whole_seconds(self) -> None:
        """A time in another zone is written as UTC."""
        time = datetime(2026, 3, 2, 9, 30, 1, 999, tzinfo=timezone(timedelta(hours=1)))
        document = sign(xmlsafe.parse(SED), key_pair(), signing_time=time, token=TOKEN)
        assert b"<xades:SigningTime>2026-03-02T08:30:01Z</xades:SigningTime>" in document

    def test_issuer_is_written_most_specific_part_first(self) -> None:
        """The issuer name follows RFC 2253, as the public sample has it."""
        name = next(xmlsafe.parse(sealed()).iter(f"{DS}X509IssuerName"))
        assert name.text == "CN=Test Authority,O=EESSI simulator,C=EU"

    def test_second_seal_is_refused(self) -> None:
        """A SED that has a signature is not signed again."""
        with pytest.raises(SignatureError, match="unsigned"):
            sealed(sealed())

    @pytest.mark.parametrize("token", ["", "x" * 32, TOKEN.upper(), TOKEN + "0"])
    def test_token_has_32_hexadecimal_digits(self, token: str) -> None:
        """Anything else could break out of the attribute it stands in."""
        with pytest.raises(SignatureError, match="token"):
            sealed(token=token)


class TestAccepted:
    """Seals that verify."""

    @pytest.mark.parametrize("algorithm", KeyAlgorithm)
    def test_own_seal_verifies(self, algorithm: KeyAlgorithm) -> None:
        """What we sign we accept, for both kinds of keys."""
        keys = key_pair(algorithm=algorithm)
        root = xmlsafe.parse(sealed(algorithm=algorithm))
        result = verify(root, trust=trust(algorithm), expected=None, at=NOW)
        assert (result.indication, result.sub_indication) == (Indication.TOTAL_PASSED, None)
        assert result.certificate == keys.certificate

    def test_result_carries_exactly_what_was_signed(self) -> None:
        """The caller goes on with the canonical SED without its signature."""
        assert check(sealed()).signed_bytes == BODY

    def test_result_carries_time_and_references(self) -> None:
        """Claimed time and both references are shown."""
        result = check(sealed())
        assert result.signing_time == NOW
        assert [reference.ok for reference in result.references] == [True, True]

    def test_verifying_leaves_the_element_as_it_is(self) -> None:
        """Afterwards the signature stands where it stood, also with text after it."""
        root = xmlsafe.parse(edited("</ds:Signature>", "</ds:Signature>\n  tail"))
        before = xmlsafe.serialize(root)
        check(root)
        assert xmlsafe.serialize(root) == before

    def test_envelope_does_not_matter(self) -> None:
        """A seal verifies inside an envelope with namespaces of its own."""
        text = sealed().decode()
        envelope = f'<s:E xmlns:s="urn:s" xmlns:xd="urn:other"><s:H/>{text}</s:E>'
        assert check(xmlsafe.parse(envelope.encode())[1]).is_valid

    def test_white_space_in_the_markup_does_not_matter(self) -> None:
        """Canonical form hides how attributes and empty elements are written."""
        assert check(edited("<Empty></Empty>", "<Empty  />")).signed_bytes == BODY

    def test_indented_signature_after_a_text_verifies(self) -> None:
        """Text around the signature belongs to the document and is digested there."""
        document = sealed_again(edited("</ds:Signature>", "</ds:Signature>\n   "))
        assert check(document).signed_bytes == BODY.replace(b"</u:U018>", b"\n   </u:U018>")

    def test_signature_as_only_child_verifies(self) -> None:
        """A root without any other element can be sealed too."""
        sed = b"<a:X xmlns:a='urn:a'>text</a:X>"
        assert check(
            sealed_again(edited("</ds:Signature>", "</ds:Signature> tail", sealed(sed)))
        ).signed_bytes == (b'<a:X xmlns:a="urn:a">text tail</a:X>')

    @pytest.mark.parametrize("declaration", ["", ' xmlns:xd="urn:other" xmlns:s="urn:s"'])
    @pytest.mark.parametrize(
        "sed", [SED, b"<U1 xmlns='urn:u' xmlns:q='urn:q'><a xmlns='' xmlns:z='urn:z'/></U1>"]
    )
    def test_implicit_inclusive_form_verifies_on_its_own_and_in_an_envelope(
        self, sed: bytes, declaration: str
    ) -> None:
        """Without explicit canonicalization the SED is digested in inclusive form, as a document of its own."""
        document = sealed_again(edited(ENVELOPED_STEP + EXC_STEP, ENVELOPED_STEP, inserted(sed)))
        inner = document.decode().split("?>")[1]
        result = check(xmlsafe.parse(f"<e:E xmlns:e='urn:e'{declaration}>{inner}</e:E>".encode())[0])
        assert result.signed_bytes == xmlsafe.inclusive_c14n(xmlsafe.parse(sed))

    def test_prefix_list_of_the_document_is_honoured(self) -> None:
        """Listed prefixes are part of the signed octets."""
        step = EXC_STEP.replace(
            "></ds:Transform>",
            '><ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xd"/>'
            "</ds:Transform>",
        )
        document = sealed_again(edited(ENVELOPED_STEP + EXC_STEP, ENVELOPED_STEP + step, inserted()))
        assert b'xmlns:xd="urn:unused"' in (check(document).signed_bytes or b"")

    def test_second_version_of_the_certificate_property_is_read(self) -> None:
        """Products of today write SigningCertificateV2 without issuer and serial number."""
        text = sealed().decode()
        start, end = text.index("<xades:IssuerSerial>"), text.index("</xades:Cert>")
        text = text[:start] + text[end:]
        document = sealed_again(text.replace("SigningCertificate>", "SigningCertificateV2>").encode())
        assert check(document).is_valid

    def test_certificate_may_be_named_by_another_digest(self) -> None:
        """Any digest that the policy allows names the certificate."""
        certificate = key_pair().certificate
        old = b64encode(certificate.sha256).decode()
        new = b64encode(sha512(certificate.der).digest()).decode()
        text = edited(old, new).decode()
        at = text.index("<xades:CertDigest>")
        text = text[:at] + text[at:].replace(DigestAlgorithm.SHA256, DigestAlgorithm.SHA512, 1)
        assert check(sealed_again(text.encode())).is_valid

    def test_chain_in_key_info_is_searched_for_the_signer(self) -> None:
        """The certificate that the properties name counts, wherever it stands in the list."""
        above = b64encode(authority().certificate.der).decode()
        chain = f"<ds:X509Data><ds:X509Certificate>{above}</ds:X509Certificate>"
        assert check(edited("<ds:X509Data>", chain)).certificate == key_pair().certificate

    def test_time_without_zone_is_taken_as_utc(self) -> None:
        """xs:dateTime may lack a zone."""
        assert check(odd("08:00:00Z<", "08:00:00<")).signing_time == NOW

    def test_unsigned_properties_do_not_disturb(self) -> None:
        """A time stamp that somebody added later is outside of what was signed."""
        added = "</xades:SignedProperties><xades:UnsignedProperties></xades:UnsignedProperties>"
        assert check(edited("</xades:SignedProperties>", added)).is_valid


class TestChanged:
    """Seals that were broken after signing."""

    def test_changed_document_is_a_hash_failure(self) -> None:
        """The verdict names the digest and the usual causes, and shows what was digested."""
        result = check(edited("Åse", "Ase"))
        assert result.sub_indication is SubIndication.HASH_FAILURE
        assert "pretty-printing" in result.explanation
        assert b"Ase" in result.references[0].canonical

    def test_changed_properties_are_a_hash_failure(self) -> None:
        """The signing time cannot be changed afterwards."""
        result = check(edited("08:00:00Z", "09:00:00Z"))
        assert result.sub_indication is SubIndication.HASH_FAILURE
        assert "the signed properties" in result.explanation

    def test_refused_seal_gives_no_octets_to_go_on_with(self) -> None:
        """Only a passed verification hands out the document."""
        assert check(edited("Åse", "Ase")).signed_bytes is None

    def test_value_of_another_key_is_a_crypto_failure(self) -> None:
        """The value has to come from the key of the named certificate."""
        document = sealed_again(sealed(), key_pair(name="Other"))
        assert check(document).sub_indication is SubIndication.SIG_CRYPTO_FAILURE

    @pytest.mark.parametrize("size", [64, 65, 255, 257])
    def test_value_of_a_wrong_length_is_a_crypto_failure(self, size: int) -> None:
        """Zeros of any length are no signature (ALG-5)."""
        text = sealed().decode()
        start = text.index('">', text.index("<ds:SignatureValue")) + 2
        zeros = b64encode(b"\x00" * size).decode()
        document = text[:start] + zeros + text[text.index("</ds:SignatureValue>") :]
        assert check(document.encode()).sub_indication is SubIndication.SIG_CRYPTO_FAILURE


class TestCertificate:
    """The certificate that the properties name, and its place in the world."""

    def test_exchanged_certificate_is_refused(self) -> None:
        """KeyInfo with another certificate than the signed properties name is refused."""
        old, new = (b64encode(keys.certificate.der).decode() for keys in (key_pair(), key_pair(name="Other")))
        assert check(edited(old, new)).sub_indication is SubIndication.NO_SIGNING_CERTIFICATE_FOUND

    def test_wrong_serial_number_is_refused(self) -> None:
        """Digest and serial number have to mean the same certificate."""
        serial = key_pair().certificate.serial
        result = check(odd(f">{serial}<", f">{serial + 1}<"))
        assert result.sub_indication is SubIndication.NO_SIGNING_CERTIFICATE_FOUND
        assert str(serial) in result.explanation

    def test_issuer_in_another_order_is_accepted(self) -> None:
        """Products disagree about the order of names."""
        issuer = "CN=Test Authority,O=EESSI simulator,C=EU"
        assert check(odd(issuer, "C=EU, O=EESSI simulator, CN=Test Authority")).is_valid

    @pytest.mark.parametrize("text", ["AAAA", b64encode(b"\x30" * 20_000).decode()])
    def test_key_info_with_nonsense_is_refused(self, text: str) -> None:
        """Octets that are no certificate are no signer (CRT-11)."""
        old = b64encode(key_pair().certificate.der).decode()
        assert check(edited(old, text)).sub_indication is SubIndication.NO_SIGNING_CERTIFICATE_FOUND

    def test_unlisted_certificate_is_refused(self) -> None:
        """A good chain does not help who is not listed for the sender (CRT-2)."""
        root = xmlsafe.parse(sealed())
        result = verify(root, trust=TRUSTED, expected=[], at=NOW)
        assert result.sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE
        assert result.certificate == key_pair().certificate

    def test_certificate_has_to_be_valid_at_the_time(self) -> None:
        """The time of the check is an argument; after the validity the seal is EXPIRED."""
        result = verify(xmlsafe.parse(sealed()), trust=TRUSTED, expected=None, at=NOW + timedelta(days=3000))
        assert result.sub_indication is SubIndication.EXPIRED

    def test_tls_certificate_cannot_seal(self) -> None:
        """A seal made with the TLS key is refused (CRT-4)."""
        keys = key_pair(Purpose.TLS)
        document = sign(xmlsafe.parse(SED), keys, signing_time=NOW, token=TOKEN)
        result = verify(xmlsafe.parse(document), trust=TRUSTED, expected=[keys.certificate], at=NOW)
        assert result.sub_indication is SubIndication.CHAIN_CONSTRAINTS_FAILURE


class TestStructure:
    """Forms that are refused."""

    def test_unsigned_sed_is_a_format_failure(self) -> None:
        """A SED without signature is refused with the advice to sign."""
        result = check(SED)
        assert result.sub_indication is SubIndication.FORMAT_FAILURE
        assert "Sign the SED" in result.explanation

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (f'Target="#id-{TOKEN}"', 'Target="#other"'),
            (f' Target="#id-{TOKEN}"', ""),
            (f' Id="id-{TOKEN}"', ""),
            (f'SignedProperties Id="xades-id-{TOKEN}"', 'SignedProperties Id="other"'),
            (f'SignedProperties Id="xades-id-{TOKEN}"', "SignedProperties"),
            ('ObjectReference="#r-id-1"', 'ObjectReference="#r-id-2"'),
            ("<ds:Object>", "<ds:Object><other></other>"),
            ("xades:QualifyingProperties", "xades:Other"),
            ("xades:SignedProperties", "xades:Other"),
            ("xades:SigningTime", "xades:Other"),
            ("2026-03-02T", "yesterday, "),
            ("<ds:X509Data>", "<ds:KeyName>n</ds:KeyName><ds:X509Data>"),
            ("ds:X509Data", "ds:KeyName"),
            ("v1.3.2", "v1.1.1"),
            ('Id="r-id-1"', f'Id="id-{TOKEN}"'),
            ("<Empty>", "<Empty xmlns:r='relative'><r:a/>"),
        ],
    )
    def test_odd_structure_is_a_format_failure(self, old: str, new: str) -> None:
        """Missing, additional or misplaced parts are refused, even when the rest were honest."""
        assert check(edited(old, new)).sub_indication is SubIndication.FORMAT_FAILURE

    @pytest.mark.parametrize("name", ["xades:SigningCertificate>", "xades:Cert>", "xades:CertDigest>"])
    def test_properties_without_the_certificate_are_a_format_failure(self, name: str) -> None:
        """Honestly signed properties that name no certificate are refused."""
        assert check(odd(name, "xades:Other>")).sub_indication is SubIndication.FORMAT_FAILURE

    def test_signature_without_object_is_refused(self) -> None:
        """A plain XML signature is no XAdES signature."""
        text = sealed().decode()
        bare = text[: text.index("<ds:Object>")] + text[text.index("</ds:Object>") + len("</ds:Object>") :]
        assert check(bare.encode()).sub_indication is SubIndication.FORMAT_FAILURE

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('URI=""', 'URI="#other"'),
            (' Type="http://uri.etsi.org/01903#SignedProperties"', ""),
            ('Id="r-id-1" Type=""', 'Id="r-id-1" Type="http://uri.etsi.org/01903#SignedProperties"'),
            (f'URI="#xades-id-{TOKEN}"', 'URI=""'),
            (ENVELOPED_STEP + EXC_STEP, EXC_STEP + ENVELOPED_STEP),
            (ENVELOPED_STEP + EXC_STEP, EXC_STEP),
            (ENVELOPED_STEP + EXC_STEP, ENVELOPED_STEP + ENVELOPED_STEP),
            (ENVELOPED_STEP + EXC_STEP, ENVELOPED_STEP + EXC_STEP + EXC_STEP),
            (f"<ds:Transforms>{ENVELOPED_STEP}{EXC_STEP}</ds:Transforms>", ""),
            (f"<ds:Transforms>{EXC_STEP}</ds:Transforms>", ""),
            (
                f"<ds:Transforms>{EXC_STEP}</ds:Transforms>",
                f"<ds:Transforms>{ENVELOPED_STEP}</ds:Transforms>",
            ),
        ],
    )
    def test_other_references_are_a_constraints_failure(self, old: str, new: str) -> None:
        """A seal covers the whole document and its properties, in our forms, nothing else."""
        assert check(edited(old, new)).sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE

    def test_third_reference_is_a_constraints_failure(self) -> None:
        """Exactly two things are signed."""
        text = sealed().decode()
        start, end = text.index("<ds:Reference"), text.index("</ds:SignedInfo>")
        third = text[start:end].replace('Id="r-id-1" ', "")
        assert check((text[:end] + third + text[end:]).encode()).sub_indication is (
            SubIndication.SIG_CONSTRAINTS_FAILURE
        )

    def test_weak_digest_is_a_crypto_constraints_failure(self) -> None:
        """SHA-1 is refused before anything is digested (ALG-1)."""
        result = check(edited(DigestAlgorithm.SHA256, "http://www.w3.org/2000/09/xmldsig#sha1"))
        assert result.sub_indication is SubIndication.CRYPTO_CONSTRAINTS_FAILURE
        assert result.references == ()

    def test_weak_digest_of_the_certificate_is_refused_too(self) -> None:
        """The policy also rules the digest that names the certificate."""
        text = sealed().decode()
        at = text.index("<xades:CertDigest>")
        text = text[:at] + text[at:].replace(DigestAlgorithm.SHA256, "http://www.w3.org/2000/09/xmldsig#sha1")
        assert check(sealed_again(text.encode())).sub_indication is SubIndication.CRYPTO_CONSTRAINTS_FAILURE


class TestWrapping:
    """A signed SED inside a forged one (XSW-10)."""

    FORGED = '<u:U018 xmlns:u="http://ec.europa.eu/eessi/ns/4_4/U018"><Person>Forged</Person>{}</u:U018>'

    def check(self, content: str) -> SubIndication | None:
        return check(self.FORGED.format(content).encode()).sub_indication

    def parts(self) -> tuple[str, str]:
        text = sealed().decode()
        start, end = text.index("<ds:Signature "), text.index("</u:U018>")
        return text, text[start:end]

    def test_signed_sed_inside_a_forged_one_is_refused(self) -> None:
        """The signature has to be a child of the root that is processed."""
        assert self.check(self.parts()[0]) is SubIndication.FORMAT_FAILURE

    def test_signature_moved_to_a_forged_root_is_refused(self) -> None:
        """The digest is taken over the root, not over what was signed once."""
        assert self.check(self.parts()[1]) is SubIndication.HASH_FAILURE

    def test_original_hidden_in_the_signature_is_refused(self) -> None:
        """An original inside ds:Object saves nobody."""
        signature = self.parts()[1].replace("<ds:Object>", f"<ds:Object>{BODY.decode()}")
        assert self.check(signature) is SubIndication.FORMAT_FAILURE

    def test_original_beside_its_signature_is_refused(self) -> None:
        """Neither does an original beside it."""
        assert self.check(BODY.decode() + self.parts()[1]) is SubIndication.HASH_FAILURE

    def test_second_signature_is_refused(self) -> None:
        """Exactly one signature may stand in the document."""
        signature = self.parts()[1]
        assert check(edited(signature, signature + signature.replace(TOKEN, "f" * 32))).sub_indication is (
            SubIndication.FORMAT_FAILURE
        )

    def test_element_after_the_signature_is_refused(self) -> None:
        """The signature is the last child."""
        assert check(sealed_again(edited("</ds:Signature>", "</ds:Signature><More/>"))).sub_indication is (
            SubIndication.FORMAT_FAILURE
        )

    def test_forged_sibling_in_the_envelope_is_refused(self) -> None:
        """An unsigned SED does not profit from a signed one beside it."""
        envelope = f"<e>{self.FORGED.format('')}{self.parts()[0]}</e>"
        assert check(xmlsafe.parse(envelope.encode())[0]).sub_indication is SubIndication.FORMAT_FAILURE

    def test_properties_with_a_repeated_id_are_refused(self) -> None:
        """Two elements with the id of the signed properties are refused before any digest (ID-1)."""
        result = check(edited("<Empty>", f'<Empty Id="xades-id-{TOKEN}">'))
        assert result.sub_indication is SubIndication.FORMAT_FAILURE
        assert result.references == ()


def test_names_of_the_xades_namespace_are_those_of_the_standard() -> None:
    """Elements are found in the namespace of XAdES 1.3.2."""
    assert next(xmlsafe.parse(sealed()).iter(f"{XADES}SigningTime")).text == NOW.astimezone(UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def test_seal_in_the_implicit_form_outlives_being_taken_out_of_its_envelope() -> None:
    """What is filed is the SED with all namespaces it declares, so that its seal can be checked later."""
    shortened = edited(ENVELOPED_STEP + EXC_STEP, ENVELOPED_STEP, inserted())
    implicit = sealed_again(shortened).partition(b"?>")[2]
    received = xmlsafe.parse(b"<e>" + implicit + b"</e>")[0]
    assert check(received).is_valid
    assert check(xmlsafe.document_of(received)).is_valid
    assert not check(xmlsafe.exclusive_c14n(received)).is_valid
