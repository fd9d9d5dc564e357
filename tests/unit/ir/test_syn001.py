"""SYN001: what is written reads back; what does not fit is refused as a whole, every fault with its line."""

import contextlib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.listings import around, imported, rsa_certificate, travelling, written
from tests.helpers.repositories import KRUS, NAV, NOW, POINT, ZUS, certificate, competence, repository

from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import BucType, InstitutionId
from eessi_sim.ir import addresses, snapshot
from eessi_sim.ir.difference import difference
from eessi_sim.ir.importing import NOTHING, look, read, version_key
from eessi_sim.ir.listed import ListedCertificate
from eessi_sim.ir.model import (
    ApplicationRole,
    CentralServicesNode,
    Certificates,
    Contact,
    Endpoint,
    Exchange,
    Institution,
    Translation,
)
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.ir.rotation import rotated
from eessi_sim.ir.syn_writing import body, central_of
from eessi_sim.sbdh import reading
from eessi_sim.security.keys import Purpose

TEXT = (
    st.text(
        st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc"]),
        min_size=1,
        max_size=30,
    )
    .map(str.strip)
    .filter(bool)
)
TIME = st.integers(0, 183 * 365 * 24).map(
    lambda hours: datetime(2016, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
)
UNTIL = st.none() | st.just(datetime(2199, 6, 1, tzinfo=UTC))


@st.composite
def institutions(draw: st.DrawFn) -> Institution:
    """An institution with anything in it that a SYN001 can say."""
    bucs = draw(
        st.lists(st.sampled_from([f"P_BUC_{number:02d}" for number in range(1, 11)]), max_size=3, unique=True)
    )
    texts = st.none() | TEXT
    return Institution(
        id=InstitutionId(draw(st.from_regex(r"(NO|EL|UK):[A-Za-z0-9]{4,10}", fullmatch=True))),
        name=tuple(Translation("en", text) for text in draw(st.lists(TEXT, max_size=2))),
        country="",
        competences=tuple(
            competence(
                BucType(buc),
                draw(st.sampled_from(ApplicationRole)),
                start=draw(TIME),
                end=draw(UNTIL),
                ready=draw(st.booleans()),
            )
            for buc in bucs
        ),
        contact=Contact(*(draw(texts) for _ in range(7))),
        endpoint=draw(
            st.sampled_from([Endpoint(Exchange.PUSH, "http://x/"), Endpoint(Exchange.PULL, "Q/1:a")])
        ),
        liaison_body=draw(st.booleans()),
        public=draw(st.booleans()),
        valid_from=draw(st.none() | TIME),
        valid_until=draw(UNTIL),
    )


@settings(deadline=None, max_examples=40)  # the first run compiles the schema
@given(st.lists(institutions(), max_size=3, unique_by=lambda each: each.id), st.booleans())
def test_what_is_exported_is_imported_as_the_same(drawn: list[Institution], extended: bool) -> None:
    """For any repository: export, then import beside nothing, gives an equal one."""
    entries = tuple(replace(each, country=each.id.country) for each in drawn)
    point = replace(
        travelling().access_points[0], certificates=Certificates(), linked=tuple(each.id for each in entries)
    )
    made = InstitutionRepository("1.2.3", entries, (point,))
    assert imported(written(made, extended=extended)) == made


def test_import_keeps_what_the_message_does_not_say() -> None:
    """Habits, who plays it and TLS certificates of institutions are those that are installed."""
    assert imported(written(travelling()), travelling()) == travelling()


def test_extended_message_carries_its_certificates() -> None:
    """Nothing but habits and players is missing beside nothing installed."""
    found = imported(written(travelling(), extended=True))
    kept = {each.id: each for each in travelling().institutions}
    entries = (
        replace(each, behaviours=kept[each.id].behaviours, external=kept[each.id].external)
        for each in found.institutions
    )
    assert replace(found, institutions=tuple(entries)) == travelling()


def test_envelope_names_sender_receiver_and_service() -> None:
    """The central services node is DataSource, the receiver DataDestination, the service SYNC_SUC_01."""
    header = reading.read(written(travelling())).header
    assert (header.sender.id, header.sender.role) == (POINT, "DataSource")
    assert header.transaction_schema == "SYNC_SUC_01-4.2-DataSource-DataDestination-Start-SYN001-4.2.xsd"


def test_element_alone_is_read_too() -> None:
    """A SYN001 without envelope is enough."""
    assert imported(body(travelling()), travelling()) == travelling()


def test_central_services_node_of_its_own_survives() -> None:
    """Where no access point is the central services node it has an entry, also in the snapshot."""
    central = CentralServicesNode(
        InstitutionId("EU:CSN01"), "https://csn.example/", Certificates(ebms=(rsa_certificate(),))
    )
    apart = replace(travelling(), central=central)
    assert imported(written(apart, extended=True), apart) == apart
    assert imported(written(apart), apart) == apart
    assert snapshot.read(snapshot.write(apart)) == apart


def test_without_sender_there_is_no_message() -> None:
    """A repository with neither access point nor central services node cannot travel."""
    with pytest.raises(DefinitionError, match="Expected a central service node or an access point"):
        central_of(InstitutionRepository("1"))


def test_certificates_of_a_folder_are_accepted_when_they_fit() -> None:
    """Thumbprint, serial number and key must be the same; EC keys are listed too."""
    known = [certificate("zus", Purpose.EBMS), certificate("zus", Purpose.SEAL), rsa_certificate()]
    known += [certificate("point", Purpose.EBMS), certificate("point", Purpose.TLS)]
    found = read(written(travelling()), "syn.xml", around(NOTHING, *known))
    assert found.certificates_of(ZUS, Purpose.EBMS) == (certificate("zus", Purpose.EBMS),)


def test_lenient_look_leaves_unknown_certificates_out() -> None:
    """To look at a message one need not have its certificates."""
    found = read(written(travelling()), "syn.xml", around(lenient=True))
    assert found.certificates_of(ZUS, Purpose.EBMS) == ()
    assert found.institutions[0].competences == travelling().institutions[0].competences


def test_look_tells_what_is_listed_of_unknown_certificates() -> None:
    """Two messages can be compared although their certificates are nowhere."""
    changed = rotated(travelling(), ZUS, Purpose.EBMS, rsa_certificate())
    old, new = (look(written(each), "syn.xml", around(lenient=True)) for each in (travelling(), changed))
    told = {(each.kind, each.subject) for each in difference(old, new)}
    assert told == {("version", ""), ("certificate", f"messaging {rsa_certificate().sha1_thumbprint}")}


def test_links_of_other_times_are_left_out() -> None:
    """An institution that moved is served by the access point of today."""
    other = replace(travelling().access_points[0], id=InstitutionId("EU:APEU02"), linked=())
    two = replace(travelling(), access_points=(*travelling().access_points, other))
    text = written(two).decode()
    first = re.search(rf"<LinkedInstitution>.*{KRUS}.*", text).group()  # type: ignore[union-attr] # it is there
    gone = first.replace("2200", "2024")
    later = first.replace("2015", "2024")
    text = text.replace(first, gone)
    at = text.rindex("<LinkedInstitutions>")
    text = text[:at] + text[at:].replace("</LinkedInstitutions>", f"{later}</LinkedInstitutions>", 1).replace(
        "<LinkedInstitutions></Linked", "<LinkedInstitutions></Linked"
    )
    found = imported(text.encode(), two)
    assert [point.linked for point in found.access_points] == [(ZUS,), (KRUS,)]


def swap(old: str, new: str, count: int = 1) -> Callable[[str], str]:
    """Replace the first places of a text, which must be there."""

    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, count)

    return change


