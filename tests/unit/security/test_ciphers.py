"""Encryption of content and keys, against the primitives of the cryptography library used on their own."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from cryptography.hazmat.primitives.serialization import load_der_public_key
from tests.helpers.keys import NOW, authority, key_pair

from eessi_sim.errors import DecryptionError, EncryptionError
from eessi_sim.security import ciphers
from eessi_sim.security.ciphers import Agreed, Agreement, ContentCipher, Derivation, Hash, MaskHash, Oaep
from eessi_sim.security.keys import HeldKey
from eessi_sim.security.pki import KeyAlgorithm, Purpose

CONTENT = b"<A003/>" * 9
KEY = bytes(range(16))
RSA = key_pair(Purpose.EBMS, KeyAlgorithm.RSA_2048)
P256 = key_pair(Purpose.EBMS)
X25519 = authority().issue_agreement("NO:NAVAT07", country="NO", now=NOW)
DERIVATION = Derivation(b"salt", b"info")


def agreed(held: HeldKey) -> Agreed:
    """Return a content key wrapped for ``held``."""
    return Agreed.wrap(KEY, held.certificate, DERIVATION)


class TestContent:
    """AES-GCM with the IV in front."""

    def test_layout_is_iv_ciphertext_tag(self) -> None:
        """Another hand decrypts with the first 12 octets as IV and the rest as ciphertext and tag."""
        octets = ciphers.encrypt_content(CONTENT, KEY)
        assert len(octets) == 12 + len(CONTENT) + 16
        assert AESGCM(KEY).decrypt(octets[:12], octets[12:], None) == CONTENT

    def test_same_content_never_encrypts_to_the_same_octets(self) -> None:
        """The IV is new each time (ALG-9)."""
        assert ciphers.encrypt_content(CONTENT, KEY)[:12] != ciphers.encrypt_content(CONTENT, KEY)[:12]

    @pytest.mark.parametrize("cipher", ContentCipher)
    def test_content_comes_back(self, cipher: ContentCipher) -> None:
        """Both key sizes round-trip, the empty content included."""
        key = ciphers.new_content_key(cipher)
        for content in (CONTENT, b""):
            assert ciphers.decrypt_content(ciphers.encrypt_content(content, key), key, cipher) == content

    def test_every_damage_is_the_same_error(self) -> None:
        """Changed IV, ciphertext or tag, cut octets and a key of another size read alike (ALG-9, ALG-10)."""
        octets = ciphers.encrypt_content(CONTENT, KEY)
        messages = set()
        for damaged, key in (
            (b"\x00" * 12 + octets[12:], KEY),
            (octets[:20] + b"!" + octets[21:], KEY),
            (octets[:-1] + bytes([octets[-1] ^ 1]), KEY),
            (octets[:-1], KEY),
            (octets[:27], KEY),
            (b"", KEY),
            (octets, KEY * 2),
        ):
            with pytest.raises(DecryptionError) as caught:
                ciphers.decrypt_content(damaged, key, ContentCipher.AES128_GCM)
            messages.add(caught.value.message)
        assert len(messages) == 1


class TestTransport:
    """RSA-OAEP."""

    def test_another_hand_unwraps_with_sha256(self) -> None:
        """The default is SHA-256 for both the digest and the mask, without a label (eDelivery AS4 1.15)."""
        key = RSA.private_key
        assert isinstance(key, rsa.RSAPrivateKey)
        sha256 = hashes.SHA256()
        scheme = padding.OAEP(mgf=padding.MGF1(sha256), algorithm=sha256, label=None)
        assert key.decrypt(Oaep().wrap(KEY, RSA.certificate), scheme) == KEY

    @pytest.mark.parametrize("digest", Hash)
    @pytest.mark.parametrize("mask", MaskHash)
    def test_all_parameters_round_trip(self, digest: Hash, mask: MaskHash) -> None:
        """Each pair of digests, with a label, unwraps what it wrapped."""
        scheme = Oaep(digest, mask, b"label")
        assert scheme.unwrap(scheme.wrap(KEY, RSA.certificate), RSA, 16) == KEY

    def test_wrong_padding_gives_a_random_key(self) -> None:
        """Nobody learns that the padding was wrong: another key comes out, and the content fails (ALG-10)."""
        wrapped = Oaep().wrap(KEY, RSA.certificate)
        found = Oaep(label=b"other").unwrap(wrapped, RSA, 16)
        assert len(found) == 16
        assert found != KEY

    def test_a_curve_key_neither_wraps_nor_unwraps(self) -> None:
        """OAEP needs RSA, on both sides."""
        with pytest.raises(EncryptionError, match="RSA"):
            Oaep().wrap(KEY, P256.certificate)
        with pytest.raises(DecryptionError):
            Oaep().unwrap(b"x", P256, 16)


class TestAgreement:
    """X25519 and ECDH-ES with HKDF and AES key wrap."""

    def test_another_hand_agrees_over_x25519(self) -> None:
        """X25519, then HKDF-SHA-256 to 16 octets, then AES key unwrap give the content key."""
        made = agreed(X25519)
        ephemeral = load_der_public_key(made.originator)
        assert isinstance(ephemeral, x25519.X25519PublicKey)
        secret = X25519.private_key.exchange(ephemeral)
        kek = HKDF(hashes.SHA256(), 16, b"salt", b"info").derive(secret)
        assert (made.agreement, len(made.wrapped)) == (Agreement.X25519, 24)
        assert aes_key_unwrap(kek, made.wrapped) == KEY

    def test_another_hand_agrees_over_p256(self) -> None:
        """ECDH on P-256 does the same."""
        made = agreed(P256)
        ephemeral = load_der_public_key(made.originator)
        assert isinstance(ephemeral, ec.EllipticCurvePublicKey)
        assert isinstance(P256.private_key, ec.EllipticCurvePrivateKey)
        kek = HKDF(hashes.SHA256(), 16, b"salt", b"info").derive(
            P256.private_key.exchange(ec.ECDH(), ephemeral)
        )
        assert made.agreement is Agreement.ECDH_ES
        assert aes_key_unwrap(kek, made.wrapped) == KEY

    @pytest.mark.parametrize("held", [X25519, P256], ids=["x25519", "p256"])
    def test_content_key_comes_back(self, held: HeldKey) -> None:
        """The holder of the private key unwraps, also when salt and info are empty."""
        assert agreed(held).unwrap(held) == KEY
        assert Agreed.wrap(KEY, held.certificate, Derivation(b"", b"")).unwrap(held) == KEY

    @pytest.mark.parametrize(
        "change",
        [
            {"wrapped": bytes(24)},
            {"wrapped": b"x"},
            {"originator": bytes.fromhex("302a300506032b656e032100") + bytes(32)},
            {"originator": b"nonsense"},
            {"agreement": Agreement.ECDH_ES},
            {"derivation": Derivation(b"salt", b"other")},
        ],
        ids=["wrapped", "short", "low-order", "nonsense", "method", "info"],
    )
    def test_wrong_agreement_cannot_be_unwrapped(self, change: dict[str, Any]) -> None:
        """Changed octets, a point of low order (ALG-11), another method or other parameters end alike."""
        with pytest.raises(DecryptionError, match="cannot be decrypted"):
            replace(agreed(X25519), **change).unwrap(X25519)

    @pytest.mark.parametrize(("made_for", "held"), [(X25519, P256), (P256, X25519), (X25519, RSA)])
    def test_another_kind_of_key_cannot_unwrap(self, made_for: HeldKey, held: HeldKey) -> None:
        """The key has to be of the kind that the method names."""
        with pytest.raises(DecryptionError):
            agreed(made_for).unwrap(held)

    def test_nobody_agrees_with_an_rsa_key(self) -> None:
        """The error says what kind of key is needed."""
        with pytest.raises(EncryptionError, match="X25519 or P-256"):
            agreed(RSA)

    def test_each_derivation_has_a_salt_of_its_own(self) -> None:
        """A new derivation never repeats its salt."""
        assert Derivation.new(b"i").salt != Derivation.new(b"i").salt

    def test_endless_parameters_are_refused(self) -> None:
        """Salt and info have a limit."""
        with pytest.raises(EncryptionError, match="1024"):
            Derivation(b"x" * 1025, b"")


class TestPolicy:
    """Which algorithms a receiver accepts."""

    @pytest.mark.parametrize(
        ("kind", "uri"),
        [
            ("content", "http://www.w3.org/2001/04/xmlenc#aes128-cbc"),
            ("content", "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"),
            ("content", ""),
            ("key", "http://www.w3.org/2001/04/xmlenc#rsa-1_5"),
            ("agreement", "http://www.w3.org/2021/04/xmldsig-more#x448"),
            ("digest", Hash.SHA1),
            ("mask", "http://www.w3.org/2009/xmlenc11#mgf1sha512"),
        ],
    )
    def test_other_algorithms_are_refused_by_name(self, kind: str, uri: str) -> None:
        """CBC, 3DES, PKCS #1 v1.5, SHA-1 and unknown names are refused, with those to use (ALG-6 to ALG-8)."""
        with pytest.raises(EncryptionError, match="policy allows") as caught:
            getattr(ciphers.ACCEPT, kind)(uri)
        assert "Encrypt again with one of" in (caught.value.hint or "")

    def test_allowed_algorithms_are_found(self) -> None:
        """Each lookup returns the member of its kind."""
        policy = ciphers.ACCEPT
        assert policy.content(ContentCipher.AES128_GCM) is ContentCipher.AES128_GCM
        assert policy.agreement(Agreement.X25519) is Agreement.X25519
        assert policy.mask(MaskHash.SHA256) is MaskHash.SHA256
        assert ciphers.ACCEPT_OAEP_SHA1.digest(Hash.SHA1) is Hash.SHA1
