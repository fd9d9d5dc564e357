"""A file of one's own on the wire: sent when it is good, and refused before the wire when it is not."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.attached import PDF, PNG
from tests.helpers.commands import run, run_json
from tests.helpers.packages import rename_ours

from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.identifiers import CdmVersion, SedType

WAY = ["--from", "NO:NAVAT07", "--to", "SE:FKSE01"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network runs in the current folder."""
    monkeypatch.chdir(tmp_path)


def sample(sed: str = "A003") -> bytes:
    path = Catalogue.default().get(SedType(sed), CdmVersion("4.4")).sample
    assert path is not None
    return path.read_bytes()


def saved(content: bytes) -> Path:
    """The content as a file in the current folder."""
    path = Path("mine.xml")
    path.write_bytes(content)
    return path


def sent(content: bytes, *options: str) -> Any:
    return run_json("send", saved(content), *(options or WAY))


def test_good_document_arrives() -> None:
    """A valid SED of one's own is accepted, receipted and found valid."""
    (message,) = sent(sample())["messages"]
    assert (message["sed"], message["valid"], message["reason"]) == ("A003", True, None)
    assert message["accepted_at"] < message["receipted_at"]


def test_document_of_a_foreign_package_arrives(tmp_path: Path) -> None:
    """All nodes work with the schemas that the command names, whatever their namespaces are."""
    package = rename_ours(tmp_path / "foreign")
    content = sample().replace(b"http://ec.europa.eu/eessi/ns/4_4/", b"urn:example:eessi:")
    result = sent(content, *WAY, "--cdm", str(package))
    assert [message["valid"] for message in (*result["messages"], *result["answers"])] == [True, True]
    assert run("send", "mine.xml", *WAY).exit_code == 1


def test_document_of_an_older_version_arrives_and_is_answered_in_it() -> None:
    """The case is of the version of the document; its answer is of the same version."""
    older = Catalogue.default().get(SedType("A003"), CdmVersion("4.3")).sample
    assert older is not None
    result = sent(older.read_bytes())
    told = [(message["sed"], message["valid"]) for message in (*result["messages"], *result["answers"])]
    assert told == [("A003", True), ("A012", True)]


def test_good_document_opens_a_case_of_its_process() -> None:
    """The process is found from the SED that begins it."""
    assert sent(sample())["buc"] == "LA_BUC_02"


def test_document_goes_to_all_receivers() -> None:
    """Every receiver named gets a message of its own."""
    messages = sent(sample(), *WAY, "--to", "PL:ZUS01")["messages"]
    assert sorted(message["to"] for message in messages) == ["PL:ZUS01", "SE:FKSE01"]


def test_trace_of_a_sent_document_goes_over_all_nodes() -> None:
    """What every node did with the message is shown, from sending to the receipt."""
    trace = sent(sample())["trace"]
    assert {step["node"] for step in trace} == {"NO:NAVAT07", "EU:APSIM01", "SE:FKSE01"}
    assert (trace[0]["step"], trace[-1]["step"]) == ("sent", "receipted")


def test_temporary_network_answers_too() -> None:
    """On a temporary network the receiver's own answer is awaited."""
    assert [answer["sed"] for answer in sent(sample())["answers"]] == ["A012"]


def test_temporary_network_is_announced() -> None:
    """That no network was running is said."""
    assert "No network is running here" in run("send", saved(sample()), *WAY).stdout


def test_json_form_is_sent_as_well() -> None:
    """A SED in RINA's JSON form arrives like its XML form."""
    document = run("sample", "A003", "--format", "json").stdout
    json.loads(document)
    assert sent(document.encode())["success"]


def test_signature_in_the_file_is_left_out() -> None:
    """The sender seals the document itself; a seal that came along is removed, and that is said."""
    saved(sample())
    assert run("sign", "mine.xml", "-o", "signed.xml").exit_code == 0
    result = run("send", "signed.xml", *WAY)
    assert (result.exit_code, "signature in the file is left out" in result.stderr) == (0, True)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "xml-forbidden"),
        (b"<A003", "xml"),
        (b"not a document", "sed"),
        (b'<A999 xmlns="http://ec.europa.eu/eessi/ns/4_4/A999"/>', "sed-unknown"),
    ],
    ids=["doctype", "broken", "no document", "unknown"],
)
def test_file_that_is_no_sed_is_a_finding(content: bytes, code: str) -> None:
    """What cannot be read as a SED is told with its finding; status 1, nothing sent."""
    result = run("send", saved(content), *WAY, "--json")
    answer = json.loads(result.stdout)["error"]
    assert (result.exit_code, answer["report"]["issues"][0]["code"]) == (1, code)


