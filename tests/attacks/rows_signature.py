"""Rows 7.1 and 7.2: signature wrapping, references, algorithms, keys and certificates."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from tests.attacks.live import Range, Shot
from tests.attacks.row import Play, Row, fired, forged, later
from tests.helpers.as4_forgery import Forgery
from tests.helpers.lab import FK, NAV, POINT, ZUS

from eessi_sim.as4 import vocabulary
from eessi_sim.security import xmldsig
from eessi_sim.security.keys import Purpose
from eessi_sim.security.xmldsig import Reference

DS = vocabulary.DS
XENC = vocabulary.XENC
C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
ECDSA = MORE + "ecdsa-sha256"
STR = "<wsse:SecurityTokenReference>{}</wsse:SecurityTokenReference>"
Refs = tuple[Reference, ...]


def hidden(made: Forgery) -> str:
    """The forged header that an attacker wants to be processed."""
    return made.messaging.replace("PL:ZUS01", "SE:FKSE01").replace("ebms-1", "ebms-2")


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
    other = f.body.replace("body-1", "body-2").replace("><", "><A003/><")
    return replace(f, edits=((f.body, other), ("</S12:Header>", f.body + "</S12:Header>")))


PREFIX = xmldsig.TransformStep(xmldsig.EXCLUSIVE.transform, ("evil",))
EVIL = (
    f'<S12:Envelope xmlns:S12="{vocabulary.S12}"',
    f'<S12:Envelope xmlns:S12="{vocabulary.S12}" xmlns:evil="urn:evil"',
)


def comment_in_value(f: Forgery) -> Forgery:
    return replace(f, edits=((">PL:ZUS01<", ">PL:ZU<!-- -->S01<"),))


WRAPPING = [
    Row("XSW-1", "forged first, signed in a wrapper", "EBMS:0101", put(lambda f, signed: hidden(f) + wrapped(signed))),
    Row("XSW-2", "signed detached in front", "EBMS:0101", put(lambda f, signed: wrapped(signed) + hidden(f))),
    Row("XSW-3", "sibling of the signed one", "EBMS:0009", put(lambda f, signed: hidden(f) + signed), note="two eb:Messaging are XML-15, before any digest"),
    Row("XSW-4", "forged parent", "EBMS:0101", put(lambda f, signed: inside(f, wrapped(signed)))),
    Row("XSW-5", "signed in ds:Object", "EBMS:0101", with_object(lambda signed: f"<ds:Object>{signed}</ds:Object>")),
    Row("XSW-6", "signed inside the Signature", "EBMS:0101", with_object(wrapped)),
    Row("XSW-7", "same id in an extension", "EBMS:0009", put(lambda f, signed: inside(f, wrapped(signed)).replace("ebms-2", "ebms-1")), note="an id that is there twice is ID-1, before any digest"),
    Row("XSW-7", "same id in ErrorDetail of another unit", "EBMS:0009", put(lambda f, signed: signed.replace("</eb:Messaging>", f"{wrapped(signed)}</eb:Messaging>")), note="as above"),
    Row("XSW-8", "forged parent of ds:Object", "EBMS:0101", forged(lambda f: replace(f, objects=f"<ds:Object>{f.messaging}</ds:Object>", edits=((f"</wsse:Security>{f.messaging}", f"</wsse:Security>{inside(f, wrapped(''))}"),)))),
    Row("XSW-9", "Body moved to the header", "EBMS:0101", forged(body_moved)),
    Row("XSW-9", "Body moved and filled", "EBMS:0008", forged(body_filled)),
    Row("ID-1", "wsu:Id twice", "EBMS:0009", forged(lambda f: replace(f, edits=((f.body, f.body.replace("body-1", "ebms-1")),)))),
    Row("ID-1", "Id and xml:id", "EBMS:0009", forged(lambda f: replace(f, edits=(("<eb:UserMessage", '<eb:UserMessage Id="x"'), ("<eb:MessageInfo>", '<eb:MessageInfo xml:id="x">'))))),
    Row("ID-1", "ID and Id", "EBMS:0009", forged(lambda f: replace(f, edits=(("<eb:UserMessage", '<eb:UserMessage ID="x"'), ("<eb:MessageInfo>", '<eb:MessageInfo Id="x">'))))),
    Row("ID-1", "id of another header block", "EBMS:0009", forged(lambda f: replace(f, blocks='<w:W xmlns:w="urn:w" id="ebms-1"></w:W>'))),
    Row("ID-2", "id on a child", "EBMS:0101", forged(lambda f: replace(f, edits=((' wsu:Id="ebms-1"', ""), ("<eb:UserMessage", '<eb:UserMessage Id="ebms-1"'))))),
    Row("REF-1", "no reference to Messaging", "EBMS:0103", references(lambda r: r[1:])),
    Row("REF-2", "no reference to Body", "EBMS:0103", references(lambda r: (r[0], *r[2:]))),
    Row("REF-3", "no reference to the attachment", "EBMS:0103", references(lambda r: r[:3])),
    Row("REF-3", "no reference to the SED", "EBMS:0103", references(lambda r: (*r[:2], r[3]))),
    Row("REF-4", "cid that does not exist", "EBMS:0101", uri("cid:other@pl.example")),
    Row("REF-5", "http", "EBMS:0101", uri("http://127.0.0.1:9/x")),
    Row("REF-5", "file", "EBMS:0101", uri("file:///etc/hostname")),
    Row("REF-5", "ftp", "EBMS:0101", uri("ftp://127.0.0.1/x")),
    Row("REF-6", "empty URI", "EBMS:0103", uri("")),
    Row("REF-6", "no URI", "EBMS:0103", info(' URI="#body-1"', "")),
    *(
        Row("REF-7", name, "EBMS:0103", info(f'<ds:Transform Algorithm="{C14N}">', f'<ds:Transform Algorithm="{algorithm}">'))
        for name, algorithm in {
            "XPath": "http://www.w3.org/TR/1999/REC-xpath-19991116",
            "XPath filter": "http://www.w3.org/2002/06/xmldsig-filter2",
            "XSLT": "http://www.w3.org/TR/1999/REC-xslt-19991116",
            "base64": DS + "base64",
            "enveloped": DS + "enveloped-signature",
            "unknown": "urn:unknown",
        }.items()
    ),
    Row("REF-7", "no transform", "EBMS:0103", transform(0)),
    Row("REF-8", "2 500 references", "EBMS:0009", references(lambda r: r * 625)),
    Row("REF-8", "10 000 references", "400", references(lambda r: r * 2500), note="an envelope over 1 MB is not read at all"),
    Row("REF-9", "prefix list that changes the octets", "EBMS:0101", forged(lambda f: replace(f, references=(f.usual_references()[0], replace(f.usual_references()[1], transforms=(PREFIX,)), *f.usual_references()[2:]), edits=(EVIL,)))),
    Row("REF-10", "SwA transform inside the document", "EBMS:0103", transform(0, xmldsig.SWA_CONTENT)),
    Row("REF-10", "exc-c14n on a part", "EBMS:0103", transform(2, xmldsig.EXCLUSIVE)),
    Row("SEC-1", "two Security headers", "EBMS:0009", forged(lambda f: replace(f, blocks=f'<w:Security xmlns:w="{vocabulary.WSSE}"></w:Security>'))),
    Row("SEC-2", "two signatures", "EBMS:0103", with_(in_security=f'<ds:Signature xmlns:ds="{DS}"></ds:Signature>')),
    Row("SEC-3", "no Security header", "EBMS:0103", fired(lambda live: Shot.of(live.unsigned()))),
    Row("SEC-4", "Security for another role", "EBMS:0103", with_(security_attributes=' S12:role="urn:else"')),
    Row("COM-1", "comment in a value", "202 receipt", later(lambda live: Shot.of(comment_in_value(live.forgery()).packed()))),
    Row("COM-1", "processing instruction in a value", "400", forged(lambda f: replace(f, edits=((">PL:ZUS01<", ">PL:ZU<?x y?>S01<"),)))),
]  # fmt: skip


def algorithm(old: str, new: str) -> Play:
    """Name another algorithm in SignedInfo."""
    return info(f'Algorithm="{old}"', f'Algorithm="{new}"')


def signed_by(name: str) -> Play:
    """Sign with one of the odd certificates of the sender, which the directory lists."""
    return fired(lambda live: Shot.of(live.forgery(keys=live.odd[name]).packed()))


def signed_with(keys: Callable[[Range], Any]) -> Play:
    """Sign with the keys of somebody."""
    return fired(lambda live: Shot.of(live.forgery(keys=keys(live)).packed()))


def token(der: bytes | Callable[[Range], bytes]) -> Play:
    """Bring another certificate along than the one that belongs to the key."""
    return fired(
        lambda live: Shot.of(live.forgery(token=der if isinstance(der, bytes) else der(live)).packed())
    )


def value(change: Callable[[str], str]) -> Play:
    """Change the SignatureValue."""

    def make(live: Range) -> Shot:
        packed = live.forgery().packed()
        head, mark, rest = packed.body.partition(b"<ds:SignatureValue>")
        old, end, tail = rest.partition(b"</ds:SignatureValue>")
        return Shot.of(replace(packed, body=b"".join((head, mark, change(old.decode()).encode(), end, tail))))

    return fired(make)


def short_rsa(live: Range) -> Shot:
    """RSA with 1024 bits, listed and issued by the right authority."""
    return Shot.of(live.forgery(keys=live.odd["short"]).packed())


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
        return with_(in_security=data)
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
NOT_YET = "nodes do not decrypt yet: refused by policy before any attempt"

ALGORITHMS = [
    Row("ALG-1", "rsa-sha1", "EBMS:0103", algorithm(ECDSA, DS + "rsa-sha1")),
    Row("ALG-1", "dsa-sha1", "EBMS:0103", algorithm(ECDSA, DS + "dsa-sha1")),
    Row("ALG-1", "sha1 digest", "EBMS:0103", algorithm(SHA256, DS + "sha1")),
    Row("ALG-2", "md5", "EBMS:0103", algorithm(SHA256, MORE + "md5")),
    Row("ALG-2", "rsa-md5", "EBMS:0103", algorithm(ECDSA, MORE + "rsa-md5")),
    Row("ALG-3", "hmac-sha256", "EBMS:0103", algorithm(ECDSA, MORE + "hmac-sha256")),
    Row("ALG-3", "hmac truncated", "EBMS:0103", info(f'<ds:SignatureMethod Algorithm="{ECDSA}">', f'<ds:SignatureMethod Algorithm="{DS}hmac-sha1"><ds:HMACOutputLength>8</ds:HMACOutputLength>')),
    Row("ALG-4", "empty", "EBMS:0103", algorithm(ECDSA, "")),
    Row("ALG-4", "none", "EBMS:0103", algorithm(ECDSA, "none")),
    Row("ALG-4", "unknown", "EBMS:0103", algorithm(ECDSA, "urn:unknown")),
    Row("ALG-5", "RSA of 1024 bits", "EBMS:0101", signed_by("short")),
    Row("ALG-5", "exponent 3, other padding", "EBMS:0101", fired(pss)),
    Row("ALG-5", "value too short", "EBMS:0101", value(lambda _: "AAAA")),
    Row("ALG-5", "value too long", "EBMS:0101", value(lambda text: text + text)),
    Row("ALG-5", "value empty", "EBMS:0101", value(lambda _: "")),
    Row("ALG-5", "value of zeros", "EBMS:0101", value(lambda _: b64encode(bytes(64)).decode())),
    Row("ALG-6", "aes-cbc", "EBMS:0103", encrypted(key(OAEP) + data(XENC + "aes128-cbc"))),
    Row("ALG-6", "3DES", "EBMS:0103", encrypted(key(OAEP) + data(XENC + "tripledes-cbc"))),
    Row("ALG-7", "rsa-1_5", "EBMS:0103", encrypted(key(XENC + "rsa-1_5") + data(GCM))),
    Row("ALG-8", "OAEP with SHA-1", "EBMS:0103", encrypted(key(XENC + "rsa-oaep-mgf1p") + data(GCM))),
    Row("ALG-9", "cut ciphertext", "EBMS:0103", encrypted(key(OAEP) + data(GCM)), note=NOT_YET),
    Row("ALG-10", "bad OAEP padding", "EBMS:0103", encrypted(key(OAEP, cipher=b64encode(bytes(256)).decode()) + data(GCM)), note=NOT_YET),
    Row("ALG-10", "bad length", "EBMS:0103", encrypted(key(OAEP, cipher="AA==") + data(GCM)), note=NOT_YET),
    Row("ALG-11", "low-order point", "EBMS:0103", encrypted(key("http://www.w3.org/2001/04/xmlenc#kw-aes128", recipient='<ds:KeyInfo><xenc:AgreementMethod Algorithm="http://www.w3.org/2021/04/xmldsig-more#x25519"/></ds:KeyInfo>') + data(GCM)), note=NOT_YET),
    Row("ALG-12", "Body encrypted", "EBMS:0008", encrypted(data(GCM), place="body"), note="content in the Body is refused before its meaning is asked for"),
    Row("ALG-12", "Messaging encrypted", "400", forged(lambda f: replace(f, edits=((f.messaging, data(GCM, "#x")),))), note="without eb:Messaging it is no AS4 message"),
    Row("ALG-13", "no EncryptedKey", "EBMS:0103", encrypted(data(GCM)), note=NOT_YET),
    Row("ALG-13", "key for someone else", "EBMS:0103", encrypted(key(OAEP, recipient="<ds:KeyInfo><ds:KeyName>SE:FKSE01</ds:KeyName></ds:KeyInfo>") + data(GCM)), note=NOT_YET),
    Row("ALG-14", "encryption at the institution", "EBMS:0103", fired(lambda live: Shot.of(live.forgery(in_security=key(OAEP) + data(GCM)).packed(), to=ZUS, client=POINT)), target=ZUS),
    Row("ALG-15", "many EncryptedKeys", "EBMS:0009", encrypted(f'<x:EncryptedKey xmlns:x="{XENC}"/>' * 5000)),
    Row("KEY-1", "KeyName", "EBMS:0103", with_(key_info="<ds:KeyName>NO:NAVAT07</ds:KeyName>")),
    Row("KEY-1", "KeyValue", "EBMS:0103", with_(key_info="<ds:KeyValue></ds:KeyValue>")),
    Row("KEY-1", "RetrievalMethod", "EBMS:0103", with_(key_info='<ds:RetrievalMethod URI="http://127.0.0.1:9/key"></ds:RetrievalMethod>')),
    Row("KEY-1", "remote reference", "EBMS:0101", with_(key_info=STR.format(f'<wsse:Reference URI="http://127.0.0.1:9/key" ValueType="{vocabulary.X509_V3}"/>'))),
    Row("KEY-2", "certificate of another key", "EBMS:0101", token(lambda live: live.keys[NAV].seal.certificate.der)),
    Row("KEY-2", "listed certificate of another key", "EBMS:0101", token(lambda live: live.odd["usage"].certificate.der)),
    Row("KEY-3", "token in another header", "EBMS:0101", forged(lambda f: replace(f, key_info=f.key_info.replace("#cert-1", "#cert-2"), blocks=f'<w:W xmlns:w="urn:w"><wsse:BinarySecurityToken xmlns:wsse="{vocabulary.WSSE}" xmlns:wsu="{vocabulary.WSU}" wsu:Id="cert-2">AAAA</wsse:BinarySecurityToken></w:W>'))),
    Row("KEY-3", "token in an attachment", "EBMS:0101", forged(lambda f: replace(f, key_info=f.key_info.replace("#cert-1", "cid:att-1@pl.example")))),
    Row("KEY-4", "certificate path", "EBMS:0103", with_(edits=(("#X509v3", "#X509PKIPathv1"),))),
    Row("CRT-1", "foreign authority, listed", "EBMS:0101", signed_by("foreign")),
    Row("CRT-1", "self-signed, listed", "EBMS:0101", signed_by("self-signed")),
    Row("CRT-2", "not listed", "EBMS:0101", signed_with(lambda live: live.authority.issue(NAV, Purpose.EBMS, country="NO", now=live.state.started_at))),
    Row("CRT-3", "another institution", "EBMS:0101", signed_with(lambda live: live.keys[FK].ebms)),
    Row("CRT-3", "the access point", "EBMS:0101", signed_with(lambda live: live.keys[POINT].ebms)),
    Row("CRT-4", "TLS certificate", "EBMS:0101", signed_with(lambda live: live.keys[NAV].tls)),
    Row("CRT-4", "business seal", "EBMS:0101", signed_with(lambda live: live.keys[NAV].seal)),
    Row("CRT-5", "expired", "EBMS:0101", signed_by("expired")),
    Row("CRT-6", "not yet valid", "EBMS:0101", signed_by("early")),
    Row("CRT-7", "revoked", "EBMS:0101", signed_by("revoked")),
    Row("CRT-9", "key usage", "EBMS:0101", signed_by("usage")),
    Row("CRT-9", "extended key usage", "EBMS:0101", signed_by("extended")),
    Row("CRT-10", "same names, other key", "EBMS:0101", signed_with(lambda live: live.authority.issue(NAV, Purpose.EBMS, country="NO", now=live.state.started_at)), note="no thumbprint collision can be made; certificates are compared octet by octet"),
    Row("CRT-11", "no certificate", "EBMS:0101", token(b"\x30\x03\x02\x01\x01")),
    Row("CRT-11", "empty", "EBMS:0101", token(b"")),
    Row("CRT-11", "data behind it", "EBMS:0101", token(lambda live: live.keys[NAV].ebms.certificate.der + b"\0")),
    Row("CRT-11", "half a megabyte", "EBMS:0101", token(bytes(512 * 1024))),
    Row("CRT-11", "one megabyte", "400", token(bytes(1024 * 1024)), note="an envelope over 1 MB is not read at all"),
    Row("CRT-11", "unknown critical extension", "EBMS:0101", signed_by("critical")),
]  # fmt: skip

ROWS = [*WRAPPING, *ALGORITHMS]
