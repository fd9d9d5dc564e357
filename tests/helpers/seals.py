"""Sealed SEDs for tests, and an independent signer that seals what a test has edited."""

import re
from base64 import b64encode
from hashlib import sha256

from tests.helpers.keys import NOW, key_pair

from eessi_sim import xmlsafe
from eessi_sim.security.keys import KeyPair
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.security.xades import sign

DS = "{http://www.w3.org/2000/09/xmldsig#}"
XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
TOKEN = "0123456789abcdef0123456789abcdef"
SED = """<u:U018 xmlns:u="http://ec.europa.eu/eessi/ns/4_4/U018" xmlns:xd="urn:unused" sedVer="4" sedGVer="4">
  <Person><!-- comments do not count --><familyName kind='"a&lt;b"'>Åse &amp; Bø</familyName></Person>
  <Empty/>
</u:U018>""".encode()


def sealed(sed: bytes = SED, algorithm: KeyAlgorithm = KeyAlgorithm.P_256, token: str = TOKEN) -> bytes:
    """The SED with the seal of ``key_pair``."""
    return sign(xmlsafe.parse(sed), key_pair(algorithm=algorithm), signing_time=NOW, token=token)


def inserted(sed: bytes = SED) -> bytes:
    """The SED as its author wrote it, unused namespaces included, with the seal put in."""
    document = sealed(sed)
    seal = (
        document[document.index(b"<ds:Signature ") : document.index(b"</ds:Signature>")] + b"</ds:Signature>"
    )
    end = sed.rindex(b"</")
    return sed[:end] + seal + sed[end:]


def sealed_again(document: bytes, keys: KeyPair | None = None) -> bytes:
    """The document with digests and value that fit what it says now: for seals that are odd but honest."""
    root = xmlsafe.parse(document)
    bare = xmlsafe.parse(re.sub(rb"<ds:Signature .*</ds:Signature>", b"", document, flags=re.DOTALL))
    signature = root.find(f"{DS}Signature")
    assert signature is not None
    for reference in signature.iter(f"{DS}Reference"):
        value = reference.find(f"{DS}DigestValue")
        assert value is not None
        if reference.get("URI") == "":
            octets = _document_octets(bare, reference)
        else:
            octets = xmlsafe.exclusive_c14n(next(signature.iter(f"{XADES}SignedProperties")))
        value.text = b64encode(sha256(octets).digest()).decode()
    value = signature.find(f"{DS}SignatureValue")
    assert value is not None
    value.text = b64encode((keys or key_pair()).sign(xmlsafe.exclusive_c14n(signature[0]))).decode()
    return xmlsafe.serialize(root)


def _document_octets(bare: xmlsafe.Element, reference: xmlsafe.Element) -> bytes:
    transforms = [each.get("Algorithm", "") for each in reference.iter(f"{DS}Transform")]
    if not any("exc-c14n" in each for each in transforms):
        return xmlsafe.inclusive_c14n(bare)
    prefixes = [each.get("PrefixList", "") for each in reference.iter("{*}InclusiveNamespaces")]
    return xmlsafe.exclusive_c14n(bare, " ".join(prefixes).split())
