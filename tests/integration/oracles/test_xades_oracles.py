"""Other people's tools accept our seals, and refuse them after one changed byte."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import signxml
import xmlsec
from lxml import etree
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier
from tests.helpers.keys import NOW, authority, key_pair
from tests.helpers.optional import require_program
from tests.helpers.seals import sealed

from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.security.xades import XADES

pytestmark = pytest.mark.oracle

Accepts = Callable[[bytes, KeyAlgorithm, Path], bool]
"""Whether a tool accepts the document, sealed with a key of this kind; the folder is for its files."""


def xmlsec1_accepts(document: bytes, algorithm: KeyAlgorithm, folder: Path) -> bool:
    """The xmlsec1 command line, which also builds the certificate chain."""
    program = require_program("xmlsec1")
    (folder / "sed.xml").write_bytes(document)
    (folder / "ca.pem").write_bytes(authority(algorithm).certificate.pem)
    command = [program, "--verify", "--trusted-pem", str(folder / "ca.pem")]
    command += ["--verification-gmt-time", "2026-03-02 12:00:00", "--id-attr:Id", f"{XADES}:SignedProperties"]
    done = subprocess.run([*command, str(folder / "sed.xml")], capture_output=True, text=True, timeout=60)
    return done.returncode == 0 and "References (ok/all): 2/2" in done.stderr


def python_xmlsec_accepts(document: bytes, algorithm: KeyAlgorithm, _: Path) -> bool:
    """python-xmlsec with the key of the certificate."""
    root = etree.fromstring(document)
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(
        key_pair(algorithm=algorithm).certificate.pem, xmlsec.constants.KeyDataFormatCertPem
    )
    try:
        context.verify(root[-1])
    except xmlsec.VerificationError:
        return False
    return True


def signxml_accepts(document: bytes, algorithm: KeyAlgorithm, folder: Path) -> bool:
    """The XAdES verifier of signxml, which also builds the certificate chain."""
    (folder / "ca.pem").write_bytes(authority(algorithm).certificate.pem)
    expected = XAdESSignatureConfiguration(expect_references=2, verification_time=NOW)
    try:
        XAdESVerifier().verify(
            etree.fromstring(document), ca_pem_file=str(folder / "ca.pem"), expect_config=expected
        )
    except (signxml.exceptions.InvalidSignature, signxml.exceptions.InvalidDigest):
        return False
    return True


TOOLS = [
    pytest.param(xmlsec1_accepts, id="xmlsec1"),
    pytest.param(python_xmlsec_accepts, id="python-xmlsec"),
    pytest.param(signxml_accepts, id="signxml"),
]


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
@pytest.mark.parametrize("accepts", TOOLS)
def test_other_tools_accept_our_seal(accepts: Accepts, algorithm: KeyAlgorithm, tmp_path: Path) -> None:
    """A seal with either kind of key verifies elsewhere, both references included."""
    assert accepts(sealed(algorithm=algorithm), algorithm, tmp_path)


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
@pytest.mark.parametrize(("old", "new"), [(b"Bergen", b"Borgen"), (b"T08:00:00Z", b"T09:00:00Z")])
@pytest.mark.parametrize("accepts", TOOLS)
def test_other_tools_refuse_our_seal_after_one_changed_byte(
    accepts: Accepts, old: bytes, new: bytes, algorithm: KeyAlgorithm, tmp_path: Path
) -> None:
    """A changed letter in the SED and a changed digit in the properties are both noticed."""
    document = sealed(b"<u:U1 xmlns:u='urn:u'><town>Bergen</town></u:U1>", algorithm)
    assert document.count(old) == 1
    assert not accepts(document.replace(old, new), algorithm, tmp_path)
