"""The operations that no implementation can avoid, measured bare: the library below, called directly, and no more.

What they are applied to is what the steps are applied to, so that a step can be compared with the operations it needs.
The only place beside ``xmlsafe`` that parses XML: here the parser itself is on the scales, and all input is our own.
"""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from lxml import etree

from eessi_sim.as4 import mime, msh
from eessi_sim.as4.msh import Unpacked
from eessi_sim.benchmark.specimens import Specimens
from eessi_sim.benchmark.stopwatch import Reading
from eessi_sim.security.keys import KeyPair
from eessi_sim.xmlsafe import Element

_GZIP_LEVEL: Final = 3
"""As the product compresses."""
_DATA: Final = bytes(1024)


class Operation(StrEnum):
    """An operation of the floor."""

    SIGN = "sign"
    VERIFY = "verify a signature"
    DIGEST_SED = "SHA-256 of the SED"
    DIGEST_PART = "SHA-256 of the payload part"
    PARSE_DOCUMENT = "parse the enveloped SED"
    PARSE_MESSAGE = "parse the SOAP envelope of the message"
    PARSE_RECEIPT = "parse the SOAP envelope of the receipt"
    CANONICAL_SED = "canonical form of the SED"
    CANONICAL_MESSAGE = "canonical form of what the message signs"
    CANONICAL_RECEIPT = "canonical form of what the receipt signs"
    SCHEMA = "libxml2 verdict on the SED"
    COMPRESS = "gzip"
    DECOMPRESS = "gunzip"
    REQUEST = "HTTP request on loopback, plain"
    COMMIT = "SQLite commit, one row"
    COMMIT_SHARED = "SQLite commit of 32 rows, per row"


Floor = Mapping[Operation, Reading]


def operations(specimens: Specimens) -> dict[Operation, Callable[[], object]]:
    """Return the operations that need neither socket nor disk, applied to what the steps are applied to."""
    part = specimens.payload.content
    enveloped = msh.payload_content(specimens.payload)
    schema = etree.XMLSchema(etree.parse(str(specimens.route.sed.xsd)))
    sign, verify = signature(specimens.sender.seal)
    return {
        Operation.SIGN: sign,
        Operation.VERIFY: verify,
        Operation.DIGEST_SED: lambda: hashlib.sha256(specimens.sealed).digest(),
        Operation.DIGEST_PART: lambda: hashlib.sha256(part).digest(),
        Operation.PARSE_DOCUMENT: parse(enveloped),
        Operation.PARSE_MESSAGE: parse(envelope(specimens.unpacked)),
        Operation.PARSE_RECEIPT: parse(envelope(specimens.unpacked_receipt)),
        Operation.CANONICAL_SED: canonical(specimens.root),
        Operation.CANONICAL_MESSAGE: canonical(*signed(specimens.unpacked)),
        Operation.CANONICAL_RECEIPT: canonical(*signed(specimens.unpacked_receipt)),
        Operation.SCHEMA: lambda: schema.validate(specimens.root),
        Operation.COMPRESS: lambda: gzip.compress(enveloped, _GZIP_LEVEL),
        Operation.DECOMPRESS: lambda: gzip.decompress(part),
    }


def signature(keys: KeyPair) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return signing and verifying with a key pair of RSA or P-256, as networks are issued."""
    private = keys.private_key
    if isinstance(private, rsa.RSAPrivateKey):
        rsa_key, rsa_public = private, private.public_key()
        rsa_value = private.sign(_DATA, padding.PKCS1v15(), hashes.SHA256())
        return (
            lambda: rsa_key.sign(_DATA, padding.PKCS1v15(), hashes.SHA256()),
            lambda: rsa_public.verify(rsa_value, _DATA, padding.PKCS1v15(), hashes.SHA256()),
        )
    assert isinstance(private, ec.EllipticCurvePrivateKey), "networks are issued RSA or P-256 keys"
    ec_key, ec_public = private, private.public_key()
    ec_value = private.sign(_DATA, ec.ECDSA(hashes.SHA256()))
    return (
        lambda: ec_key.sign(_DATA, ec.ECDSA(hashes.SHA256())),
        lambda: ec_public.verify(ec_value, _DATA, ec.ECDSA(hashes.SHA256())),
    )


def parse(data: bytes) -> Callable[[], object]:
    """Return the parser alone, no limits set."""
    return lambda: etree.fromstring(data)


def canonical(*elements: Element) -> Callable[[], object]:
    """Return the exclusive canonical form of elements, one after the other."""
    return lambda: [etree.tostring(each, method="c14n", exclusive=True) for each in elements]


def envelope(message: Unpacked) -> bytes:
    """Return the octets of the SOAP envelope."""
    return mime.read(message.content_type, message.body).root.content


def signed(message: Unpacked) -> tuple[Element, ...]:
    """Return what is canonicalised to verify a message: Messaging, Body, SignedInfo."""
    security = message.envelope.security
    assert security is not None  # all our messages are signed
    info = security.find(".//{http://www.w3.org/2000/09/xmldsig#}SignedInfo")
    assert info is not None  # every signature has one
    return (message.envelope.messaging, message.envelope.body, info)
