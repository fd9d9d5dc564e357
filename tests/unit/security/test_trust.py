"""Whom we believe, and for what."""

from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from tests.helpers.keys import LATER, NOW, authority, certificate, key_pair, trust

from eessi_sim.errors import KeyMaterialError
from eessi_sim.security.indication import SubIndication
from eessi_sim.security.keys import Certificate, KeyPair, Purpose
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm
from eessi_sim.security.trust import RevocationList, TrustStore, TrustVerdict, check_signer

CA = (x509.BasicConstraints(ca=True, path_length=None), True)

BITS = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
Extension = tuple[x509.ExtensionType, bool]


def authority_pair(*extensions: Extension, issuer: KeyPair | None = None, subject: str = "middle") -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    return KeyPair(key, certificate(key, *extensions, issuer=issuer, subject=subject))


def usage(**bits: bool) -> Extension:
    return x509.KeyUsage(**dict.fromkeys(BITS, False) | bits), True


def reason_for(leaf: Certificate, store: TrustStore, purpose: Purpose = Purpose.SEAL) -> SubIndication | None:
    return store.check(leaf, NOW, purpose).sub_indication


def test_verdict_on_a_good_certificate_names_its_authority() -> None:
    """A trusted certificate comes with the authority that stands behind it."""
    verdict = trust().check(key_pair().certificate, NOW, Purpose.SEAL)
    assert verdict.ok
    assert "CN=Test Authority" in verdict.explanation


def test_expired_certificate_is_refused() -> None:
    """After its last second a certificate is EXPIRED (CRT-5)."""
    leaf = key_pair().certificate
    verdict = trust().check(leaf, leaf.not_after + timedelta(seconds=1), Purpose.SEAL)
    assert verdict.sub_indication is SubIndication.EXPIRED


def test_future_certificate_is_refused() -> None:
    """Before its first second a certificate is NOT_YET_VALID (CRT-6)."""
    verdict = trust().check(key_pair().certificate, NOW - timedelta(seconds=1), Purpose.SEAL)
    assert verdict.sub_indication is SubIndication.NOT_YET_VALID


def test_foreign_authority_is_not_believed() -> None:
    """A certificate of another authority, even of the same name, has no chain (CRT-1)."""
    twin = CertificateAuthority.create("Test Authority", NOW, KeyAlgorithm.P_256)
    assert reason_for(key_pair().certificate, TrustStore.of([twin.certificate])) is (
        SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    )


def test_self_signed_certificate_is_not_believed() -> None:
    """Nobody vouches for himself (CRT-1)."""
    assert reason_for(certificate(), trust()) is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


def test_anchor_itself_may_be_the_signer() -> None:
    """A certificate that is listed as anchor needs nobody above it."""
    leaf = certificate()
    assert TrustStore.of([leaf]).check(leaf, NOW, Purpose.EBMS).ok


def test_chain_goes_through_an_intermediate() -> None:
    """An authority below an anchor passes the trust on."""
    root = authority_pair(CA, subject="root")
    middle = authority_pair(CA, usage(key_cert_sign=True), issuer=root)
    leaf = certificate(issuer=middle)
    assert (
        TrustStore((root.certificate,), intermediates=(middle.certificate,)).check(leaf, NOW, Purpose.SEAL).ok
    )


def test_intermediate_alone_is_no_anchor() -> None:
    """An authority that we only know, but nobody vouches for, is not believed."""
    middle = authority_pair(CA)
    store = TrustStore((authority().certificate,), intermediates=(middle.certificate,))
    assert reason_for(certificate(issuer=middle), store) is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


@pytest.mark.parametrize(
    "extensions",
    [
        (),
        ((x509.BasicConstraints(ca=False, path_length=None), True),),
        (CA, usage(digital_signature=True)),
    ],
)
def test_who_is_no_authority_cannot_issue(extensions: tuple[Extension, ...]) -> None:
    """Without basicConstraints CA and keyCertSign a certificate vouches for nobody."""
    issuer = authority_pair(*extensions)
    store = TrustStore.of([issuer.certificate])
    assert reason_for(certificate(issuer=issuer), store) is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


def test_path_length_limits_the_chain() -> None:
    """A root with path length 0 does not believe authorities below its own."""
    root = authority_pair((x509.BasicConstraints(ca=True, path_length=0), True), subject="root")
    middle = authority_pair(CA, issuer=root)
    store = TrustStore((root.certificate,), intermediates=(middle.certificate,))
    assert reason_for(certificate(issuer=middle), store) is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


def test_endless_chain_ends() -> None:
    """Authorities that vouch for themselves in a circle do not keep us busy."""
    middle = authority_pair(CA)
    store = TrustStore((), intermediates=(middle.certificate,))
    assert reason_for(certificate(issuer=middle), store) is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


