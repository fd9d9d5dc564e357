"""Every file under institutions/ says only what the simulator can keep."""

import re
from functools import cache
from pathlib import Path

from eessi_sim import resources, xmlsafe
from eessi_sim.cdm.answers import Answer
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.sed import Sed
from eessi_sim.cdm.validation import Validator
from eessi_sim.definition_files import Fields, Node, load_yaml
from eessi_sim.identifiers import COUNTRIES, BucType, CdmVersion, InstitutionId, SedType
from eessi_sim.ir.loader import NetworkDefinition, load_institution, load_network
from eessi_sim.ir.model import ApplicationRole, Institution

ROOT = resources.institutions()
INSTITUTIONS = sorted(path for path in ROOT.glob("[A-Z][A-Z]/*.yaml"))
NETWORKS = sorted((ROOT / "networks").glob("*.yaml"))
STORIES = sorted((ROOT / "stories").glob("*.yaml"))
TEMPLATES = sorted(ROOT.glob("[A-Z][A-Z]/*/*.sample.xml"))
VERSION = CdmVersion("4.4")
STEP_KEYS = ({"send", "by"}, {"await", "from"}, {"close", "by"}, {"cut"}, {"wait"}, {"restore"})
NAMED = re.compile(r"<institutionID>([^<]+)</institutionID>\s*<institutionName>([^<]+)</institutionName>")


