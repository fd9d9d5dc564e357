"""Modes as configuration of other products."""

import json
from dataclasses import replace

import pytest
from lxml import etree
from tests.helpers.lone_gateways import mode_of

from eessi_sim.as4.key_references import KeyReference
from eessi_sim.as4.mode_export import Product, export_mode
from eessi_sim.as4.model import Agreement, Party
from eessi_sim.as4.modes import EESSI, ProfileName, ReplyPattern
from eessi_sim.errors import SettingsError

FIRST = mode_of(
    ProfileName.EDELIVERY_1, agreement=Agreement("urn:agreement & more", "urn:t"), service_type="urn:st"
)
HOLODECK = "{http://holodeck-b2b.org/schemas/2014/10/pmode}"


def xml_of(product: Product, mode: object = FIRST) -> etree._Element:
    """Return the exported file, read by another hand."""
    return etree.fromstring(export_mode(mode, product).encode())  # type: ignore[arg-type] # tests pass modes


def holodeck(path: str, mode: object = FIRST) -> str | None:
    """Return a text of Holodeck's file."""
    return xml_of(Product.HOLODECK, mode).findtext("/".join(HOLODECK + step for step in path.split("/")))


class TestHolodeck:
    """pmode.xsd of Holodeck B2B."""

    def test_file_says_what_the_mode_says(self) -> None:
        """Parties, agreement, service, action, algorithms and reply pattern stand where the schema has them."""
        assert {
            path: holodeck(path)
            for path in (
                "id",
                "Initiator/PartyId",
                "Responder/Role",
                "Agreement/name",
                "Leg/Protocol/Address",
                "Leg/Receipt/ReplyPattern",
                "Leg/UserMessageFlow/BusinessInfo/Service/type",
                "Leg/UserMessageFlow/PayloadProfile/UseAS4Compression",
                "Initiator/SecurityConfiguration/Signing/KeyReferenceMethod",
                "Responder/SecurityConfiguration/Encryption/Algorithm",
            )
        } == {
            "id": "edelivery-1.15 test",
            "Initiator/PartyId": "PL:ZUS001",
            "Responder/Role": "http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/responder",
            "Agreement/name": "urn:agreement & more",
            "Leg/Protocol/Address": "http://receiver.example/as4",
            "Leg/Receipt/ReplyPattern": "RESPONSE",
            "Leg/UserMessageFlow/BusinessInfo/Service/type": "urn:st",
            "Leg/UserMessageFlow/PayloadProfile/UseAS4Compression": "true",
            "Initiator/SecurityConfiguration/Signing/KeyReferenceMethod": "BSTReference",
            "Responder/SecurityConfiguration/Encryption/Algorithm": "http://www.w3.org/2009/xmlenc11#aes128-gcm",
        }

    def test_elements_keep_the_order_of_the_schema(self) -> None:
        """Holodeck reads a sequence."""
        names = [etree.QName(each).localname for each in xml_of(Product.HOLODECK).iterchildren("*")]
        assert names == ["id", "mep", "mepBinding", "Initiator", "Responder", "Agreement", "Leg"]

    def test_what_is_not_agreed_is_left_out(self) -> None:
        """No encryption, agreement or type appears where the mode has none."""
        mode = replace(
            FIRST,
            agreement=None,
            service_type=None,
            sender=Party("a", None),
            security=replace(FIRST.security, encrypts_for=None),
        )
        text = export_mode(mode, Product.HOLODECK)
        assert not any(word in text for word in ("Encryption", "Agreement", "<type>"))


