"""``eessi-sim ir`` and ``institutions generate``: the directory as a whole, on files of every kind."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.helpers.commands import run, run_json
from tests.helpers.listings import travelling, written

from eessi_sim import resources
from eessi_sim.ir import snapshot
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import load_definition
from eessi_sim.simulation.credentials import PartyKeys
from eessi_sim.simulation.state import establish

NETWORKS = resources.institutions() / "networks"
UNION = NETWORKS / "union.yaml"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a network of five institutions that was made and not started."""
    folder = tmp_path_factory.mktemp("network")
    definition = load_definition(NETWORKS / "five.yaml")
    establish(definition, folder, now=datetime.now(UTC), algorithm=KeyAlgorithm.P_256)
    return folder


def test_union_is_shown() -> None:
    """Version, numbers, and each institution with its sectors."""
    shown = run("ir", "show", UNION).stdout
    assert "institutions           147 of 32 countries" in shown
    assert "AT:DVSV01" in shown


def test_competent_institutions_are_shown() -> None:
    """Only who is competent in the role at the time: nobody was before EESSI began."""
    arguments = ("ir", "show", UNION, "--buc", "P_BUC_01", "--role", "CaseOwner", "--at")
    found = run_json(*arguments, "2026-03-02T00:00:00+01:00")
    assert "AT:PVA01" in {each["id"] for each in found["institutions"]}
    assert "AT:AMS01" not in {each["id"] for each in found["institutions"]}
    assert run_json(*arguments, "2018-01-01")["institutions"] == []
    assert run(*arguments, "soon").exit_code == 2


def test_certificates_are_shown_with_thumbprint_and_validity(network: Path) -> None:
    """Three of each party."""
    assert len(run_json("ir", "show", network)["certificates"]) == 18
    thumbprint = run_json("ir", "show", network)["certificates"][0]["thumbprint"]
    assert thumbprint in run("ir", "show", network).stdout


def test_exported_network_is_imported_without_a_change(network: Path, tmp_path: Path) -> None:
    """The version before is kept; the same message twice makes the same file with the same seed."""
    file = tmp_path / "syn001.xml"
    exported = run_json("ir", "export", network, "--out", file, "--seed", 1, "--at", "2026-03-02")
    assert (exported["version"], exported["institutions"]) == ("4.4.1", 5)
    first = file.read_bytes()
    run("ir", "export", network, "--out", file, "--seed", 1, "--at", "2026-03-02", "--to", "BE:APBE01")
    assert file.read_bytes() == first.replace(b">EU:APSIM01<", b">BE:APBE01<", 2).replace(
        b">BE:APBE01<", b">EU:APSIM01<", 1
    )
    assert run_json("ir", "import", file, "--into", network)["changes"] == 0
    assert (network / "directory-4.4.1.json").read_bytes() == (network / "directory.json").read_bytes()
    assert "No difference" in run("ir", "diff", network, file).stdout
    assert "No difference" in run("ir", "diff", file, network).stdout


def test_certificates_of_a_folder_make_an_import_possible(network: Path, tmp_path: Path) -> None:
    """A SYN001 does not carry its certificates: without them it is refused, with the folder of the keys it is not."""
    file, made = tmp_path / "syn001.xml", tmp_path / "made.json"
    run("ir", "export", network, "--out", file)
    assert "found it nowhere" in run("ir", "import", file, "--check").stderr
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "bad.pem").write_text("-----BEGIN")
    assert "bad.pem" in run("ir", "import", file, "--check", "--certificates", tmp_path / "more").stderr
    found = run("ir", "import", file, "--into", made, "--certificates", network / "pki")
    assert "installed     True" in found.stdout
    assert len(snapshot.load(made).institutions) == 5
    assert run("ir", "import", file).exit_code == 2
    assert run("ir", "import", file, "--into", tmp_path / "nowhere").exit_code == 3


def test_refused_message_installs_nothing(tmp_path: Path) -> None:
    """Every fault is told with file and line; the snapshot stays as it was."""
    made, file = tmp_path / "ir.json", tmp_path / "bad.xml"
    snapshot.save(travelling(), made)
    before = made.read_bytes()
    file.write_bytes(written(travelling()).replace(b"<officialID>NO:", b"<officialID>XX:"))
    found = run("ir", "import", file, "--into", made)
    assert found.exit_code == 1
    assert 'countries, found "XX"' in found.stderr
    assert made.read_bytes() == before


def test_networks_are_compared() -> None:
    """What one has and the other has not is told, as a table or as JSON."""
    arguments = ("ir", "diff", NETWORKS / "demo.yaml", NETWORKS / "pensions.yaml")
    changes = run_json(*arguments)["changes"]
    assert {"AT:PVA01", "DE:BA01", "EU:APSIM01"} <= {each["party"] for each in changes}
    assert "AT:PVA01" in run(*arguments).stdout


def test_institutions_are_made_up(tmp_path: Path) -> None:
    """As many as asked for, into an empty folder only; the network file names them."""
    made = run_json("institutions", "generate", "--count", 40, "--out", tmp_path / "many")
    assert (made["institutions"], made["countries"]) == (40, 32)
    assert len(run_json("ir", "show", made["network"])["institutions"]) == 40
    assert run("institutions", "generate", "--count", 1, "--out", tmp_path / "many").exit_code == 2
    assert (
        "1 institutions of 1"
        in run("institutions", "generate", "--count", 1, "--out", tmp_path / "one").stdout
    )


def test_party_gets_a_new_certificate(tmp_path: Path) -> None:
    """The next version lists both, the key lies where the node looks for it; a stranger gets none."""
    folder = tmp_path / "network"
    definition = load_definition(NETWORKS / "five.yaml")
    establish(definition, folder, now=datetime.now(UTC), algorithm=KeyAlgorithm.P_256)
    made = run_json("ir", "rotate", "IE:DSP01", "--state", folder)
    assert (made["version"], made["listed"]) == ("4.4.2", 2)
    keys = PartyKeys.load(folder / "pki" / "IE_DSP01")
    assert keys.ebms.certificate.sha1_thumbprint == made["thumbprint"]
    assert (folder / "directory-4.4.1.json").exists()
    shown = run("ir", "rotate", "EU:APSIM01", "--purpose", "TLS", "--alone", "--state", folder).stdout
    assert "4.4.3" in shown
    assert run("ir", "rotate", "PL:NONE01", "--state", folder).exit_code == 1
    assert snapshot.load(folder / "directory.json").version == "4.4.3"