def _id(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


_load = cache(load_institution)


def _institution(institution_id: str) -> Institution:
    country, code = institution_id.split(":")
    return _load(ROOT / country / f"{code}.yaml")


def _network(path: Path) -> NetworkDefinition:
    return load_network(path, [ROOT])


def _story(path: Path) -> Fields:
    return load_yaml(path).mapping(
        required=("id", "title", "text", "buc", "owner", "counterparties", "steps"), allowed=()
    )


def _steps(story: Fields) -> list[Fields]:
    return [node.entries() for node in story["steps"].sequence()]


def _texts(node: Node) -> list[str]:
    return [item.text() for item in node.sequence()]


def _is_competent(institution_id: str, buc: str, role: ApplicationRole) -> bool:
    competences = _institution(institution_id).competences
    return any(entry.buc == buc and entry.role == role and entry.ready for entry in competences)


def _produced(institution_id: str) -> set[str]:
    """SED types that the behaviours of an institution send by themselves."""
    rules = _institution(institution_id).behaviours
    return {sed for rule in rules for sed in (*rule.send, *([rule.reply] if rule.reply else []))}


def _deliveries(story: Fields) -> int:
    """How often a message of the story reaches an institution; pension documents go to everybody."""
    others = len(story["counterparties"].sequence())
    multilateral = story["buc"].text() == "P_BUC_01"
    count = 0
    for step in _steps(story):
        count += others if "send" in step else 0
        count += len(step["from"].sequence()) * (others if multilateral else 1) if "await" in step else 0
    return count


def test_institution_file_is_read_without_complaint() -> None:
    """Known keys, an id of the right form that is folder and file name, real countries, dates and durations."""
    for path in INSTITUTIONS:
        assert _load(path).id == InstitutionId(f"{path.parent.name}:{path.stem}"), _id(path)


def test_institution_has_an_english_name_and_one_of_its_own_language() -> None:
    """English comes first and is not alone, so that tables can be played in the language of the country."""
    for path in INSTITUTIONS:
        languages = [translation.language for translation in _load(path).name]
        assert languages[0] == "en", _id(path)
        assert len(languages) > 1, _id(path)


def test_contact_data_is_plainly_fictitious() -> None:
    """The mail domain is reserved for examples and there is no telephone number (RFC 2606)."""
    for path in INSTITUTIONS:
        contact = _load(path).contact
        assert contact.phone is None, _id(path)
        assert contact.email is not None, _id(path)
        assert contact.email.endswith(".example"), _id(path)


def test_counterparty_answers_what_it_is_asked() -> None:
    """Whoever can be counterparty has the behaviour for it; everybody in cases answers H001, X009 and X012."""
    for path in INSTITUTIONS:
        wanted = {
            "LA_BUC_02": {("A003", "A012")},
            "P_BUC_01": {("P4000", "P5000"), ("P4000", "P6000")},
            "UB_BUC_01": {("U001", "U002"), ("U003", "U004")},
        }
        institution = _load(path)
        does = {(rule.when, sed) for rule in institution.behaviours for sed in (rule.reply, *rule.send)}
        routes = {entry.role for entry in institution.competences} == {ApplicationRole.INTELLIGENT_RA}
        expected = set() if routes else {("H001", "H002"), ("X009", "X010"), ("X012", "X013")}
        for entry in institution.competences:
            if entry.role is ApplicationRole.COUNTERPARTY:
                expected |= wanted.get(entry.buc, set())
        assert expected <= does, _id(path)


def test_behaviours_speak_of_defined_seds() -> None:
    """Every document that a behaviour waits for or sends is in the catalogue, with a sample to send."""
    for path in INSTITUTIONS:
        catalogue = Catalogue.default()
        for rule in _load(path).behaviours:
            assert catalogue.find(rule.when, VERSION) is not None, _id(path)
            for sed in (rule.reply, *rule.send):
                assert sed is None or catalogue.get(sed, VERSION).sample is not None, _id(path)


def test_no_document_is_answered_twice() -> None:
    """The first rule that matches wins, so a second one for the same document would never act."""
    for path in INSTITUTIONS:
        whens = [rule.when for rule in _load(path).behaviours]
        assert len(whens) == len(set(whens)), _id(path)


def test_a_hundred_institutions_of_all_countries_form_the_union() -> None:
    """Every country has two or more, liaison bodies among them; one network names every file."""
    countries = [path.parent.name for path in INSTITUTIONS]
    assert len(countries) >= 100
    assert all(countries.count(country) >= 2 for country in COUNTRIES)
    union = _network(ROOT / "networks" / "union.yaml").institutions
    assert {each.id for each in union} == {f"{path.parent.name}:{path.stem}" for path in INSTITUTIONS}
    assert sum(each.liaison_body for each in union) >= 10


def test_every_sector_has_institutions_in_all_countries() -> None:
    """Legislation, pensions, unemployment, family, sickness: somebody answers for each, wherever the case leads."""
    union = _network(ROOT / "networks" / "union.yaml").institutions
    found = {(each.country, entry.buc.sector) for each in union for entry in each.competences}
    assert {(cc, sector) for cc in COUNTRIES for sector in ("LA", "P", "UB", "FB", "S")} - found == set()


def test_network_file_is_read_and_named_after_its_id() -> None:
    """Known keys, and every institution named has a file."""
    for path in NETWORKS:
        assert _network(path).id == path.stem, _id(path)


def test_network_plays_stories_whose_institutions_take_part() -> None:
    """Each story named has a file, and its owner and counterparties are in the network."""
    for path in NETWORKS:
        network = _network(path)
        members = {institution.id for institution in network.institutions}
        for name in network.stories:
            story = _story(ROOT / "stories" / f"{name}.yaml")
            assert {story["owner"].text(), *_texts(story["counterparties"])} <= members, _id(path)


def test_demo_network_moves_enough_documents() -> None:
    """At least 14 SEDs between at least 5 institutions of 4 countries, counted per receiver."""
    stories = [_story(ROOT / "stories" / f"{name}.yaml") for name in _network(NETWORKS[0]).stories]
    players = {name for s in stories for name in (s["owner"].text(), *_texts(s["counterparties"]))}
    assert sum(_deliveries(story) for story in stories) >= 14
    assert len(players) >= 5
    assert len({name[:2] for name in players}) >= 4


def test_story_has_known_keys_and_is_named_after_its_id() -> None:
    """Keys of the story and of each step are those of the README."""
    for path in STORIES:
        story = _story(path)
        assert story["id"].text() == path.stem, _id(path)
        assert BucType(story["buc"].text()), _id(path)
        assert all(set(step) in STEP_KEYS for step in _steps(story)), _id(path)


def test_story_is_played_by_institutions_competent_in_their_roles() -> None:
    """The owner is competent as CaseOwner, each counterparty as Counterparty of the process."""
    for path in STORIES:
        story = _story(path)
        buc = story["buc"].text()
        assert _is_competent(story["owner"].text(), buc, ApplicationRole.CASE_OWNER), _id(path)
        assert all(
            _is_competent(one, buc, ApplicationRole.COUNTERPARTY) for one in _texts(story["counterparties"])
        ), _id(path)


def test_story_awaits_only_what_behaviours_send() -> None:
    """Otherwise the story would wait forever."""
    for path in STORIES:
        story = _story(path)
        for step in _steps(story):
            if "await" in step:
                senders = _texts(step["from"])
                assert set(senders) <= set(_texts(story["counterparties"])), _id(path)
                assert all(step["await"].text() in _produced(sender) for sender in senders), _id(path)


def test_story_sends_documents_that_have_a_sample() -> None:
    """What the owner sends is composed from the sample of the catalogue."""
    for path in STORIES:
        sent = [step["send"].text() for step in _steps(_story(path)) if "send" in step]
        assert sent, _id(path)
        assert all(Catalogue.default().get(SedType(sed), VERSION).sample is not None for sed in sent), _id(
            path
        )


def test_own_document_of_an_institution_is_valid_and_its_own() -> None:
    """It keeps schema and rules, and its first local case number is that of the institution."""
    for path in TEMPLATES:
        sed, report = Validator(Catalogue.default()).validate_bytes(path.read_bytes())
        assert sed is not None, f"{path.parent.name}/{path.name}"
        assert report.issues == (), f"{path.parent.name}/{path.name}"
        owner = f"{path.parent.parent.name}:{path.parent.name}"
        assert sed.root.findtext("LocalCaseNumbers/LocalCaseNumber/Institution/institutionID") == owner, (
            f"{path.parent.name}/{path.name}"
        )


def test_own_document_has_every_part_that_the_answer_file_names() -> None:
    """So that the same answer file serves the general sample and the institution's own."""
    for path in TEMPLATES:
        sed = Sed.read(path.read_bytes())
        answer = Answer.load(Catalogue.default().get(sed.type, sed.version).answer)
        assert xmlsafe.local_name(answer.compose(sed.root, {})) == sed.type, f"{path.parent.name}/{path.name}"


def test_samples_call_institutions_by_the_names_of_their_files() -> None:
    """A name beside an id in any sample is one of the names of the institution with that id."""
    samples = sorted(resources.schemas().glob("cdm/4.4/*/*.sample.xml"))
    said = {pair for path in (*samples, *TEMPLATES) for pair in NAMED.findall(path.read_text("utf-8"))}
    wrong = [
        (one, name)
        for one, name in sorted(said)
        if name not in {translation.text for translation in _institution(one).name}
    ]
    assert wrong == []
