"""Encryption of parts: what travels, what comes back, and every way to get it wrong."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree
from tests.helpers import as4_oracle
from tests.helpers.as4_encryption import KINDS, PAYLOADS, encrypted_message, held
from tests.helpers.as4_messages import (
    SENDER,
    TOKEN,
    edited,
    keys_of,
    packed_message,
    unpacked,
    unsigned_message,
    user_message,
    verified,
)
from tests.helpers.keys import certificate

from eessi_sim.as4 import layer, msh
from eessi_sim.as4.decryption import Decryption
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.encryption import Encryption
from eessi_sim.as4.key_references import KeyReference
from eessi_sim.errors import KeyMaterialError
from eessi_sim.security import ciphers
from eessi_sim.security.ciphers import ContentCipher, Hash, MaskHash, Oaep
from eessi_sim.security.keys import HeldKey

SECOND_TOKEN = "0000000000000000000000000000000b"
XENC = "http://www.w3.org/2001/04/xmlenc#"


def opened(packed: msh.Packed, *keys: HeldKey, **how: object) -> msh.Unpacked:
    """Take the encryption off; the receiver has all kinds of keys unless told otherwise."""
    mine = keys or tuple(held(kind) for kind in KINDS)
    return layer.decrypt(unpacked(packed), Decryption(mine, **how))  # type: ignore[arg-type] # tests name real fields


def fault_of(packed: msh.Packed, *keys: HeldKey, **how: object) -> EbmsFault:
    """Return the fault that decryption ends with; it knows its message."""
    with pytest.raises(EbmsFault) as caught:
        opened(packed, *keys, **how)
    assert caught.value.ref == packed.message_id
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
class TestEveryKindOfKey:
    """RSA transport and both key agreements."""

    @pytest.mark.parametrize("reference", KeyReference)
    def test_message_comes_back_and_verifies(self, kind: str, reference: KeyReference) -> None:
        """Decrypted parts are those that were signed, with their own types, and the signature holds."""
        message = opened(encrypted_message(kind, reference))
        assert message.parts == PAYLOADS
        assert len(verified(message).references) == 2 + len(PAYLOADS)

    def test_encrypted_parts_travel_as_octets(self, kind: str) -> None:
        """The header names the parts as before; their type on the wire tells nothing, and nothing is readable."""
        message = unpacked(encrypted_message(kind))
        assert {part.content_type for part in message.parts} == {"application/octet-stream"}
        assert [part.properties for part in message.parts] == [part.properties for part in PAYLOADS]
        assert not any(plain.content in message.body for plain in PAYLOADS)

    def test_undecrypted_message_is_refused_by_verification(self, kind: str) -> None:
        """Who does not decrypt cannot verify (ALG-14)."""
        with pytest.raises(EbmsFault) as caught:
            verified(unpacked(encrypted_message(kind)))
        assert caught.value.error_code is EbmsErrorCode.POLICY_NONCOMPLIANCE

    def test_key_of_somebody_else_decrypts_nothing(self, kind: str) -> None:
        """Another key of the same kind ends in EBMS:0102 (ALG-13)."""
        fault = fault_of(encrypted_message(kind), held(kind, "NO:OTHER"))
        assert fault.error_code is EbmsErrorCode.FAILED_DECRYPTION

    def test_second_encryption_puts_a_layer_on_a_foreign_message(self, kind: str) -> None:
        """An access point encrypts a signed message and the next takes it off: the signature still verifies (E-14)."""
        original = unpacked(packed_message(PAYLOADS))
        packed = layer.encrypt(original, Encryption(held(kind).certificate), SECOND_TOKEN)
        message = opened(packed)
        assert message.parts == original.parts
        assert verified(message).references == verified(original).references
        again = unpacked(replace(packed, content_type=message.content_type, body=message.body))
        assert verified(again).references == verified(original).references


class TestLayer:
    """Whole messages."""

    def test_decryption_removes_what_encryption_added(self) -> None:
        """No encryption element and no token of the receiver is left in the message that goes on."""
        message = opened(encrypted_message())
        assert b"EncryptedKey" not in message.body
        assert b"enc-cert-" not in message.body
        assert message.body.count(b"<wsse:BinarySecurityToken") == 1

    def test_token_that_others_use_stays(self) -> None:
        """A token stays when the signature names it as well."""
        packed = encrypted_message()
        message = opened(edited(packed, (f'URI="#cert-{TOKEN}"', f'URI="#enc-cert-{TOKEN}"')))
        assert b"enc-cert-" in message.body

    def test_message_without_encryption_passes_unchanged(self) -> None:
        """Nothing is done where nothing is encrypted, signed or not."""
        for packed in (packed_message(), unsigned_message()):
            message = unpacked(packed)
            assert layer.decrypt(message, Decryption(())) is message

    def test_readable_parts_are_refused_where_encryption_is_agreed(self) -> None:
        """EBMS:0103 for parts that should be encrypted; a message without parts has nothing to hide."""
        assert fault_of(packed_message(), is_required=True).error_code is EbmsErrorCode.POLICY_NONCOMPLIANCE
        message = unpacked(packed_message([]))
        assert layer.decrypt(message, Decryption((), is_required=True)) is message

    def test_unsigned_message_loses_its_whole_security_header(self) -> None:
        """A header that only held the encryption disappears, so the message counts as unsigned."""
        plain = unpacked(unsigned_message(PAYLOADS))
        packed = layer.encrypt(plain, Encryption(held("rsa").certificate), SECOND_TOKEN)
        message = opened(packed)
        assert (message.parts, message.is_signed) == (plain.parts, False)

    def test_message_is_not_encrypted_twice(self) -> None:
        """A second layer is refused before it is made."""
        with pytest.raises(EbmsFault, match="not encrypted yet"):
            layer.encrypt(unpacked(encrypted_message()), Encryption(held("rsa").certificate), SECOND_TOKEN)

    def test_message_without_parts_needs_no_encryption(self) -> None:
        """There is nothing to encrypt in a ping, and nothing is added."""
        how = Encryption(held("rsa").certificate)
        ping = msh.pack_user_message(user_message(), (), keys_of(SENDER.id), token=TOKEN, encryption=how)
        assert b"EncryptedKey" not in ping.body


class TestWire:
    """Another hand decrypts what we wrote, from the elements of the message alone."""

    def test_key_and_data_are_found_and_opened_by_hand(self) -> None:
        """OAEP with SHA-256 opens the key; the first 12 octets of each part are its IV."""
        parts = as4_oracle.mime_parts(msh.to_file(encrypted_message()))
        envelope = as4_oracle.envelope_of(parts)
        private = held("rsa").private_key
        assert isinstance(private, rsa.RSAPrivateKey)
        wrapped = b64decode(envelope.findtext(f".//{{{XENC}}}EncryptedKey//{{{XENC}}}CipherValue") or "")
        sha256 = hashes.SHA256()
        key = private.decrypt(wrapped, padding.OAEP(padding.MGF1(sha256), sha256, None))
        for payload in PAYLOADS:
            octets = as4_oracle.octets_of(parts[payload.content_id])
            assert AESGCM(key).decrypt(octets[:12], octets[12:], None) == payload.content

    def test_encryption_stands_before_the_signature(self) -> None:
        """EncryptedKey and EncryptedData come first, so that a receiver meets them in working order."""
        security = unpacked(encrypted_message()).envelope.security
        assert security is not None
        names = [etree.QName(child).localname for child in security]
        assert names == [
            "BinarySecurityToken",
            "EncryptedKey",
            *["EncryptedData"] * 3,
            "BinarySecurityToken",
            "Signature",
        ]

    def test_larger_content_key_is_accepted(self) -> None:
        """AES-256-GCM works over both ways to bring the key."""
        for kind in KINDS:
            assert opened(encrypted_message(kind, cipher=ContentCipher.AES256_GCM)).parts == PAYLOADS

    def test_certificate_without_identifier_cannot_be_named_by_it(self) -> None:
        """The error says how else to name the certificate."""
        how = Encryption(certificate(held("rsa").private_key), KeyReference.KEY_IDENTIFIER)  # type: ignore[arg-type] # an RSA key
        with pytest.raises(KeyMaterialError, match="subjectKeyIdentifier"):
            layer.encrypt(unpacked(packed_message()), how, SECOND_TOKEN)


class TestOaepVariants:
    """What older products write (ALG-8, prototype of an access point)."""

    def test_sha1_is_refused_unless_the_policy_says_otherwise(self) -> None:
        """OAEP over SHA-1 is EBMS:0103 by default, and readable with the switch."""
        packed = encrypted_message(oaep=Oaep(Hash.SHA1, MaskHash.SHA1))
        assert fault_of(packed).error_code is EbmsErrorCode.POLICY_NONCOMPLIANCE
        assert opened(packed, policy=ciphers.ACCEPT_OAEP_SHA1).parts == PAYLOADS

    def test_old_name_of_oaep_means_a_mask_of_sha1(self) -> None:
        """rsa-oaep-mgf1p with an explicit DigestMethod SHA-256 is accepted."""
        packed = edited(
            encrypted_message(oaep=Oaep(mask=MaskHash.SHA1)),
            ("http://www.w3.org/2009/xmlenc11#rsa-oaep", XENC + "rsa-oaep-mgf1p"),
        )
        assert opened(packed).parts == PAYLOADS

    def test_missing_digest_means_sha1_except_for_the_prototype(self) -> None:
        """Without DigestMethod the standard says SHA-1; the prototype means SHA-256 (observed)."""
        packed = edited(
            encrypted_message(oaep=Oaep(mask=MaskHash.SHA1)),
            (f'<ds:DigestMethod Algorithm="{Hash.SHA256}"/><xenc11', "<xenc11"),
        )
        assert fault_of(packed).error_code is EbmsErrorCode.POLICY_NONCOMPLIANCE
        assert opened(packed, policy=ciphers.ACCEPT_PROTOTYPE).parts == PAYLOADS

    def test_label_is_read(self) -> None:
        """OAEPparams are the label."""
        method = f'<ds:DigestMethod Algorithm="{Hash.SHA256}"/><xenc11'
        label = f"<xenc:OAEPparams>{b64encode(b'label').decode()}</xenc:OAEPparams>"
        packed = edited(encrypted_message(oaep=Oaep(label=b"label")), (method, label + method))
        assert opened(packed).parts == PAYLOADS


def _part_edit(change: Callable[[bytes], bytes]) -> Callable[[msh.Packed], msh.Packed]:
    """Return an edit of the octets of the first part."""

    def edit(packed: msh.Packed) -> msh.Packed:
        octets = unpacked(packed).parts[0].content
        return replace(packed, body=packed.body.replace(octets, change(octets)))

    return edit


def _text_edit(*edits: tuple[str, str]) -> Callable[[msh.Packed], msh.Packed]:
    return lambda packed: edited(packed, *edits)


DAMAGES: dict[str, Callable[[msh.Packed], msh.Packed]] = {
    "tag": _part_edit(lambda octets: octets[:-1] + bytes([octets[-1] ^ 1])),
    "iv": _part_edit(lambda octets: bytes([octets[0] ^ 1]) + octets[1:]),
    "cut": _part_edit(lambda octets: octets[:20]),
    "plain": _part_edit(lambda octets: PAYLOADS[0].content),
    "key reference": _text_edit((f'URI="#ek-{TOKEN}"', 'URI="#ek-none"')),
    "unknown token": _text_edit((f'URI="#enc-cert-{TOKEN}"', 'URI="#none"')),
    "key size": _text_edit(("aes128-gcm", "aes256-gcm")),
}


class TestUndecryptable:
    """EBMS:0102, always with the same words (ALG-9 to ALG-11, ALG-13)."""

    @pytest.mark.parametrize("damage", DAMAGES)
    @pytest.mark.parametrize("kind", KINDS)
    def test_damage_is_0102_with_the_same_sentence(self, kind: str, damage: str) -> None:
        """What failed cannot be told from the answer."""
        fault = fault_of(DAMAGES[damage](encrypted_message(kind)))
        assert (fault.error_code, fault.message) == (
            EbmsErrorCode.FAILED_DECRYPTION,
            ciphers.undecryptable().message,
        )

    @pytest.mark.parametrize("kind", KINDS)
    def test_changed_key_is_0102_with_the_same_sentence(self, kind: str) -> None:
        """A wrapped key of zeros fails like everything else."""
        packed = encrypted_message(kind)
        start = packed.body.index(b"<xenc:CipherValue>") + 18
        end = packed.body.index(b"</xenc:CipherValue>")
        zeros = b64encode(bytes(len(b64decode(packed.body[start:end]))))
        fault = fault_of(replace(packed, body=packed.body[:start] + zeros + packed.body[end:]))
        assert fault.message == ciphers.undecryptable().message

    def test_token_of_somebody_else_is_0102(self) -> None:
        """A message for another certificate, in its token, is not for us."""
        packed = encrypted_message()
        theirs, ours = (b64encode(key.certificate.der).decode() for key in (held("p-256"), held("rsa")))
        fault = fault_of(edited(packed, (ours, theirs)), held("rsa"))
        assert fault.error_code is EbmsErrorCode.FAILED_DECRYPTION


NONCOMPLIANT = {
    "cbc": ("http://www.w3.org/2009/xmlenc11#aes128-gcm", XENC + "aes128-cbc"),
    "pkcs 1.5": ("http://www.w3.org/2009/xmlenc11#rsa-oaep", XENC + "rsa-1_5"),
    "unknown": ("http://www.w3.org/2009/xmlenc11#rsa-oaep", "urn:none"),
    "complete": ("#Attachment-Content-Only", "#Attachment-Complete"),
    "other transform": ("#Attachment-Ciphertext-Transform", "#Attachment-Content-Signature-Transform"),
    "remote part": ('<xenc:CipherReference URI="cid:', '<xenc:CipherReference URI="http://evil.example/'),
    "element": ("xenc:CipherReference", "xenc:CipherOther"),
    "remote key": (f'<wsse:Reference URI="#ek-{TOKEN}"', '<wsse:Reference URI="http://evil.example/"'),
    "no reference": (f'<wsse:Reference URI="#ek-{TOKEN}"/>', ""),
    "no method": (f'<xenc:EncryptionMethod Algorithm="{ContentCipher.AES128_GCM}"/>', ""),
    "no value": ("xenc:CipherValue", "xenc:CipherOther"),
    "bad base64": ("<xenc:CipherValue>", "<xenc:CipherValue>!"),
    "remote recipient": (
        f'<wsse:Reference URI="#enc-cert-{TOKEN}"',
        '<wsse:Embedded URI="http://evil.example/"',
    ),
    "part left out": ("<xenc:EncryptedData ", '<other xmlns="urn:o" '),
}


class TestNoncompliant:
    """EBMS:0103, before anything is decrypted (ALG-6, ALG-7, ALG-12, KEY-1)."""

    @pytest.mark.parametrize("name", NONCOMPLIANT)
    def test_other_kinds_of_encryption_are_refused(self, name: str) -> None:
        """Weak algorithms, other targets, remote things and missing pieces are refused."""
        packed = encrypted_message(payloads=PAYLOADS[:1])
        old, new = NONCOMPLIANT[name]
        if name == "part left out":
            packed = edited(packed, ("</xenc:EncryptedData>", "</other>"))
        assert fault_of(edited(packed, (old, new))).error_code is EbmsErrorCode.POLICY_NONCOMPLIANCE

    def test_another_encryption_element_is_refused(self) -> None:
        """A ReferenceList beside the keys, as older standards had it, is not read past."""
        packed = edited(
            encrypted_message(),
            ("<xenc:EncryptedKey", f'<xenc:ReferenceList xmlns:xenc="{XENC}"/><xenc:EncryptedKey'),
        )
        assert fault_of(packed).error_code is EbmsErrorCode.POLICY_NONCOMPLIANCE

    def test_part_encrypted_twice_is_refused(self) -> None:
        """Two EncryptedData over one part leave another part readable."""
        packed = edited(
            encrypted_message(), ('URI="cid:att-1@pl.example"><xenc:T', 'URI="cid:sed-1@pl.example"><xenc:T')
        )
        assert fault_of(packed).error_code is EbmsErrorCode.POLICY_NONCOMPLIANCE

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (ciphers.HKDF_URI, "http://www.w3.org/2009/xmlenc11#ConcatKDF"),
            (ciphers.HMAC_SHA256, "http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
            (">16<", ">32<"),
            ("dsig11:DEREncodedKeyValue", "dsig11:Other"),
            ("dsigmore:HKDFParams", "dsigmore:Other"),
            ("xenc:AgreementMethod", "xenc:Other"),
            ("#x25519", "#x448"),
            ("xenc:RecipientKeyInfo", "xenc:Other"),
        ],
    )
    def test_other_agreements_are_refused(self, old: str, new: str) -> None:
        """Another derivation, hash, length, curve or a missing piece is EBMS:0103."""
        fault = fault_of(edited(encrypted_message("x25519"), (old, new)))
        assert fault.error_code is EbmsErrorCode.POLICY_NONCOMPLIANCE

    def test_thousands_of_keys_are_refused_by_their_number(self) -> None:
        """More EncryptedKeys than a message needs are EBMS:0009, and nothing is computed (ALG-15)."""
        keys = f'<xenc:EncryptedKey xmlns:xenc="{XENC}"/>' * 5000
        packed = edited(encrypted_message(), ("<xenc:EncryptedKey", keys + "<xenc:EncryptedKey"))
        assert fault_of(packed).error_code is EbmsErrorCode.INVALID_HEADER


class TestOtherSpellings:
    """What other products write differently, and means the same."""

    def test_key_may_name_its_data(self) -> None:
        """Without a KeyInfo in the EncryptedData, the ReferenceList of the key decides."""
        packed = encrypted_message(payloads=PAYLOADS[:1])
        start, end = packed.body.index(b"<ds:KeyInfo><wsse:SecurityTokenReference xmlns:wsse11"), 0
        end = packed.body.index(b"</ds:KeyInfo>", start) + len(b"</ds:KeyInfo>")
        changed = replace(packed, body=packed.body[:start] + packed.body[end:])
        assert opened(changed).parts == PAYLOADS[:1]

    def test_salt_and_info_may_be_missing(self) -> None:
        """Empty parameters are read as empty, and then the key does not fit what we made with others."""
        packed = encrypted_message("x25519")
        for name in (b"Salt", b"Info"):
            start = packed.body.index(b"<dsigmore:" + name)
            end = packed.body.index(b"</dsigmore:" + name) + len(name) + 12
            packed = replace(packed, body=packed.body[:start] + packed.body[end:])
        assert fault_of(packed).error_code is EbmsErrorCode.FAILED_DECRYPTION

    def test_media_type_may_be_missing(self) -> None:
        """Without MimeType the part keeps the type that it travelled with."""
        packed = edited(encrypted_message(payloads=PAYLOADS[:1]), (' MimeType="application/gzip"', ""))
        assert opened(packed).parts[0] == replace(PAYLOADS[0], content_type="application/octet-stream")

    def test_media_type_cannot_smuggle_a_header(self) -> None:
        """A line end in MimeType does not reach the MIME frame of the decrypted message."""
        packed = edited(encrypted_message(), ('MimeType="application/gzip"', 'MimeType="a/b&#13;&#10;X: y"'))
        assert fault_of(packed).error_code is EbmsErrorCode.MIME_INCONSISTENCY
