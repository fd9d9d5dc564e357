"""The schemas of system messages say what the public sources show, and no more than that is believed."""

import pytest
from lxml import etree

from eessi_sim import resources

FOLDER = resources.schemas() / "system"
GOOD = [
    ("SYN002", "<RequestForIRSync><currentVersion>0.0.1</currentVersion></RequestForIRSync>"),
    (
        "SYN003",
        "<CDMSync><version>4.4</version><Package><fileName>a.zip</fileName><mimeType>application/zip</mimeType></Package></CDMSync>",
    ),
    ("SYN004", "<RequestForCDMSync><currentVersion>4.3.1</currentVersion></RequestForCDMSync>"),
    ("SYN005", "<CDMVersionRequest/>"),
    (
        "SYN005",
        "<CDMVersionReport><accessPoint>EU:APSIM01</accessPoint><InstalledVersions><version>4.4</version></InstalledVersions></CDMVersionReport>",
    ),
]


def accepts(name: str, content: str) -> bool:
    """Whether the schema accepts a message with this content."""
    schema = etree.XMLSchema(etree.parse(str(FOLDER / f"{name}.xsd")))
    return schema.validate(
        etree.fromstring(f'<s:{name} xmlns:s="http://ec.europa.eu/eessi/ns/4_2/{name}">{content}</s:{name}>')
    )


@pytest.mark.parametrize(("name", "content"), GOOD)
def test_message_of_the_reference_is_accepted(name: str, content: str) -> None:
    """Requests and answers in the form that is observed or that we chose."""
    assert accepts(name, content)


@pytest.mark.parametrize(("name", "content"), GOOD)
def test_message_with_a_word_for_a_version_is_refused(name: str, content: str) -> None:
    """A version is numbers with dots; what is not expected is refused."""
    assert not accepts(
        name, content.replace("4.", "four.").replace("0.", "none.").replace("Request/>", "Question/>")
    )