def last(old: str, new: str) -> Callable[[str], str]:
    """Replace the last place of a text."""

    def change(text: str) -> str:
        at = text.rindex(old)
        return text[:at] + new + text[at + len(old) :]

    return change


def twice(pattern: str) -> Callable[[str], str]:
    """Repeat the first part that the pattern finds."""
    return lambda text: re.sub(pattern, lambda found: found.group() * 2, text, count=1, flags=re.DOTALL)


THUMB = certificate("zus", Purpose.EBMS).sha1_thumbprint
ENTRY = r"<Certificate>.*?</Certificate>"
BAD: list[tuple[Callable[[str], str], str]] = [
    (swap("<isEESSIReady>true", "<isEESSIReady>blue"), "Expected what the schema SYN001.xsd says"),
    (swap(f"<officialID>{NAV}", "<officialID>GB:NAVAT07"), r'found "GB". Did you mean "UK"\?'),
    (swap(f"<officialID>{NAV}", "<officialID>XX:NAVAT07"), 'Expected one of the 32 countries, found "XX"'),
    (swap("<officialID>EU:APEU01", "<officialID>QQ:APEU01"), 'Expected one of the 32 countries, found "QQ"'),
    (last("<officialID>EU:APEU01", "<officialID>QQ:APEU01"), 'Expected one of the 32 countries, found "QQ"'),
    (
        swap("<countryCode><value>NO", "<countryCode><value>SE"),
        'Expected the country of NO:NAVAT07, found "SE"',
    ),
    (swap("<name>LA_BUC_02", "<name>LA_BUC_02\n"), "Expected what the schema"),
    (
        swap("2020-01-01T00:00:00.000Z", "+20200-01-01T00:00:00Z"),
        "Expected what the schema|before the year 10000",
    ),
    (swap("2020-01-01T00:00:00.000Z", "20200-01-01T00:00:00Z"), "Expected a time before the year 10000"),
    (swap("2015-01-01T00:00:00.000Z", "20200-01-01T00:00:00Z"), "Expected a time before the year 10000"),
    (swap("2200-01-01T00:00:00.000Z", "2010-01-01T00:00:00"), "Expected an end after the start"),
    (twice(r"<Competence>.*?</Competence>"), "as CaseOwner in LA_BUC_02 at a time, found overlapping"),
    (swap("https://nav.example/", "queue"), 'Expected an address to push to, found "queue"'),
    (swap("<channel>PLGATEWAY<", "<channel><"), "Expected the name of a queue, found nothing"),
    (
        twice(rf"<Institution>\s*<officialID>{NAV}.*?</Institution>"),
        "Expected every institution once, found NO:NAV",
    ),
    (twice(r"<AccessPoint>.*?</AccessPoint>"), "Expected every access point once.*|.*overlapping validities"),
    (
        twice(rf"<LinkedInstitution>[^\n]*{ZUS}[^\n]*</LinkedInstitution>"),
        f"one access point for {ZUS} at a time",
    ),
    (last(f"<officialID>{KRUS}", "<officialID>PL:NONE01"), 'linked to EU:APEU01, found "PL:NONE01"'),
    (last(f"<officialID>{KRUS}", "<officialID>XX:NONE01"), 'countries, found "XX"'),
    (
        swap(
            f"<InstitutionIdentification><officialID>{ZUS}",
            "<InstitutionIdentification><officialID>PL:NONE01",
        ),
        'Expected the relations of PL:KRUS01 .*"PL:NONE01"',
    ),
    (
        swap(
            f"<InstitutionIdentification><officialID>{ZUS}",
            "<InstitutionIdentification><officialID>XX:NONE01",
        ),
        'countries, found "XX"',
    ),
    (twice(ENTRY), "Expected every certificate once in the list"),
    (swap(f"<thumbprint>{THUMB}", f"<thumbprint>{'0' * 40}"), f"list of certificates has, found {'0' * 40}"),
    (
        last(f"<thumbprint>{THUMB}", f"<thumbprint>{'0' * 40}"),
        f"belong to somebody, found {'0' * 40} of nobody",
    ),
    (swap("<serialNumber>", "<serialNumber>A"), "found another serial number"),
    (swap("<validFrom>2", "<validFrom>12"), "Expected a time before the year 10000"),
    (
        swap("<version>4.4.1", "<version>4.3.9"),
        "Expected version 4.4.1, which is installed, or a newer one, found 4.3.9",
    ),
    (swap("<InstitutionRepository>", "<Other>"), "well-formed XML"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_message_that_does_not_fit_is_refused(change: Callable[[str], str], message: str) -> None:
    """Every fault is named with the file and a line."""
    text = change(written(travelling()).decode())
    with pytest.raises(DefinitionError, match=message) as caught:
        imported(text.encode(), travelling())
    assert re.search(r"syn\.xml(, line \d+)?\)", caught.value.message)


def test_cycle_between_access_points_is_named() -> None:
    """An access point serves institutions; two that serve each other are a cycle, one alone is just wrong."""
    first = replace(travelling().access_points[0], linked=(InstitutionId("EU:APEU02"),))
    second = replace(first, id=InstitutionId("EU:APEU02"), linked=(InstitutionId("EU:APEU03"),))
    third = replace(first, id=InstitutionId("EU:APEU03"), linked=(POINT,))
    for points, message in (
        ((first, second, third), "found a cycle between access points: EU:APEU02"),
        ((first, replace(second, linked=())), "found an access point: EU:APEU02"),
    ):
        with pytest.raises(DefinitionError, match=message):
            imported(written(replace(travelling(), access_points=points)), travelling())


def test_many_faults_are_counted() -> None:
    """The first dozen is told, the rest counted and handed over."""
    text = written(travelling()).decode().replace(">true</isEESSIReady>", ">blue</isEESSIReady>")
    line = re.search(r"<Competence>.*</Competence>", text).group()  # type: ignore[union-attr] # it is there
    with pytest.raises(DefinitionError, match=r"and \d+ more") as caught:
        imported(text.replace(line, line * 20, 1).encode())
    assert len(caught.value.context["faults"]) > 20  # type: ignore[arg-type] # a list


def test_carried_certificate_must_be_one_and_the_listed_one() -> None:
    """The element of ours is believed no more than a folder is."""
    text = written(travelling(), extended=True).decode()
    found = re.findall(r"urn:eessi-sim:ir\">([A-Za-z0-9+/=]+)<", text)
    with pytest.raises(DefinitionError, match="found another thumbprint and serial number and public key"):
        imported(text.replace(found[0], found[1], 1).encode())
    with pytest.raises(DefinitionError, match=r"Expected an X.509 certificate.*syn.xml, line"):
        imported(text.replace(found[0], "AAAA", 1).encode())


def test_central_services_node_that_is_an_access_point_has_its_certificates() -> None:
    """One party has one set of certificates."""
    text = written(travelling()).decode()
    own = certificate("point", Purpose.EBMS).sha1_thumbprint
    with pytest.raises(
        DefinitionError, match="Expected a certificate of EU:APEU01, which is access point too"
    ):
        imported(text.replace(own, THUMB, 1).encode(), travelling())


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 60), st.binary(max_size=8))
def test_damaged_message_is_refused_and_nothing_else_happens(at: int, length: int, instead: bytes) -> None:
    """Whatever is cut out or put in: it is read, or refused with a sentence."""
    data = written(travelling(), extended=True)
    with contextlib.suppress(DefinitionError):
        imported(data[:at] + instead + data[at + length :], travelling())


