"""A SED says by the namespace of its root what it is."""

import pytest

from eessi_sim import xmlsafe
from eessi_sim.cdm.sed import Sed
from eessi_sim.errors import NotASed, UnknownSedType, XmlError

A003 = b'<sed:A003 xmlns:sed="http://ec.europa.eu/eessi/ns/4_4/A003" sedGVer="4" sedVer="4"/>'


def test_namespace_gives_type_and_version() -> None:
    """Type and version are those of the namespace."""
    sed = Sed.read(A003)
    assert (sed.type, sed.version) == ("A003", "4.4")


def test_root_is_the_element_that_was_read() -> None:
    """The SED keeps the element itself, not a copy."""
    root = xmlsafe.parse(A003)
    assert Sed.of(root).root is root


def test_envelope_is_named_in_the_error() -> None:
    """A root that is an envelope is no SED; the error says which element was found."""
    with pytest.raises(NotASed) as caught:
        Sed.read(b'<StandardBusinessDocument xmlns="urn:sbdh"/>')
    assert caught.value.context["found"] == "StandardBusinessDocument"


def test_not_a_sed_is_an_unknown_sed_type() -> None:
    """Who handles unknown types handles documents that are none."""
    assert issubclass(NotASed, UnknownSedType)


def test_root_that_contradicts_its_namespace_is_no_sed() -> None:
    """The name of the root must be the last part of the namespace."""
    with pytest.raises(NotASed, match='Expected the root "A003"'):
        Sed.read(A003.replace(b"sed:A003", b"sed:A004"))


def test_namespace_that_names_no_sed_is_refused() -> None:
    """The last part of the namespace must look like a SED."""
    with pytest.raises(NotASed, match="Expected a SED type"):
        Sed.read(A003.replace(b"A003", b"person"))


def test_broken_xml_is_an_xml_error() -> None:
    """Bytes that are not XML are refused by the parser."""
    with pytest.raises(XmlError):
        Sed.read(b"<a>")
