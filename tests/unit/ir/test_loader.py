"""Definition files of institutions and networks: what they mean, and every mistake at its line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.helpers.repositories import LA_BUC_02

from eessi_sim.attachments import MEGABYTE, AttachmentLimits
from eessi_sim.errors import DefinitionError
from eessi_sim.gateway.retention import SHORTEST
from eessi_sim.identifiers import SedType
from eessi_sim.ir.loader import NetworkDefinition, load_institution, load_institutions, load_network
from eessi_sim.ir.model import (
    ApplicationRole,
    AssignedBuc,
    BehaviourRule,
    Contact,
    Decision,
    Endpoint,
    Exchange,
    Institution,
    Keeping,
    NewcomerGets,
    Occasion,
    Translation,
)

ZUS = """\
id: PL:ZUS001
name: {en: Social Insurance Institution, pl: Zakład}
country: PL
competences:
  - buc: LA_BUC_02
    roles: [CaseOwner, Counterparty]
    from: 2020-01-01
"""
NAV = """\
id: NO:NAVAT07
name: {en: Labour and Welfare Administration}
country: NO
competences: []
"""
NETWORK = """\
id: demo
title: A small Europe
access_point: {id: EU:APEU01, name: Access point}
institutions: [PL:ZUS001, NO:NAVAT07]
stories: [posted]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two institutions and one network."""
    for name, text in {"PL/ZUS001": ZUS, "NO/NAVAT07": NAV, "networks/demo": NETWORK}.items():
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
    return tmp_path


def zus(folder: Path, text: str) -> Institution:
    """The Polish institution, read from another text."""
    path = folder / "PL" / "ZUS001.yaml"
    path.write_text(text, encoding="utf-8")
    return load_institution(path)


def refusal(folder: Path, text: str) -> DefinitionError:
    """The error of reading the Polish institution from a wrong text."""
    with pytest.raises(DefinitionError) as caught:
        zus(folder, text)
    return caught.value


def test_short_file_gives_an_institution_with_defaults(folder: Path) -> None:
    """What is left out has its usual meaning: push, played by the simulator, no habits."""
    assert load_institution(folder / "NO" / "NAVAT07.yaml") == Institution(
        id="NO:NAVAT07",  # type: ignore[arg-type] # identifiers compare as texts
        name=(Translation("en", "Labour and Welfare Administration"),),
        country="NO",
    )


def test_one_entry_may_list_several_processes(folder: Path) -> None:
    """Dates and roles count for each of them; liaison body and public are said once."""
    text = (
        ZUS.replace("buc: LA_BUC_02", "buc: [LA_BUC_02, LA_BUC_03]") + "liaison_body: true\npublic: false\n"
    )
    found = zus(folder, text)
    assert [entry.buc for entry in found.competences] == ["LA_BUC_02"] * 2 + ["LA_BUC_03"] * 2
    assert (found.liaison_body, found.public) == (True, False)


def test_country_norway_is_not_a_boolean(folder: Path) -> None:
    """NO stays NO, though YAML would read it as false."""
    assert load_institution(folder / "NO" / "NAVAT07.yaml").country == "NO"


def test_names_keep_their_languages(folder: Path) -> None:
    """Every language has its own name."""
    assert zus(folder, ZUS).name == (
        Translation("en", "Social Insurance Institution"),
        Translation("pl", "Zakład"),
    )


def test_every_role_is_a_competence_of_its_own(folder: Path) -> None:
    """Two roles in one entry are two competences, as the repository lists them."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    assert zus(folder, ZUS).competences == (
        AssignedBuc(LA_BUC_02, ApplicationRole.CASE_OWNER, start),
        AssignedBuc(LA_BUC_02, ApplicationRole.COUNTERPARTY, start),
    )


def test_last_day_of_a_competence_belongs_to_it(folder: Path) -> None:
    """Until names the last day, so the competence ends with the midnight after it."""
    entry = zus(folder, ZUS + "    until: 2026-12-31\n    ready: false\n").competences[0]
    assert (entry.valid_until, entry.ready) == (datetime(2027, 1, 1, tzinfo=UTC), False)


def test_last_day_of_the_calendar_means_without_end(folder: Path) -> None:
    """31 December 9999 is a usual way to say for ever."""
    assert zus(folder, ZUS + "    until: 9999-12-31\n").competences[0].valid_until is None


