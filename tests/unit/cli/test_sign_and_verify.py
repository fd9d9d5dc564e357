"""eessi-sim sign and verify: a seal of one's own, and what is wrong with somebody else's."""

import json
from pathlib import Path

import pytest
from tests.helpers import definitions, evidence
from tests.helpers.commands import run, run_json
from tests.helpers.golden import assert_golden
from tests.helpers.keys import key_pair

from eessi_sim import xmlsafe
from eessi_sim.cdm.codec import Codec
from eessi_sim.security import xmldsig


@pytest.fixture
def sed(tmp_path: Path) -> Path:
    """An unsigned SED in a folder of its own."""
    path = tmp_path / "sed.xml"
    path.write_bytes(evidence.sample())
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with keys of two institutions."""
    folder = tmp_path / "keys"
    ids = ("--institution", "NO:NAVAT07", "--institution", "PL:ZUS01")
    assert run("pki", "init", folder, *ids, "--algorithm", "p-256").exit_code == 0
    return folder


def test_a_throw_away_signature_verifies_with_the_authority_beside_it(sed: Path) -> None:
    """Without a key one is made; its authority is written beside the output."""
    signed = sed.with_name("signed.xml")
    result = run("sign", sed, "-o", signed)
    assert f"see {sed.with_name('signed.ca.pem')}" in result.stderr
    assert run("verify", signed, "--ca", sed.with_name("signed.ca.pem")).exit_code == 0


def test_a_throw_away_signature_is_not_trusted_by_others(sed: Path, keys: Path) -> None:
    """No other authority vouches for a throw-away key."""
    signed = sed.with_name("signed.xml")
    run("sign", sed, "-o", signed)
    result = run("verify", signed, "--ca", keys / "ca.pem")
    assert result.exit_code == 1
    assert "NO_CERTIFICATE_CHAIN_FOUND" in result.stdout


def test_the_signed_sed_may_go_to_standard_output(
    sed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without -o the SED goes to standard output, and the certificate into the current folder."""
    monkeypatch.chdir(tmp_path)
    result = run("sign", sed)
    assert xmlsafe.parse(result.stdout_bytes).tag.endswith("}A003")
    assert (tmp_path / "throw-away-ca.pem").is_file()


def test_an_institution_signs_with_its_seal(sed: Path, keys: Path) -> None:
    """--as signs with the seal of an institution of a network."""
    signed = sed.with_name("signed.xml")
    assert run("sign", sed, "--as", "NO:NAVAT07", "--state", keys, "-o", signed).exit_code == 0
    [subject] = run_json("verify", signed, "--ca", keys / "ca.pem")["subjects"]
    assert subject["checks"][0]["signer"] == "CN=NO:NAVAT07 seal,O=NO:NAVAT07,C=NO"


def test_the_folder_of_a_network_has_its_keys_in_pki(sed: Path, keys: Path) -> None:
    """--state may be the folder of a network."""
    keys.rename(keys.with_name("pki"))
    signed = sed.with_name("signed.xml")
    assert run("sign", sed, "--as", "PL:ZUS01", "--state", sed.parent, "-o", signed).exit_code == 0


def test_an_institution_without_keys_names_the_nearest(sed: Path, keys: Path) -> None:
    """A wrong id is told with those that have keys."""
    result = run("sign", sed, "--as", "NO:NAVAT70", "--state", keys)
    assert result.exit_code == 3
    assert 'Did you mean "NO:NAVAT07"?' in result.stderr


def test_a_folder_without_keys_says_how_to_make_them(sed: Path, tmp_path: Path) -> None:
    """An empty folder is told how it gets keys."""
    assert "eessi-sim pki init" in run("sign", sed, "--as", "NO:NAVAT07", "--state", tmp_path).stderr


@pytest.mark.parametrize("suffix", [".pem", ".key"])
def test_a_key_of_ones_own_signs(sed: Path, tmp_path: Path, suffix: str) -> None:
    """--key takes the certificate or its private key; each lies beside the other."""
    key_pair().save(tmp_path / "own.pem")
    signed = tmp_path / "signed.xml"
    run("sign", sed, "--key", tmp_path / f"own{suffix}", "-o", signed)
    assert run_json("verify", signed)["subjects"][0]["checks"][0]["signer"] == key_pair().certificate.subject


def test_a_key_that_is_missing_is_one_sentence(sed: Path, tmp_path: Path) -> None:
    """A key that is not there is exit status 3."""
    assert run("sign", sed, "--key", tmp_path / "none.pem").exit_code == 3


@pytest.mark.parametrize(
    "arguments",
    [("--as", "NO:NAVAT07"), ("--state", "."), ("--as", "NO:NAVAT07", "--state", ".", "--key", "x")],
)
def test_who_signs_has_to_be_clear(sed: Path, arguments: tuple[str, ...]) -> None:
    """--as goes with --state and without --key."""
    assert run("sign", sed, *arguments).exit_code == 2


def test_the_json_form_is_signed_as_xml(tmp_path: Path) -> None:
    """RINA's JSON becomes XML when it is signed."""
    definition = definitions.definition("A901")
    document = Codec.of(definition).to_json(xmlsafe.parse(definitions.sample()))
    result = run(
        "sign", "-", "--cdm", definitions.FOLDER, "-o", tmp_path / "x.xml", stdin=json.dumps(document)
    )
    assert result.exit_code == 0
    assert run("verify", tmp_path / "x.xml").exit_code == 0


def test_an_invalid_sed_is_signed_with_a_remark(tmp_path: Path, sed: Path) -> None:
    """Signing does not mend a SED, and says so."""
    sed.write_bytes(evidence.sample().replace(b"<sex>", b"<sexx>").replace(b"</sex>", b"</sexx>"))
    result = run("sign", sed, "-o", tmp_path / "signed.xml")
    assert result.exit_code == 0
    assert "The SED is not valid" in result.stderr