def test_expired_authority_vouches_for_nobody() -> None:
    """The issuer has to be valid at the same time."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = KeyPair(key, certificate(key, CA, not_before=NOW - timedelta(days=200)))
    leaf = certificate(issuer=issuer)
    assert reason_for(leaf, TrustStore.of([issuer.certificate])) is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


def test_authority_with_a_key_that_cannot_verify_vouches_for_nobody() -> None:
    """An anchor whose key is of another kind than the signature is passed over."""
    key = ed25519.Ed25519PrivateKey.generate()
    anchor = certificate(key, CA, subject="Test Authority")
    assert (
        reason_for(key_pair().certificate, TrustStore.of([anchor]))
        is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    )


class TestRevocation:
    """Revocation lists."""

    @pytest.fixture
    def ca(self) -> CertificateAuthority:
        return CertificateAuthority.create("Revoking", NOW, KeyAlgorithm.P_256)

    @pytest.fixture
    def leaf(self, ca: CertificateAuthority) -> Certificate:
        return ca.issue("Somebody", Purpose.SEAL, country="NO", now=NOW).certificate

    def test_revoked_certificate_is_refused_from_then_on(
        self, ca: CertificateAuthority, leaf: Certificate
    ) -> None:
        """From the time of its revocation a certificate is REVOKED, before it is not (CRT-7)."""
        ca.revoke(leaf, LATER)
        store = TrustStore.of([ca.certificate], [ca.crl(LATER)])
        assert store.check(leaf, LATER, Purpose.SEAL).sub_indication is SubIndication.REVOKED
        assert store.check(leaf, LATER - timedelta(days=1), Purpose.SEAL).ok

    def test_list_without_the_certificate_lets_it_pass(
        self, ca: CertificateAuthority, leaf: Certificate
    ) -> None:
        """A current list that does not name the certificate is what we want to see."""
        store = TrustStore((ca.certificate,), crls=(RevocationList.from_der(ca.crl(NOW)),), require_crl=True)
        assert store.check(leaf, NOW, Purpose.SEAL).ok

    def test_list_of_another_authority_counts_for_nothing(
        self, ca: CertificateAuthority, leaf: Certificate
    ) -> None:
        """Somebody else, even of the same name, cannot revoke."""
        twin = CertificateAuthority.create("Revoking", NOW, KeyAlgorithm.P_256)
        twin.revoked[leaf.serial] = NOW
        store = TrustStore.of([ca.certificate], [twin.crl(NOW), authority().crl(NOW)])
        assert store.check(leaf, NOW, Purpose.SEAL).ok

    def test_list_signed_in_an_unknown_way_counts_for_nothing(
        self, ca: CertificateAuthority, leaf: Certificate
    ) -> None:
        """A signature algorithm that nobody knows is no signature of the authority."""
        ca.revoke(leaf, NOW)
        ecdsa_with_sha256 = bytes.fromhex("2a8648ce3d040302")
        strange = ca.crl(NOW).replace(ecdsa_with_sha256, bytes.fromhex("2a8648ce3d04037f"))
        assert TrustStore.of([ca.certificate], [strange]).check(leaf, NOW, Purpose.SEAL).ok

    @pytest.mark.parametrize("days", [-1, 31])
    def test_missing_revocation_data_fails_closed_when_it_is_required(
        self, ca: CertificateAuthority, leaf: Certificate, days: int
    ) -> None:
        """A list from the future or one that is overdue is no list (CRT-8)."""
        crl = RevocationList.from_der(ca.crl(NOW - timedelta(days=days)))
        store = TrustStore((ca.certificate,), crls=(crl,), require_crl=True)
        assert reason_for(leaf, store) is SubIndication.TRY_LATER

    def test_missing_revocation_data_is_let_pass_by_default(
        self, ca: CertificateAuthority, leaf: Certificate
    ) -> None:
        """Without the requirement a store without lists checks the rest."""
        assert TrustStore.of([ca.certificate]).check(leaf, NOW, Purpose.SEAL).ok

    def test_nonsense_is_no_revocation_list(self) -> None:
        """Octets that are no list are refused with our own error."""
        with pytest.raises(KeyMaterialError, match="revocation list"):
            RevocationList.from_der(b"nonsense")


class TestUsage:
    """What a certificate may be used for."""

    def reason(self, purpose: Purpose, *extensions: Extension) -> SubIndication | None:
        leaf = certificate(None, *extensions)
        return reason_for(leaf, TrustStore.of([leaf]), purpose)

    @pytest.mark.parametrize("purpose", Purpose)
    def test_key_that_may_not_sign_is_refused(self, purpose: Purpose) -> None:
        """keyUsage without digitalSignature rules out every purpose (CRT-9)."""
        assert self.reason(purpose, usage(key_encipherment=True)) is SubIndication.CHAIN_CONSTRAINTS_FAILURE

    def test_seal_may_be_made_with_non_repudiation_alone(self) -> None:
        """nonRepudiation is enough for a seal, not for a message."""
        assert self.reason(Purpose.SEAL, usage(content_commitment=True)) is None
        assert (
            self.reason(Purpose.EBMS, usage(content_commitment=True))
            is SubIndication.CHAIN_CONSTRAINTS_FAILURE
        )

    @pytest.mark.parametrize("purpose", [Purpose.SEAL, Purpose.EBMS])
    def test_tls_certificate_signs_no_documents(self, purpose: Purpose) -> None:
        """A TLS server certificate is refused for seals and messages (CRT-4)."""
        leaf = key_pair(Purpose.TLS).certificate
        assert reason_for(leaf, trust(), purpose) is SubIndication.CHAIN_CONSTRAINTS_FAILURE

    @pytest.mark.parametrize(
        ("extended", "purpose", "expected"),
        [
            (ExtendedKeyUsageOID.EMAIL_PROTECTION, Purpose.SEAL, None),
            (ExtendedKeyUsageOID.EMAIL_PROTECTION, Purpose.TLS, SubIndication.CHAIN_CONSTRAINTS_FAILURE),
            (ExtendedKeyUsageOID.CLIENT_AUTH, Purpose.TLS, None),
            (ExtendedKeyUsageOID.CLIENT_AUTH, Purpose.SEAL, None),
            (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, Purpose.TLS, None),
        ],
    )
    def test_extended_key_usage_is_compared_with_the_purpose(
        self, extended: ObjectIdentifier, purpose: Purpose, expected: SubIndication | None
    ) -> None:
        """Usages of public samples may seal; a mail certificate does not serve TLS."""
        assert self.reason(purpose, (x509.ExtendedKeyUsage([extended]), False)) is expected

    def test_unknown_critical_extension_is_refused(self) -> None:
        """What is critical and unknown to us must not be ignored (CRT-11)."""
        strange = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")
        assert self.reason(Purpose.SEAL, (strange, True)) is SubIndication.CHAIN_CONSTRAINTS_FAILURE
        assert self.reason(Purpose.SEAL, (strange, False)) is None


class TestSigner:
    """The certificate of a signer against what is listed for the party."""

    def check(
        self, listed: list[Certificate] | None, *, store: TrustStore | None = None, at: datetime = NOW
    ) -> TrustVerdict:
        return check_signer(key_pair().certificate, Purpose.SEAL, trust=store, listed=listed, at=at)

    def test_listed_and_trusted_signer_passes(self) -> None:
        """Both questions answered, the signer passes."""
        assert self.check([key_pair().certificate], store=trust()).ok

    def test_listing_replaces_the_chain(self) -> None:
        """Without a trust store a listed certificate is enough."""
        assert self.check([key_pair().certificate]).ok

    def test_unlisted_signer_is_refused_although_the_chain_is_good(self) -> None:
        """Trust is the Institution Repository, not the chain alone (CRT-2, CRT-3)."""
        verdict = self.check([key_pair(Purpose.EBMS).certificate], store=trust())
        assert verdict.sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE
        assert "1 other certificates" in verdict.explanation

    def test_same_key_under_another_certificate_is_named(self) -> None:
        """A renewed certificate over the same key is another certificate, and the refusal says so (CRT-10)."""
        renewed = certificate(key_pair().private_key, issuer=authority().keys)
        verdict = self.check([renewed])
        assert not verdict.ok
        assert str(renewed.serial) in verdict.explanation

    def test_signer_whom_nobody_knows_is_undecided(self) -> None:
        """With neither list nor authorities the signature may be intact, but whose is it."""
        assert self.check(None).sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND

    def test_listed_certificate_still_has_to_be_valid(self) -> None:
        """Listing does not prolong a certificate."""
        at = NOW + timedelta(days=3650)
        assert self.check([key_pair().certificate], at=at).sub_indication is SubIndication.EXPIRED

    def test_listed_certificate_still_has_to_fit_the_purpose(self) -> None:
        """A listed TLS certificate seals nothing."""
        tls = key_pair(Purpose.TLS).certificate
        verdict = check_signer(tls, Purpose.SEAL, trust=None, listed=[tls], at=NOW)
        assert verdict.sub_indication is SubIndication.CHAIN_CONSTRAINTS_FAILURE