def test_contact_is_read(folder: Path) -> None:
    """Contact details are texts by their kind."""
    read = zus(folder, ZUS + "contact: {email: office@zus.example, postal_code: 00-701}\n")
    assert read.contact == Contact(email="office@zus.example", postal_code="00-701")


def test_endpoint_may_ask_for_pull(folder: Path) -> None:
    """An institution that cannot be reached from outside pulls its messages."""
    assert zus(folder, ZUS + "endpoint: {exchange: pull}\n").endpoint == Endpoint(Exchange.PULL)


def test_institution_may_be_played_by_somebody_else(folder: Path) -> None:
    """The simulator starts no node for an external participant."""
    assert zus(folder, ZUS + "external: true\n").external


def test_institution_says_what_a_newcomer_gets(folder: Path) -> None:
    """Who is added gets what went to all, unless the institution that adds it says otherwise."""
    assert zus(folder, ZUS).newcomer_gets is NewcomerGets.TO_ALL
    assert zus(folder, ZUS + "newcomer_gets: starter\n").newcomer_gets is NewcomerGets.STARTER


def test_entry_may_be_limited_in_time(folder: Path) -> None:
    """The entry as a whole can begin and end."""
    read = zus(folder, ZUS + "from: 2026-01-01\nuntil: 2026-12-31\n")
    assert (read.valid_from, read.valid_until) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    )


def test_habit_may_reply(folder: Path) -> None:
    """A reply comes after its delay."""
    text = "behaviours: [{when: A003, reply: A012, after: P2D}]\n"
    assert zus(folder, ZUS + text).behaviours == (
        BehaviourRule(
            SedType("A003"),
            reply=SedType("A012"),
            after=timedelta(days=2),
        ),
    )


def test_habit_may_send_several_documents(folder: Path) -> None:
    """Documents of the same case follow each other in the order of the file."""
    text = "behaviours: [{when: P2000, send: [P5000, P6000]}]\n"
    assert zus(folder, ZUS + text).behaviours == (
        BehaviourRule(SedType("P2000"), send=(SedType("P5000"), SedType("P6000"))),
    )


def test_behaviour_may_leave_the_decision_to_a_clerk(folder: Path) -> None:
    """A rule decides, suggests, or only says that a clerk decides; the last need not know what is sent."""
    text = """behaviours:
  - {when: A003, reply: A012, decides: suggesting}
  - {when: A008, decides: manual}
  - {overdue: A003, send: [X009]}
"""
    assert zus(folder, ZUS + text).behaviours == (
        BehaviourRule(SedType("A003"), reply=SedType("A012"), decides=Decision.SUGGESTING),
        BehaviourRule(SedType("A008"), decides=Decision.MANUAL),
        BehaviourRule(SedType("A003"), send=(SedType("X009"),), occasion=Occasion.OVERDUE),
    )


@pytest.mark.parametrize(
    ("good", "bad", "finding", "key", "line"),
    [
        ("name:", "nam:", 'a known key, found "nam"', "nam", 2),
        ("id: PL:ZUS001", "id: PL-1", 'an institution id such as "NO:NAVAT07", found "PL-1"', "id", 1),
        (
            "id: PL:ZUS001",
            "id: PL:ZUS002",
            'the id "PL:ZUS001" of the folder and file name, found "PL:ZUS002"',
            "id",
            1,
        ),
        ("country: PL", "country: DE", 'PL, found "DE"', "country", 3),
        (
            "{en: Social Insurance Institution, pl: Zakład}",
            "{}",
            "a name in at least one language, found none",
            "name",
            2,
        ),
        ("LA_BUC_02", "LA-2", 'a BUC type such as "LA_BUC_02", found "LA-2"', "competences[1].buc", 5),
        (
            "CaseOwner,",
            "Owner,",
            'CaseOwner or Counterparty or IntelligentRA, found "Owner"',
            "competences[1].roles[1]",
            6,
        ),
        ("    from", "    form", 'a known key, found "form"', "competences[1].form", 7),
        ("from: 2020-01-01", "from: soon", 'a date, found "soon"', "competences[1].from", 7),
        (
            "from: 2020-01-01",
            "from: 2020-01-01\n    until: 2019-12-31",
            "a last day on or after the first, found an earlier one",
            "competences[1].until",
            8,
        ),
        ("id:", "contact: {mail: x}\nid:", 'a known key, found "mail"', "contact.mail", 1),
        (
            "id:",
            "endpoint: {exchange: puhs}\nid:",
            'push or pull, found "puhs"',
            "endpoint.exchange",
            1,
        ),
        ("id:", "external: yes\nid:", 'true or false, found "yes"', "external", 1),
        ("id:", "behaviours: [{when: A003}]\nid:", 'either "reply" or "send"', "behaviours[1]", 1),
        ("id:", "behaviours: [{reply: A012}]\nid:", 'either "when" or "overdue"', "behaviours[1]", 1),
        (
            "id:",
            "behaviours: [{overdue: A003, reply: X010}]\nid:",
            '"send" in a rule for what is overdue, found "reply"',
            "behaviours[1].reply",
            1,
        ),
        (
            "id:",
            "behaviours: [{when: A003, reply: A012, send: [A012]}]\nid:",
            'either "reply" or "send"',
            "behaviours[1]",
            1,
        ),
        (
            "id:",
            "behaviours: [{when: a3, reply: A012}]\nid:",
            'a SED type such as "A003", found "a3"',
            "behaviours[1].when",
            1,
        ),
    ],
)
def test_mistake_is_named_with_file_line_and_key(
    folder: Path, good: str, bad: str, finding: str, key: str, line: int
) -> None:
    """Each mistake says what was expected, what was found, and where."""
    found = refusal(folder, ZUS.replace(good, bad, 1))
    path = folder / "PL" / "ZUS001.yaml"
    assert found.message == f"Expected {finding} at {key} ({path}, line {line})"