def test_what_is_no_sed_is_not_signed(sed: Path) -> None:
    """A file without a SED is a finding; nothing is written."""
    sed.write_bytes(b"<letter/>")
    result = run("sign", sed, "-o", sed.with_name("signed.xml"))
    assert (result.exit_code, sed.with_name("signed.xml").exists()) == (1, False)
    assert "not-a-sed" in result.stderr


def test_a_folder_is_not_signed(tmp_path: Path) -> None:
    """A folder in the place of a file is exit status 3."""
    assert run("sign", tmp_path).exit_code == 3


def test_a_signed_sed_is_not_signed_again(sed: Path) -> None:
    """A second signature is refused."""
    sed.write_bytes(evidence.sealed())
    result = run("sign", sed)
    assert result.exit_code == 1
    assert "Expected an unsigned SED" in result.stderr


def test_a_folder_that_cannot_be_written_is_one_sentence(sed: Path) -> None:
    """An output that cannot be written is exit status 3."""
    assert run("sign", sed, "-o", sed.with_name("none") / "signed.xml").exit_code == 3


def test_signing_as_json_says_who_signed_when(sed: Path) -> None:
    """With -o and --json the facts of the signature are told."""
    target = sed.with_name("signed.xml")
    result = run_json("sign", sed, "-o", target, "--at", "2026-03-02T08:15:00Z")
    assert (result["sed"], result["signed_at"]) == ("A003", "2026-03-02T08:15:00.000Z")
    assert result["authority"] == str(sed.with_name("signed.ca.pem"))


def test_a_report_is_verified_message_by_message(tmp_path: Path) -> None:
    """Of a report that is in order each message is one line."""
    evidence.write_run(tmp_path / "report", index=True)
    result = run("verify", tmp_path / "report")
    assert result.exit_code == 0
    assert_golden("cli/verify.txt", result.stdout)


def test_a_changed_report_names_file_and_reference(tmp_path: Path) -> None:
    """What does not fit is shown with the file, both sides and the likely cause."""
    place = evidence.write_run(tmp_path / "report", index=True)
    path = place / "sed.xml"
    path.write_bytes(path.read_bytes().replace(b"Halina", b"Helina", 1))
    result = run("verify", tmp_path / "report", "--explain")
    assert result.exit_code == 1
    assert "SHA-256 of sed.xml" in result.stdout
    assert "This one octet differs" in result.stdout


def test_a_formatted_document_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretty-printing after signing, the usual accident, is recognised."""
    monkeypatch.chdir(tmp_path)
    sed = b"".join(line.strip() for line in definitions.sample().splitlines())
    sealed = evidence.sealed(sed)
    formatted = sealed.replace(b"><Person>", b">\n  <Person>")
    Path("formatted.xml").write_bytes(formatted)
    result = run("verify", "formatted.xml", "--explain")
    assert result.exit_code == 1
    assert_golden("cli/verify-explain.txt", result.stdout)


def test_without_explain_the_reference_is_named(tmp_path: Path) -> None:
    """The short form names the reference and says how to learn more."""
    path = tmp_path / "t.xml"
    path.write_bytes(evidence.sealed().replace(b"Halina", b"Helina"))
    assert "the document (URI empty) (--explain shows more)" in run("verify", path).stdout


def test_single_files_show_every_check(tmp_path: Path) -> None:
    """Of a single file every check is shown, also those that passed."""
    path = tmp_path / "message.as4"
    path.write_bytes(evidence.files()["message.as4"])
    result = run("verify", path)
    assert result.stdout.count("✓") == 5
    assert "4 checks of 1 item: all passed; signers were not checked" in result.stdout


def test_trusted_signers_are_told(tmp_path: Path) -> None:
    """With an authority the sentence says that the signer is trusted."""
    evidence.belief(tmp_path)
    path = tmp_path / "message.as4"
    path.write_bytes(evidence.files()["message.as4"])
    assert "and the signer is trusted" in run("verify", path, "--ca", tmp_path / "ca.pem").stdout


def test_a_hint_says_what_to_change(tmp_path: Path) -> None:
    """A check that failed says what to do."""
    path = tmp_path / "x.json"
    path.write_text("{}")
    assert "hint: Give the XML or the .as4 file." in run("verify", path).stdout


def test_standard_input_is_verified() -> None:
    """- is standard input."""
    assert run("verify", "-", stdin=evidence.sealed()).exit_code == 0


def test_a_folder_that_is_no_report_is_one_sentence(tmp_path: Path) -> None:
    """A folder without messages is exit status 3."""
    assert run("verify", tmp_path).exit_code == 3


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """A file that is not there is exit status 3."""
    assert "Expected a file or folder" in run("verify", tmp_path / "none").stderr


def test_verification_as_json_has_the_documented_shape(tmp_path: Path) -> None:
    """The JSON form is stable."""
    evidence.write_run(tmp_path)
    result = run_json("verify", tmp_path)
    assert set(result) == {"valid", "subjects"}
    assert set(result["subjects"][0]) == {"name", "description", "valid", "checks"}


def test_a_failed_verification_as_json_ends_with_1(tmp_path: Path) -> None:
    """JSON does not change the exit status."""
    path = tmp_path / "t.xml"
    path.write_bytes(evidence.sample())
    assert run("verify", path, "--json").exit_code == 1


def test_the_seal_can_be_checked_by_others(sed: Path) -> None:
    """What sign writes is the same seal that institutions write."""
    signed = sed.with_name("signed.xml")
    run("sign", sed, "-o", signed)
    root = xmlsafe.parse(signed.read_bytes())
    assert root[-1].tag == xmldsig.SIGNATURE
