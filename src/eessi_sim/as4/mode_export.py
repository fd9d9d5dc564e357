"""Writes a processing mode as configuration of other products, for the people at the other side.

Formats as the public sources of the products have them: Holodeck B2B's pmode.xsd, phase4's PModeJsonConverter,
samples of Domibus' PMode (documented; values that a product names itself are inferred). Key stores, users and what
becomes of received messages are the other side's own business and are left to them, with a comment.
"""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from lxml import etree

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.key_references import KeyReference
from eessi_sim.as4.model import Party
from eessi_sim.as4.modes import KeyUse, ProcessingMode, ReplyPattern
from eessi_sim.errors import SettingsError
from eessi_sim.security.ciphers import ContentCipher, Hash, KeyCipher, MaskHash
from eessi_sim.security.policy import DigestAlgorithm, SignatureAlgorithm
from eessi_sim.xmlsafe import escape_attribute, escape_text, parse, serialize


class Product(StrEnum):
    """Whose configuration is written."""

    HOLODECK = "holodeck"
    PHASE4 = "phase4"
    DOMIBUS = "domibus"


def export_mode(mode: ProcessingMode, product: Product) -> str:
    """Return the configuration text of ``product`` for ``mode``.

    Args:
        mode: complete: both parties, service, action, address.
        product: whose format.

    Raises:
        SettingsError: the mode is not complete, or the product's file cannot say what it says.
    """
    if mode.is_multihop:
        raise _inexpressible(
            mode, product, "a multi-hop exchange; institutions send through their access point"
        )
    if product is not Product.PHASE4 and mode.security.encrypts_for not in (None, KeyUse.RSA):
        raise _inexpressible(mode, product, f"encryption by key agreement for {mode.security.encrypts_for}")
    return _WRITERS[product](_Complete(mode))


def _inexpressible(mode: ProcessingMode, product: Product, what: str) -> SettingsError:
    return SettingsError(
        f'Expected a P-Mode that a file of {product} can express, found "{mode.id}" with {what}',
        hint="Choose another profile, or configure this part by hand.",
    )


class _Complete:
    """A mode whose optional parts are all there.

    Raises:
        SettingsError: something is missing.
    """

    def __init__(self, mode: ProcessingMode) -> None:
        self.mode = mode
        self.sender, self.receiver = (
            self._given(mode.sender, "sender"),
            self._given(mode.receiver, "receiver"),
        )
        self.service = self._text(mode.service, "service")
        self.action = self._text(mode.action, "action")
        self.address = self._text(mode.address, "address")
        security = mode.security
        self.signature = security.signature or SignatureAlgorithm.RSA_SHA256
        self.is_encrypted = security.encrypts_for is not None

    def _given(self, party: Party | None, what: str) -> Party:
        if party is None:
            raise self._missing(what)
        return party

    def _text(self, value: str | None, what: str) -> str:
        if value is None:
            raise self._missing(what)
        return value

    def _missing(self, what: str) -> SettingsError:
        return SettingsError(f'Expected a {what} in the P-Mode "{self.mode.id}", found none')


# Holodeck B2B

_HOLODECK: Final = "http://holodeck-b2b.org/schemas/2014/10/pmode"
_ONE_WAY: Final = vocabulary.EB + "oneWay"
_PUSH: Final = vocabulary.EB + "push"
_HOLODECK_REFERENCES: Final = MappingProxyType(
    {
        KeyReference.TOKEN: "BSTReference",
        KeyReference.ISSUER_SERIAL: "IssuerSerial",
        KeyReference.KEY_IDENTIFIER: "KeyIdentifier",
    }
)


def _holodeck(whole: _Complete) -> str:
    mode, security = whole.mode, whole.mode.security
    signing = (
        "<SecurityConfiguration><Signing><KeystoreAlias>ALIAS-OF-THE-SENDER</KeystoreAlias>"
        f"<KeyReferenceMethod>{_HOLODECK_REFERENCES[security.key_reference]}</KeyReferenceMethod>"
        f"<Algorithm>{whole.signature}</Algorithm><HashFunction>{DigestAlgorithm.SHA256}</HashFunction>"
        "</Signing></SecurityConfiguration>"
    )
    reply = mode.reply.upper()
    return _pretty(
        f'<PMode xmlns="{_HOLODECK}">'
        f"<id>{escape_text(mode.id)}</id><mep>{_ONE_WAY}</mep><mepBinding>{_PUSH}</mepBinding>"
        f"<Initiator>{_holodeck_party(whole.sender)}{signing}</Initiator>"
        f"<Responder>{_holodeck_party(whole.receiver)}{_holodeck_receiver(whole)}</Responder>"
        f"{_holodeck_agreement(mode)}"
        f"<Leg><Protocol><Address>{escape_text(whole.address)}</Address></Protocol>"
        f"<Receipt><ReplyPattern>{reply}</ReplyPattern></Receipt>"
        "<ReceptionAwareness><UseDuplicateElimination>true</UseDuplicateElimination></ReceptionAwareness>"
        "<!-- A receiver needs a DefaultDelivery here; see the examples of your version. -->"
        "<UserMessageFlow><BusinessInfo>"
        f"<Action>{escape_text(whole.action)}</Action><Mpc>{escape_text(mode.mpc)}</Mpc>"
        f"<Service><name>{escape_text(whole.service)}</name>{_leaf('type', mode.service_type)}</Service>"
        f"</BusinessInfo><ErrorHandling><ReplyPattern>{reply}</ReplyPattern></ErrorHandling>"
        f"<PayloadProfile><UseAS4Compression>{_word(mode.is_compressed)}</UseAS4Compression></PayloadProfile>"
        "</UserMessageFlow></Leg></PMode>"
    )