class TestPhase4:
    """JSON of phase4."""

    @pytest.mark.parametrize(
        ("profile", "algorithm"),
        [
            (ProfileName.EDELIVERY_1, "rsa-sha-256"),
            (ProfileName.EDELIVERY_2, "eddsa-ed25519"),
            (ProfileName.EDELIVERY_2_EC, "ecdsa-sha-256"),
        ],
    )
    def test_leg_says_what_the_mode_says(self, profile: ProfileName, algorithm: str) -> None:
        """Signature, encryption and receipts are in the words of the product."""
        document = json.loads(export_mode(mode_of(profile), Product.PHASE4))
        security = document["Leg1"]["Security"]
        assert security["X509SignatureAlgorithm"] == algorithm
        assert security["X509EncryptionAlgorithm"] == "aes128-gcm"
        assert security["SendReceiptReplyPattern"] == "response"
        assert document["Leg1"]["BusinessInfo"]["Service"] == "urn:service"
        assert document["Initiator"]["IDType"] == "urn:type"

    def test_what_is_not_agreed_is_left_out(self) -> None:
        """No agreement, compression, encryption or type of a party appears where the mode has none."""
        mode = replace(
            FIRST,
            agreement=None,
            is_compressed=False,
            sender=Party("a", None),
            security=replace(FIRST.security, encrypts_for=None, signature=None),
        )
        document = json.loads(export_mode(mode, Product.PHASE4))
        assert "Agreement" not in document
        assert "PayloadServices" not in document
        assert "IDType" not in document["Initiator"]
        assert "X509EncryptionAlgorithm" not in document["Leg1"]["Security"]


class TestDomibus:
    """PMode of Domibus."""

    def test_names_that_refer_are_defined(self) -> None:
        """Every name that the leg and the process use exists in the file."""
        root = xml_of(Product.DOMIBUS)
        defined = {each.get("name") for each in root.iter("*")}
        leg, process = root.find(".//legConfiguration"), root.find(".//process")
        assert leg is not None
        assert process is not None
        used = {value for key, value in leg.items() if key not in ("name", "compressPayloads")}
        used |= {value for key, value in process.items() if key != "name"}
        assert used <= defined

    @pytest.mark.parametrize(
        ("reference", "policy"),
        [
            (KeyReference.TOKEN, "eDeliveryAS4Policy_BST.xml"),
            (KeyReference.ISSUER_SERIAL, "eDeliveryAS4Policy_IS.xml"),
            (KeyReference.KEY_IDENTIFIER, "eDeliveryAS4Policy.xml"),
        ],
    )
    def test_policy_follows_the_key_reference(self, reference: KeyReference, policy: str) -> None:
        """Domibus has a policy for each way to name the certificate."""
        mode = replace(FIRST, security=replace(FIRST.security, key_reference=reference))
        security = xml_of(Product.DOMIBUS, mode).find(".//security")
        assert security is not None
        assert security.get("policy") == policy

    def test_readable_message_without_agreement(self) -> None:
        """Without encryption the policy only signs; without agreement the process names none."""
        mode = replace(
            FIRST,
            agreement=None,
            service_type=None,
            sender=Party("a", None),
            security=replace(FIRST.security, encrypts_for=None),
        )
        text = export_mode(mode, Product.DOMIBUS)
        assert "signOnly.xml" in text
        assert 'process name="process" agreement=""' in text


class TestRefusals:
    """What a file cannot say."""

    @pytest.mark.parametrize("product", Product)
    @pytest.mark.parametrize("missing", ["sender", "receiver", "service", "action", "address"])
    def test_incomplete_mode_is_refused(self, product: Product, missing: str) -> None:
        """The error names what is missing."""
        with pytest.raises(SettingsError, match=missing):
            export_mode(mode_of(ProfileName.EDELIVERY_1, **{missing: None}), product)

    def test_key_agreement_is_refused_where_the_file_cannot_say_it(self) -> None:
        """Holodeck's and Domibus' files have no key agreement."""
        for product in (Product.HOLODECK, Product.DOMIBUS):
            with pytest.raises(SettingsError, match="X25519"):
                export_mode(mode_of(ProfileName.EDELIVERY_2), product)

    def test_multi_hop_is_refused(self) -> None:
        """EESSI's way over access points is no point-to-point configuration."""
        with pytest.raises(SettingsError, match="multi-hop"):
            export_mode(replace(EESSI, reply=ReplyPattern.CALLBACK), Product.PHASE4)