def test_misspelt_role_is_answered_with_the_right_one(folder: Path) -> None:
    """The nearest word of the repository is suggested."""
    assert refusal(folder, ZUS.replace("Counterparty", "CounterParty")).hint == 'Did you mean "Counterparty"?'


def test_all_institutions_of_a_folder_are_read(folder: Path) -> None:
    """Only folders of participating countries hold institutions."""
    assert {institution.id for institution in load_institutions(folder)} == {"NO:NAVAT07", "PL:ZUS001"}


def test_network_names_its_institutions_in_order(folder: Path) -> None:
    """The order of the network file is the order of the network."""
    network = load_network(folder / "networks" / "demo.yaml", [folder])
    assert [institution.id for institution in network.institutions] == ["PL:ZUS001", "NO:NAVAT07"]


def test_network_has_id_title_and_stories(folder: Path) -> None:
    """The rest of the network file is read as it stands."""
    network = load_network(folder / "networks" / "demo.yaml", [folder])
    assert (network.id, network.title, network.stories) == ("demo", "A small Europe", ("posted",))


def test_access_point_of_a_network_serves_all_its_institutions(folder: Path) -> None:
    """One central access point is linked to everybody."""
    point = load_network(folder / "networks" / "demo.yaml", [folder]).access_points[0]
    assert (point.id, point.country, point.linked) == ("EU:APEU01", "EU", ("PL:ZUS001", "NO:NAVAT07"))


def test_network_becomes_a_repository(folder: Path) -> None:
    """The repository of a network lists its institutions and its access point under a version."""
    repository = load_network(folder / "networks" / "demo.yaml", [folder]).repository("4.4.7")
    assert (repository.version, repository.access_point_of("PL:ZUS001").id) == ("4.4.7", "EU:APEU01")


def test_institution_of_an_earlier_folder_wins(folder: Path, tmp_path: Path) -> None:
    """A user's own file replaces the one that ships with the program."""
    own = tmp_path / "own"
    (own / "PL").mkdir(parents=True)
    (own / "PL" / "ZUS001.yaml").write_text(ZUS + "external: true\n", encoding="utf-8")
    network = load_network(folder / "networks" / "demo.yaml", [own, folder])
    assert [institution.external for institution in network.institutions] == [True, False]