def _holodeck_party(party: Party) -> str:
    kind = "" if party.type is None else f' type="{escape_attribute(party.type)}"'
    return f"<PartyId{kind}>{escape_text(party.id)}</PartyId><Role>{escape_text(party.role)}</Role>"


def _holodeck_receiver(whole: _Complete) -> str:
    """Encryption is configured at the partner who decrypts; so is the signature of its receipts."""
    security = whole.mode.security
    reference = _HOLODECK_REFERENCES[security.recipient_reference]
    encryption = (
        f"<Encryption><KeystoreAlias>ALIAS-OF-THE-RECEIVER</KeystoreAlias><Algorithm>{ContentCipher.AES128_GCM}"
        f"</Algorithm><KeyTransport><Algorithm>{KeyCipher.RSA_OAEP}</Algorithm>"
        f"<MGFAlgorithm>{MaskHash.SHA256}</MGFAlgorithm><DigestAlgorithm>{Hash.SHA256}</DigestAlgorithm>"
        f"<KeyReferenceMethod>{reference}</KeyReferenceMethod></KeyTransport></Encryption>"
    )
    return (
        "<SecurityConfiguration><Signing><KeystoreAlias>ALIAS-OF-THE-RECEIVER</KeystoreAlias>"
        f"<KeyReferenceMethod>{_HOLODECK_REFERENCES[security.key_reference]}</KeyReferenceMethod>"
        f"<Algorithm>{whole.signature}</Algorithm></Signing>"
        f"{encryption if whole.is_encrypted else ''}</SecurityConfiguration>"
    )


def _holodeck_agreement(mode: ProcessingMode) -> str:
    if mode.agreement is None:
        return ""
    return f"<Agreement>{_leaf('type', mode.agreement.type)}{_leaf('name', mode.agreement.value)}</Agreement>"


def _leaf(name: str, text: str | None) -> str:
    return "" if text is None else f"<{name}>{escape_text(text)}</{name}>"


# phase4

_PHASE4_SIGNATURES: Final[Mapping[SignatureAlgorithm, str]] = MappingProxyType(
    {
        SignatureAlgorithm.RSA_SHA256: "rsa-sha-256",
        SignatureAlgorithm.ECDSA_SHA256: "ecdsa-sha-256",
        SignatureAlgorithm.ED25519: "eddsa-ed25519",
    }
)


def _phase4(whole: _Complete) -> str:
    mode = whole.mode
    security: dict[str, object] = {
        "WSSVersion": "1.1.1",
        "X509SignatureHashFunction": "sha-256",
        "X509SignatureAlgorithm": _PHASE4_SIGNATURES[whole.signature],
        "SendReceipt": True,
        "SendReceiptReplyPattern": str(mode.reply),
        "SendReceiptNonRepudiation": True,
    }
    if whole.is_encrypted:
        security["X509EncryptionAlgorithm"] = "aes128-gcm"
    business = {
        "Service": whole.service,
        "ServiceType": mode.service_type,
        "Action": whole.action,
        "MPCID": mode.mpc,
    }
    awareness = mode.awareness
    document = {
        "id": mode.id,
        "Initiator": _phase4_party(whole.sender),
        "Responder": _phase4_party(whole.receiver),
        "Agreement": mode.agreement and mode.agreement.value,
        "MEP": "oneway",
        "MEPBinding": "push",
        "Leg1": {
            "Protocol": {"Address": whole.address, "SoapVersion": "1.2"},
            "BusinessInfo": {key: value for key, value in business.items() if value is not None},
            "ErrorHandling": {"ReportAsResponse": mode.reply is ReplyPattern.RESPONSE},
            "Security": security,
        },
        "PayloadServices": {"CompressionMode": "gzip"} if mode.is_compressed else None,
        "RecepetionAwareness": {  # spelt so in the product
            "ReceptionAwareness": True,
            "Retry": awareness.retries > 0,
            "MaxRetries": awareness.retries,
            "RetryIntervalMS": int(awareness.interval * 1000),
            "DuplicateDetection": True,
        },
    }
    kept = {key: value for key, value in document.items() if value is not None}
    return json.dumps(kept, indent=2, ensure_ascii=False) + "\n"


def _phase4_party(party: Party) -> dict[str, str]:
    kind = {} if party.type is None else {"IDType": party.type}
    return {**kind, "IDValue": party.id, "Role": party.role}