def test_invalid_document_is_not_sent() -> None:
    """A SED with errors stays here, with place, sentence and hint of each."""
    result = run("send", saved(sample().replace(b"<startDate>2", b"<startDate>x", 1)), *WAY)
    assert result.exit_code == 1
    assert "FixedPeriod/startDate" in result.stderr
    assert "accepted" not in result.stdout


@pytest.mark.parametrize(
    ("way", "code", "hint"),
    [
        (["--from", "NO:NAVAT07", "--to", "SE:FKSE02"], "receiver-unknown", "SE:FKSE01"),
        (["--from", "NO:NAVAT07", "--to", "SE:PMSE01"], "not-competent", "Competent in SE: SE:FKSE01."),
        (["--from", "NO:NAVPE01", "--to", "SE:FKSE01"], "not-competent", "Competent in NO: NO:NAVAT07."),
        ([*WAY, "--buc", "P_BUC_01"], "action-not-available", "P2000"),
        ([*WAY, "--to", "NO:NAVAT07"], "case", "each once"),
    ],
    ids=["unknown receiver", "receiver not competent", "sender not competent", "other process", "to itself"],
)
def test_way_that_cannot_be_is_refused_before_the_wire(way: list[str], code: str, hint: str) -> None:
    """An impossible receiver, role or process is answered with what is possible; status 1."""
    result = run("send", saved(sample()), *way)
    assert (result.exit_code, result.stderr.startswith(f"{code}: "), hint in result.stderr) == (1, True, True)


def test_document_that_begins_no_case_is_refused() -> None:
    """A reply cannot be sent by itself; the SEDs that can are named."""
    result = run("send", saved(sample("A012")), *WAY)
    assert (result.exit_code, "A003" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    "options",
    [
        ["--from", "NO:NOBODY", "--to", "SE:FKSE01"],
        ["--from", "nonsense", "--to", "SE:FKSE01"],
        [*WAY, "--buc", "LA_BUC_2"],
    ],
    ids=["unknown sender", "no id", "unknown process"],
)
def test_wrong_words_are_wrong_usage(options: list[str]) -> None:
    """A sender that is not in the network and names that are none end with status 2."""
    assert run("send", saved(sample()), *options).exit_code == 2


def test_missing_file_is_a_problem_of_the_machine() -> None:
    """A file that does not exist ends with status 3."""
    assert run("send", "nowhere.xml", *WAY).exit_code == 3


def test_folder_without_network_is_a_problem_of_the_machine() -> None:
    """A folder named for a network that is not there ends with status 3, and how to start one."""
    result = run("send", saved(sample()), *WAY, "--state", "nowhere")
    assert (result.exit_code, "eessi-sim run --state nowhere" in result.stderr) == (3, True)


def test_files_travel_with_the_document() -> None:
    """Files of one's own arrive with it; their types are told by their names."""
    Path("contract.pdf").write_bytes(PDF)
    Path("left lung.PNG").write_bytes(PNG)
    result = sent(sample(), *WAY, "--attach", "contract.pdf", "--medical", "left lung.PNG")
    assert [(each["file_name"], each["mime_type"], each["medical"]) for each in result["attachments"]] == [
        ("contract.pdf", "application/pdf", False),
        ("left lung.PNG", "image/png", True),
    ]
    shown = run("send", "mine.xml", *WAY, "--medical", "left lung.PNG").stdout
    assert "left lung.PNG (image/png, 48 bytes, medical)" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.pdf", PNG, "attachment-type"),
        ("a.docx", b"PK", "attachment-type"),
        ("no.pdf", None, "environment"),
    ],
)
def test_file_that_cannot_travel_is_refused(name: str, data: bytes | None, code: str) -> None:
    """A file of another type than its name says, of a type that nobody takes, and none at all."""
    saved(sample())
    if data is not None:
        Path(name).write_bytes(data)
    result = run("send", "mine.xml", *WAY, "--attach", name)
    assert result.exit_code in (1, 3)
    assert code in result.stderr