def test_other_messages_are_refused() -> None:
    """A SYN001 and nothing else is installed."""
    with pytest.raises(DefinitionError, match=r"Expected a SYN001, found a \(syn.xml, line 1\)"):
        imported(b"<a/>")


@pytest.mark.parametrize(
    ("older", "newer"), [("4.4.1", "4.4.2"), ("4.9", "4.10"), ("0.0.1", "4"), ("4", "4.0.1")]
)
def test_versions_are_compared_number_by_number(older: str, newer: str) -> None:
    """4.10 is newer than 4.9."""
    assert version_key(older) < version_key(newer)


def test_version_without_its_last_zeros_is_the_same() -> None:
    """4.4 and 4.4.0 are equal; words are no version."""
    assert version_key("4.4") == version_key("4.4.0")
    with pytest.raises(DefinitionError, match="Expected a version of numbers"):
        version_key("new")


def test_endpoints_of_an_access_point_need_one_base() -> None:
    """What does not follow the convention cannot be said in a message."""
    point = travelling().access_points[0]
    assert addresses.base_of(point) == "https://ap.example/EESSI/"
    for wrong in (replace(point, inbox="https://else.example/"), repository().access_points[0]):
        with pytest.raises(DefinitionError, match="below one address"):
            addresses.base_of(wrong)


def test_network_that_was_not_built_gets_addresses_that_lead_nowhere() -> None:
    """Each party has one of its own, pull queues are named after the institution."""
    found = addresses.invented(repository())
    assert found.institutions[1].endpoint == Endpoint(Exchange.PULL, KRUS)
    assert found.institutions[0].endpoint.channel.startswith("https://zus001.pl.eessi-sim.example/EESSI/")
    assert addresses.base_of(found.access_points[0]) == "https://apeu01.eu.eessi-sim.example/EESSI/"


def test_key_is_listed_without_its_wrapper() -> None:
    """PKCS#1 of an RSA key is shorter than its SubjectPublicKeyInfo."""
    listed = ListedCertificate.of(rsa_certificate())
    assert rsa_certificate().public_key_der.endswith(listed.public_key)
    assert listed.valid_to - listed.valid_from > timedelta(days=1)
    assert listed.valid_to > NOW