# Domibus

_DOMIBUS: Final = "http://domibus.eu/configuration"
_DOMIBUS_POLICIES: Final = MappingProxyType(
    {
        KeyReference.TOKEN: "eDeliveryAS4Policy_BST.xml",
        KeyReference.ISSUER_SERIAL: "eDeliveryAS4Policy_IS.xml",
        KeyReference.KEY_IDENTIFIER: "eDeliveryAS4Policy.xml",
    }
)
"""Policies that Domibus brings along (names documented; which one refers how is inferred)."""


def _domibus(whole: _Complete) -> str:
    mode = whole.mode
    agreement = "" if mode.agreement is None else "agreement"
    agreements = ""
    if mode.agreement is not None:
        named = mode.agreement
        agreements = f'<agreement name="agreement"{_attributes(value=named.value, type=named.type or "")}/>'
    policy = _DOMIBUS_POLICIES[mode.security.key_reference] if whole.is_encrypted else "signOnly.xml"
    awareness = mode.awareness
    minutes = max(1, round(awareness.retries * awareness.max_interval / 60))
    types = dict.fromkeys(party.type or "" for party in (whole.sender, whole.receiver))
    return _pretty(
        f'<db:configuration xmlns:db="{_DOMIBUS}" party="receiver">'
        f'<mpcs><mpc name="mpc" qualifiedName="{escape_attribute(mode.mpc)}" enabled="true" default="true"'
        ' retention_downloaded="0" retention_undownloaded="14400"/></mpcs>'
        "<businessProcesses><roles>"
        f'<role name="senderRole"{_attributes(value=whole.sender.role)}/>'
        f'<role name="receiverRole"{_attributes(value=whole.receiver.role)}/></roles>'
        f"<parties><partyIdTypes>{''.join(_domibus_type(n, kind) for n, kind in enumerate(types))}</partyIdTypes>"
        "<!-- The sender's endpoint is only used when the receiver sends messages of its own. -->"
        f"{_domibus_party('sender', whole.sender, 'http://unused.example/', list(types))}"
        f"{_domibus_party('receiver', whole.receiver, whole.address, list(types))}</parties>"
        f'<meps><mep name="oneway" value="{_ONE_WAY}"/><binding name="push" value="{_PUSH}"/></meps>'
        "<properties/><payloadProfiles/>"
        f'<securities><security name="security" policy="{policy}"'
        ' signatureMethod="RSA_SHA256"/></securities>'
        '<errorHandlings><errorHandling name="errors" errorAsResponse="true" businessErrorNotifyProducer="true"'
        ' businessErrorNotifyConsumer="true" deliveryFailureNotifyProducer="true"/></errorHandlings>'
        f"<agreements>{agreements}</agreements><services>"
        f'<service name="service"{_attributes(value=whole.service, type=mode.service_type or "")}/></services>'
        f'<actions><action name="action"{_attributes(value=whole.action)}/></actions>'
        f'<as4><receptionAwareness name="awareness" retry="{minutes};{awareness.retries};CONSTANT"'
        f' duplicateDetection="true"/><reliability name="reliability" nonRepudiation="true"'
        f' replyPattern="{mode.reply}"/></as4>'
        '<legConfigurations><legConfiguration name="leg" service="service" action="action" defaultMpc="mpc"'
        ' reliability="reliability" security="security" receptionAwareness="awareness" errorHandling="errors"'
        f' compressPayloads="{_word(mode.is_compressed)}"/></legConfigurations>'
        f'<process name="process" agreement="{agreement}" mep="oneway" binding="push" initiatorRole="senderRole"'
        ' responderRole="receiverRole"><initiatorParties><initiatorParty name="sender"/></initiatorParties>'
        '<responderParties><responderParty name="receiver"/></responderParties><legs><leg name="leg"/></legs>'
        "</process></businessProcesses></db:configuration>"
    )


def _domibus_type(number: int, kind: str) -> str:
    return f'<partyIdType name="type{number}"{_attributes(value=kind)}/>'


def _domibus_party(name: str, party: Party, endpoint: str, types: list[str]) -> str:
    kind = f"type{types.index(party.type or '')}"
    return (
        f'<party name="{name}"{_attributes(endpoint=endpoint)}>'
        f'<identifier{_attributes(partyId=party.id)} partyIdType="{kind}"/></party>'
    )


def _attributes(**values: str) -> str:
    return "".join(f' {name}="{escape_attribute(value)}"' for name, value in values.items())


def _word(value: object) -> str:
    return str(value).lower()


def _pretty(text: str) -> str:
    """Return an element with one line per child, for people who edit it."""
    root = parse(text.encode(), comments=True)
    etree.indent(root)
    return serialize(root).decode() + "\n"


_WRITERS: Final[Mapping[Product, Callable[[_Complete], str]]] = MappingProxyType(
    {Product.HOLODECK: _holodeck, Product.PHASE4: _phase4, Product.DOMIBUS: _domibus}
)
