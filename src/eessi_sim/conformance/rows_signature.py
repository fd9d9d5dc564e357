"""Rows 7.1 and 7.2: signature wrapping, references, algorithms, keys and certificates."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from eessi_sim.as4 import vocabulary
from eessi_sim.conformance.bench import Bench
from eessi_sim.conformance.forgery import Forgery
from eessi_sim.conformance.network import Range
from eessi_sim.conformance.plays import NetworkPlay, Play, Stimulus, Wire, fired, forged, sent, submitted
from eessi_sim.conformance.setting import FK, NAV, POINT, ZUS
from eessi_sim.conformance.wire import Shot
from eessi_sim.security import xmldsig
from eessi_sim.security.keys import KeyPair, Purpose
from eessi_sim.security.xmldsig import Reference

DS = vocabulary.DS
XENC = vocabulary.XENC
C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
STR = "<wsse:SecurityTokenReference>{}</wsse:SecurityTokenReference>"
Refs = tuple[Reference, ...]


def hidden(made: Forgery) -> str:
    """The forged header that an attacker wants to be processed."""
    conversation = made.unit.collaboration.conversation_id
    return made.messaging.replace(f"ConversationId>{conversation}<", "ConversationId>forged<").replace(
        "ebms-1", "ebms-2"
    )


def wrapped(inner: str) -> str:
    """A header block that nobody knows, around something."""
    return f'<w:W xmlns:w="urn:w" xmlns:S12="{vocabulary.S12}">{inner}</w:W>'


def put(place: Callable[[Forgery, str], str]) -> Play:
    """Put the forged header and the signed one where the function says."""
    return forged(lambda f: replace(f, edits=((f.messaging, place(f, f.messaging)),)))


def with_object(objects: Callable[[str], str]) -> Play:
    """Hide the signed header in the signature, and put the forged one in its place."""

    def change(f: Forgery) -> Forgery:
        end = "</wsse:Security>"
        return replace(f, objects=objects(f.messaging), edits=((end + f.messaging, end + hidden(f)),))

    return forged(change)


def references(choose: Callable[[Refs], Refs]) -> Play:
    """Sign other references than those that belong to the message: Messaging, Body, SED, attachment."""
    return forged(lambda f: replace(f, references=choose(f.usual_references())))


def info(old: str, new: str) -> Play:
    """Sign another SignedInfo."""
    return forged(lambda f: replace(f, signed_edits=((old, new),)))


def with_(**changes: Any) -> Play:  # fields of Forgery
    """Replace fields of the forgery."""
    return forged(lambda f: replace(f, **changes))


def uri(text: str) -> Play:
    """One more reference, to this URI."""
    return references(lambda r: (*r, replace(r[2], uri=text)))


def transform(index: int, *steps: xmldsig.TransformStep) -> Play:
    """Other transforms for one of the references."""
    return references(lambda r: (*r[:index], replace(r[index], transforms=steps), *r[index + 1 :]))


def inside(f: Forgery, inner: str) -> str:
    """The forged header with something inside it."""
    return hidden(f).replace("</eb:Messaging>", f"{inner}</eb:Messaging>")


def body_moved(f: Forgery) -> Forgery:
    """The signed Body in the Header, another one in its place."""
    other = f.body.replace("body-1", "body-2")
    return replace(f, edits=((f.body, other), ("</S12:Header>", f.body + "</S12:Header>")))


def body_filled(f: Forgery) -> Forgery:
    """The same with something in the new Body."""
    other = f.body.replace("body-1", "body-2").replace("><", "><x/><")
    return replace(f, edits=((f.body, other), ("</S12:Header>", f.body + "</S12:Header>")))


PREFIX = xmldsig.TransformStep(xmldsig.EXCLUSIVE.transform, ("evil",))
EVIL = (
    f'<S12:Envelope xmlns:S12="{vocabulary.S12}"',
    f'<S12:Envelope xmlns:S12="{vocabulary.S12}" xmlns:evil="urn:evil"',
)


def in_receiver(f: Forgery, mark: str) -> tuple[str, str]:
    """An edit that puts something into the id of the receiver."""
    name = f.unit.receiver.id
    return f">{name}<", f">{name[:2]}{mark}{name[2:]}<"


def comment_in_value(f: Forgery) -> Forgery:
    """A comment in the id of the receiver."""
    return replace(f, edits=(in_receiver(f, "<!-- -->"),))


WRAPPING: tuple[Stimulus | Wire, ...] = (
    Wire("XSW-1", "forged first, signed in a wrapper", put(lambda f, signed: hidden(f) + wrapped(signed))),
    Wire("XSW-2", "signed detached in front", put(lambda f, signed: wrapped(signed) + hidden(f))),
    Wire("XSW-3", "sibling of the signed one", put(lambda f, signed: hidden(f) + signed)),
    Wire("XSW-4", "forged parent", put(lambda f, signed: inside(f, wrapped(signed)))),
    Wire("XSW-5", "signed in ds:Object", with_object(lambda signed: f"<ds:Object>{signed}</ds:Object>")),
    Wire("XSW-6", "signed inside the Signature", with_object(wrapped)),
    Wire("XSW-7", "same id in an extension", put(lambda f, signed: inside(f, wrapped(signed)).replace("ebms-2", "ebms-1"))),
    Wire("XSW-7", "same id in ErrorDetail of another unit", put(lambda _, signed: signed.replace("</eb:Messaging>", f"{wrapped(signed)}</eb:Messaging>"))),
    Wire("XSW-8", "forged parent of ds:Object", forged(lambda f: replace(f, objects=f"<ds:Object>{f.messaging}</ds:Object>", edits=((f"</wsse:Security>{f.messaging}", f"</wsse:Security>{inside(f, wrapped(''))}"),)))),
    Wire("XSW-9", "Body moved to the header", forged(body_moved)),
    Wire("XSW-9", "Body moved and filled", forged(body_filled)),
    Wire("ID-1", "wsu:Id twice", forged(lambda f: replace(f, edits=((f.body, f.body.replace("body-1", "ebms-1")),)))),
    Wire("ID-1", "Id and xml:id", forged(lambda f: replace(f, edits=(("<eb:UserMessage", '<eb:UserMessage Id="x"'), ("<eb:MessageInfo>", '<eb:MessageInfo xml:id="x">'))))),
    Wire("ID-1", "ID and Id", forged(lambda f: replace(f, edits=(("<eb:UserMessage", '<eb:UserMessage ID="x"'), ("<eb:MessageInfo>", '<eb:MessageInfo Id="x">'))))),
    Wire("ID-1", "id of another header block", forged(lambda f: replace(f, blocks='<w:W xmlns:w="urn:w" id="ebms-1"></w:W>'))),
    Wire("ID-2", "id on a child", forged(lambda f: replace(f, edits=((' wsu:Id="ebms-1"', ""), ("<eb:UserMessage", '<eb:UserMessage Id="ebms-1"'))))),
    Wire("REF-1", "no reference to Messaging", references(lambda r: r[1:])),
    Wire("REF-2", "no reference to Body", references(lambda r: (r[0], *r[2:]))),
    Wire("REF-3", "no reference to the attachment", references(lambda r: r[:3])),
    Wire("REF-3", "no reference to the SED", references(lambda r: (*r[:2], r[3]))),
    Wire("REF-4", "cid that does not exist", uri("cid:other@pl.example")),
    Wire("REF-5", "http", uri("http://127.0.0.1:9/x")),
    Wire("REF-5", "file", uri("file:///etc/hostname")),
    Wire("REF-5", "ftp", uri("ftp://127.0.0.1/x")),
    Wire("REF-6", "empty URI", uri("")),
    Wire("REF-6", "no URI", info(' URI="#body-1"', "")),
    *(
        Wire("REF-7", name, info(f'<ds:Transform Algorithm="{C14N}">', f'<ds:Transform Algorithm="{algorithm}">'))
        for name, algorithm in {
            "XPath": "http://www.w3.org/TR/1999/REC-xpath-19991116",
            "XPath filter": "http://www.w3.org/2002/06/xmldsig-filter2",
            "XSLT": "http://www.w3.org/TR/1999/REC-xslt-19991116",
            "base64": DS + "base64",
            "enveloped": DS + "enveloped-signature",
            "unknown": "urn:unknown",
        }.items()
    ),
    Wire("REF-7", "no transform", transform(0)),
    Wire("REF-8", "2 500 references", references(lambda r: r * 625)),
    Wire("REF-8", "10 000 references", references(lambda r: r * 2500)),
    Wire("REF-9", "prefix list that changes the octets", forged(lambda f: replace(f, references=(f.usual_references()[0], replace(f.usual_references()[1], transforms=(PREFIX,)), *f.usual_references()[2:]), edits=(EVIL,)))),
    Wire("REF-10", "SwA transform inside the document", transform(0, xmldsig.SWA_CONTENT)),
    Wire("REF-10", "exc-c14n on a part", transform(2, xmldsig.EXCLUSIVE)),
    Wire("SEC-1", "two Security headers", forged(lambda f: replace(f, blocks=f'<w:Security xmlns:w="{vocabulary.WSSE}"></w:Security>'))),
    Wire("SEC-2", "two signatures", with_(in_security=f'<ds:Signature xmlns:ds="{DS}"></ds:Signature>')),
    Stimulus("SEC-3", "no Security header", fired(lambda live: Shot.of(live.unsigned()))),
    Wire("SEC-4", "Security for another role", with_(security_attributes=' S12:role="urn:else"')),
    Wire("COM-1", "comment in a value", submitted(lambda live: Shot.of(comment_in_value(live.forgery()).packed()))),
    Wire("COM-1", "processing instruction in a value", forged(lambda f: replace(f, edits=(in_receiver(f, "<?x y?>"),)))),
)  # fmt: skip


def algorithm(old: str, new: str) -> Play:
    """Name another algorithm in SignedInfo."""
    return info(f'Algorithm="{old}"', f'Algorithm="{new}"')


def method(new: str) -> Play:
    """Name another signature method in SignedInfo."""
    return forged(
        lambda f: replace(
            f, signed_edits=((f'Algorithm="{f.keys.signature_algorithm}"', f'Algorithm="{new}"'),)
        )
    )


def signed_by(name: str) -> NetworkPlay:
    """Sign with one of the odd certificates of the sender, which the directory lists."""
    return fired(lambda live: Shot.of(live.forgery(keys=live.odd[name]).packed()))


def signed_with(keys: Callable[[Range], KeyPair]) -> NetworkPlay:
    """Sign with the keys of somebody."""
    return fired(lambda live: Shot.of(live.forgery(keys=keys(live)).packed()))


def token(der: bytes) -> Play:
    """Bring something along that is no certificate."""
    return with_(token=der)


def token_of(der: Callable[[Range], bytes]) -> NetworkPlay:
    """Bring another certificate along than the one that belongs to the key."""
    return fired(lambda live: Shot.of(live.forgery(token=der(live)).packed()))


def padded(f: Forgery) -> Forgery:
    """An octet behind the certificate."""
    return replace(f, token=f.keys.certificate.der + b"\0")


def value(change: Callable[[str], str]) -> Play:
    """Change the SignatureValue."""

    def make(live: Bench) -> Shot:
        packed = live.forgery().packed()
        head, mark, rest = packed.body.partition(b"<ds:SignatureValue>")
        old, end, tail = rest.partition(b"</ds:SignatureValue>")
        return Shot.of(replace(packed, body=b"".join((head, mark, change(old.decode()).encode(), end, tail))))

    return sent(make)


def pss(live: Range) -> Shot:
    """An RSA signature with another padding than the algorithm says, made with an exponent of 3."""
    keys = live.odd["exponent"]
    made = live.forgery(keys=keys)
    packed = made.packed()
    head, mark, rest = packed.body.partition(b"<ds:SignatureValue>")
    salt = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    wrong = b64encode(keys.private_key.sign(b"x", salt, hashes.SHA256()))  # type: ignore[call-arg,arg-type] # RSA
    return Shot.of(replace(packed, body=head + mark + wrong + rest[rest.index(b"</ds:SignatureValue>") :]))


def encrypted(data: str, *, place: str = "security") -> Play:
    """Put encryption into the message."""
    if place == "security":
        return with_(in_security=data, encryption=None)
    return forged(lambda f: replace(f, edits=((f.body, f.body.replace("><", f">{data}<")),)))


def key(method: str, *, recipient: str = "<ds:KeyInfo/>", cipher: str = "AAAA", extra: str = "") -> str:
    """An EncryptedKey."""
    return (
        f'<xenc:EncryptedKey xmlns:xenc="{XENC}" xmlns:ds="{DS}"><xenc:EncryptionMethod Algorithm="{method}">{extra}'
        f"</xenc:EncryptionMethod>{recipient}<xenc:CipherData><xenc:CipherValue>{cipher}</xenc:CipherValue>"
        '</xenc:CipherData><xenc:ReferenceList><xenc:DataReference URI="#ed-1"/></xenc:ReferenceList></xenc:EncryptedKey>'
    )


def data(method: str, reference: str = "cid:att-1@pl.example") -> str:
    """An EncryptedData of a part."""
    return (
        f'<xenc:EncryptedData xmlns:xenc="{XENC}" Id="ed-1" MimeType="application/pdf"'
        ' Type="http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Content-Only">'
        f'<xenc:EncryptionMethod Algorithm="{method}"/><xenc:CipherData><xenc:CipherReference URI="{reference}"/>'
        "</xenc:CipherData></xenc:EncryptedData>"
    )


OAEP = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
GCM = "http://www.w3.org/2009/xmlenc11#aes128-gcm"

ALGORITHMS: tuple[Stimulus | Wire, ...] = (
    Wire("ALG-1", "rsa-sha1", method(DS + "rsa-sha1")),
    Wire("ALG-1", "dsa-sha1", method(DS + "dsa-sha1")),
    Wire("ALG-1", "sha1 digest", algorithm(SHA256, DS + "sha1")),
    Wire("ALG-2", "md5", algorithm(SHA256, MORE + "md5")),
    Wire("ALG-2", "rsa-md5", method(MORE + "rsa-md5")),
    Wire("ALG-3", "hmac-sha256", method(MORE + "hmac-sha256")),
    Wire("ALG-3", "hmac truncated", forged(lambda f: replace(f, signed_edits=((f'<ds:SignatureMethod Algorithm="{f.keys.signature_algorithm}">', f'<ds:SignatureMethod Algorithm="{DS}hmac-sha1"><ds:HMACOutputLength>8</ds:HMACOutputLength>'),)))),
    Wire("ALG-4", "empty", method("")),
    Wire("ALG-4", "none", method("none")),
    Wire("ALG-4", "unknown", method("urn:unknown")),
    Stimulus("ALG-5", "RSA of 1024 bits", signed_by("short")),
    Stimulus("ALG-5", "exponent 3, other padding", fired(pss)),
    Wire("ALG-5", "value too short", value(lambda _: "AAAA")),
    Wire("ALG-5", "value too long", value(lambda text: text + text)),
    Wire("ALG-5", "value empty", value(lambda _: "")),
    Wire("ALG-5", "value of zeros", value(lambda _: b64encode(bytes(64)).decode())),
    Wire("ALG-6", "aes-cbc", encrypted(key(OAEP) + data(XENC + "aes128-cbc"))),
    Wire("ALG-6", "3DES", encrypted(key(OAEP) + data(XENC + "tripledes-cbc"))),
    Wire("ALG-7", "rsa-1_5", encrypted(key(XENC + "rsa-1_5") + data(GCM))),
    Wire("ALG-8", "OAEP with SHA-1", encrypted(key(XENC + "rsa-oaep-mgf1p") + data(GCM))),
    Wire("ALG-12", "Body encrypted", encrypted(data(GCM), place="body")),
    Wire("ALG-12", "Messaging encrypted", forged(lambda f: replace(f, edits=((f.messaging, data(GCM, "#x")),)))),
    Stimulus("ALG-14", "encryption at the institution", fired(lambda live: Shot.of(live.forgery(in_security=key(OAEP) + data(GCM)).packed(), to=ZUS, client=POINT)), target=ZUS),
    Wire("ALG-15", "many EncryptedKeys", encrypted(f'<x:EncryptedKey xmlns:x="{XENC}"/>' * 5000)),
    Wire("KEY-1", "KeyName", with_(key_info="<ds:KeyName>NO:NAVAT07</ds:KeyName>")),
    Wire("KEY-1", "KeyValue", with_(key_info="<ds:KeyValue></ds:KeyValue>")),
    Wire("KEY-1", "RetrievalMethod", with_(key_info='<ds:RetrievalMethod URI="http://127.0.0.1:9/key"></ds:RetrievalMethod>')),
    Wire("KEY-1", "remote reference", with_(key_info=STR.format(f'<wsse:Reference URI="http://127.0.0.1:9/key" ValueType="{vocabulary.X509_V3}"/>'))),
    Stimulus("KEY-2", "certificate of another key", token_of(lambda live: live.keys[NAV].seal.certificate.der)),
    Stimulus("KEY-2", "listed certificate of another key", token_of(lambda live: live.odd["usage"].certificate.der)),
    Wire("KEY-3", "token in another header", forged(lambda f: replace(f, key_info=f.key_info.replace("#cert-1", "#cert-2"), blocks=f'<w:W xmlns:w="urn:w"><wsse:BinarySecurityToken xmlns:wsse="{vocabulary.WSSE}" xmlns:wsu="{vocabulary.WSU}" wsu:Id="cert-2">AAAA</wsse:BinarySecurityToken></w:W>'))),
    Wire("KEY-3", "token in an attachment", forged(lambda f: replace(f, key_info=f.key_info.replace("#cert-1", "cid:att-1@pl.example")))),
    Wire("KEY-4", "certificate path", with_(edits=(("#X509v3", "#X509PKIPathv1"),))),
    Stimulus("CRT-1", "foreign authority, listed", signed_by("foreign")),
    Stimulus("CRT-1", "self-signed, listed", signed_by("self-signed")),
    Stimulus("CRT-2", "not listed", signed_with(lambda live: live.authority.issue(NAV, Purpose.EBMS, country="NO", now=live.state.started_at))),
    Stimulus("CRT-3", "another institution", signed_with(lambda live: live.keys[FK].ebms)),
    Stimulus("CRT-3", "the access point", signed_with(lambda live: live.keys[POINT].ebms)),
    Stimulus("CRT-4", "TLS certificate", signed_with(lambda live: live.keys[NAV].tls)),
    Stimulus("CRT-4", "business seal", signed_with(lambda live: live.keys[NAV].seal)),
    Stimulus("CRT-5", "expired", signed_by("expired")),
    Stimulus("CRT-6", "not yet valid", signed_by("early")),
    Stimulus("CRT-7", "revoked", signed_by("revoked")),
    Stimulus("CRT-9", "key usage", signed_by("usage")),
    Stimulus("CRT-9", "extended key usage", signed_by("extended")),
    Stimulus("CRT-10", "same names, other key", signed_with(lambda live: live.authority.issue(NAV, Purpose.EBMS, country="NO", now=live.state.started_at))),
    Wire("CRT-11", "no certificate", token(b"\x30\x03\x02\x01\x01")),
    Wire("CRT-11", "empty", token(b"")),
    Wire("CRT-11", "data behind it", forged(padded)),
    Wire("CRT-11", "half a megabyte", token(bytes(512 * 1024))),
    Wire("CRT-11", "one megabyte", token(bytes(1024 * 1024))),
    Stimulus("CRT-11", "unknown critical extension", signed_by("critical")),
)  # fmt: skip

STIMULI = (*WRAPPING, *ALGORITHMS)
