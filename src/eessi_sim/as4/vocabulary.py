"""The URIs and fixed words of SOAP, ebMS3, AS4, WS-Security and the EESSI profile. No behaviour.

Sources: SOAP 1.2, ebMS3 core 5.2 and part 2, AS4 profile 1.0, WSS SwA profile 1.1, WSS X.509 token profile
1.1 (documented); EESSI's URNs as the public AS4 samples of the EESSI reference software show them (observed).
"""

from typing import Final

S12: Final = "http://www.w3.org/2003/05/soap-envelope"
EB: Final = "http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/"
EBBP: Final = "http://docs.oasis-open.org/ebxml-bp/ebbp-signals-2.0"
EBINT: Final = "http://docs.oasis-open.org/ebxml-msg/ns/ebms/v3.0/multihop/200902/"
WSA: Final = "http://www.w3.org/2005/08/addressing"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
DSIG11: Final = "http://www.w3.org/2009/xmldsig11#"
DSIG_MORE: Final = "http://www.w3.org/2021/04/xmldsig-more#"
XML: Final = "http://www.w3.org/XML/1998/namespace"
_WSS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE: Final = _WSS + "wssecurity-secext-1.0.xsd"
WSSE11: Final = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
WSU: Final = _WSS + "wssecurity-utility-1.0.xsd"

X509_V3: Final = _WSS + "x509-token-profile-1.0#X509v3"
X509_SKI: Final = _WSS + "x509-token-profile-1.0#X509SubjectKeyIdentifier"
BASE64_BINARY: Final = _WSS + "soap-message-security-1.0#Base64Binary"
ENCRYPTED_KEY: Final = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#EncryptedKey"
_SWA: Final = "http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#"
SWA_CONTENT_ONLY: Final = _SWA + "Attachment-Content-Only"
SWA_CIPHERTEXT: Final = _SWA + "Attachment-Ciphertext-Transform"

PART2: Final = "http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/part2/200811/"
NEXT_MSH: Final = PART2 + "nextmsh"
"""SOAP role of a header that the next ebMS intermediary may act on (ebMS3 part 2, 2.6)."""
ICLOUD: Final = PART2 + "icloud"
"""WS-Addressing destination of a signal that intermediaries shall route (AS4 4.4)."""
ULTIMATE_RECEIVER: Final = S12 + "/role/ultimateReceiver"
NEXT: Final = S12 + "/role/next"
RECEIPT_ACTION: Final = EB + "oneWay.receipt"
ERROR_ACTION: Final = EB + "oneWay.error"

DEFAULT_MPC: Final = EB + "defaultMPC"
"""Message partition channel of a message that names none (ebMS3 core 3.4.1)."""
INITIATOR_ROLE: Final = EB + "initiator"
RESPONDER_ROLE: Final = EB + "responder"
"""Roles of parties that agreed on no others (ebMS3 core appendix D.3)."""
TEST_SERVICE: Final = EB + "service"
TEST_ACTION: Final = EB + "test"

PARTY_TYPE: Final = "urn:eu:europa:ec:dgempl:eessi:ir"
INSTITUTION_ROLE: Final = PARTY_TYPE + ":institution"
CSN_ROLE: Final = PARTY_TYPE + ":csn"
"""Role of the central service node (inferred)."""
ACCESS_POINT_ROLE: Final = PARTY_TYPE + ":ap"
"""Role of an access point (inferred)."""
SERVICE_TYPE: Final = "urn:eu:europa:ec:dgempl:eessi"
BUSINESS_SERVICE: Final = "BusinessMessaging"
SYSTEM_SERVICE: Final = "SystemMessaging"
SEND_ACTION: Final = "Send"

SOAP_MEDIA_TYPE: Final = "application/soap+xml"
SOAP_CONTENT_TYPE: Final = SOAP_MEDIA_TYPE + "; charset=utf-8"
GZIP_MEDIA_TYPE: Final = "application/gzip"

PART_TYPE: Final = "PartType"
MIME_TYPE: Final = "MimeType"
COMPRESSION_TYPE: Final = "CompressionType"
CHARACTER_SET: Final = "CharacterSet"