def test_institution_without_file_is_named_with_the_nearest_one(folder: Path) -> None:
    """A mistyped id in a network file is an error at its place, with the id that was meant."""
    path = folder / "networks" / "demo.yaml"
    path.write_text(NETWORK.replace("ZUS001", "ZUS01"), encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        load_network(path, [folder])
    assert (caught.value.message, caught.value.hint) == (
        f'Expected an institution that has a file, found "PL:ZUS01" at institutions[1] ({path}, line 4)',
        'Did you mean "PL:ZUS001"?',
    )


def test_network_with_unknown_key_is_refused(folder: Path) -> None:
    """A network file is read as strictly as an institution."""
    path = folder / "networks" / "demo.yaml"
    path.write_text(NETWORK.replace("stories", "storys"), encoding="utf-8")
    with pytest.raises(DefinitionError, match='Expected a known key, found "storys" at storys'):
        load_network(path, [folder])


def _with_attachments(folder: Path, text: str) -> NetworkDefinition:
    path = folder / "networks" / "demo.yaml"
    path.write_text(path.read_text() + f"attachments: {text}\n")
    return load_network(path, [folder])


def test_endpoint_may_name_its_channel(folder: Path) -> None:
    """Several institutions may list one channel; names may have the signs that real ones have."""
    text = ZUS + "endpoint: {exchange: pull, channel: PL100/QUE:1}\n"
    assert zus(folder, text).endpoint == Endpoint(Exchange.PULL, "PL100/QUE:1")


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("{exchange: push, channel: Q}", "Expected a channel only with"),
        ("{exchange: pull, channel: 'a b'}", 'Expected the name of a channel, found "a b"'),
    ],
)
def test_wrong_channel_is_refused(folder: Path, endpoint: str, message: str) -> None:
    """Whoever is pushed to has no channel, and a name goes into a URL."""
    with pytest.raises(DefinitionError, match=message):
        zus(folder, f"{ZUS}endpoint: {endpoint}\n")


def _with_pull(folder: Path, text: str) -> NetworkDefinition:
    path = folder / "networks" / "demo.yaml"
    path.write_text(path.read_text() + f"pull: {text}\n")
    return load_network(path, [folder])


def test_network_says_who_pulls(folder: Path) -> None:
    """The network file may give channels to institutions whose own files say push."""
    network = _with_pull(folder, "{PLQUEUE: [PL:ZUS001]}")
    found = {str(each.id): each.endpoint for each in network.institutions}
    assert found["PL:ZUS001"] == Endpoint(Exchange.PULL, "PLQUEUE")
    assert found["NO:NAVAT07"].exchange is Exchange.PUSH
    (reader,) = network.repository("1").sharing("PLQUEUE", datetime(2026, 3, 2, tzinfo=UTC))
    assert reader.id == "PL:ZUS001"


@pytest.mark.parametrize(
    ("pull", "message"),
    [
        ("{PLQUEUE: [PL:ZUS002]}", 'Expected an institution of this network, found "PL:ZUS002"'),
        ("{'P Q': [PL:ZUS001]}", 'Expected the name of a channel, found "P Q"'),
    ],
)
def test_wrong_pull_of_a_network_is_refused(folder: Path, pull: str, message: str) -> None:
    """Only institutions of the network pull, from channels with sensible names."""
    with pytest.raises(DefinitionError, match=message):
        _with_pull(folder, pull)


def test_network_takes_the_usual_attachments_unless_it_says_otherwise(folder: Path) -> None:
    """Types and sizes are settings of a network; each has a default."""
    assert load_network(folder / "networks" / "demo.yaml", [folder]).attachments == AttachmentLimits()
    limits = _with_attachments(folder, "{types: [text/plain], file_mb: 2}").attachments
    assert limits == AttachmentLimits(types=("text/plain",), file_bytes=2 * MEGABYTE)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{types: [pdf]}", 'Expected a media type, found "pdf"'),
        ("{file_mb: 0}", "Expected 1 to 2048 megabytes, found 0"),
        ("{message_mb: 2049}", "Expected 1 to 2048 megabytes, found 2049"),
        ("{file_mb: 30}", "Expected message_mb to be at least file_mb, found 20 and 30"),
    ],
)
def test_limit_of_attachments_that_makes_no_sense_is_an_error(folder: Path, text: str, sentence: str) -> None:
    """A wrong limit is an error at its place."""
    with pytest.raises(DefinitionError, match=sentence):
        _with_attachments(folder, text)


def test_network_says_how_long_things_are_kept(folder: Path) -> None:
    """Octets of messages and lines of the journal have limits of their own, neither below 30 days."""
    file = folder / "networks" / "demo.yaml"
    file.write_text(NETWORK + "retention: {messages: P90D}\n", encoding="utf-8")
    assert load_network(file, [folder]).keeping == Keeping(messages=timedelta(days=90))
    file.write_text(NETWORK + "retention: {journal: P29D}\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match="Expected 30 days at least"):
        load_network(file, [folder])
    assert timedelta(days=30) == SHORTEST
