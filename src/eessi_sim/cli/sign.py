"""``eessi-sim sign``: puts a XAdES seal on a SED."""

from datetime import datetime
from pathlib import Path
from typing import Final

import click

from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.sed import Sed
from eessi_sim.cdm.validation import Validator
from eessi_sim.cli import failures, inputs, keys, output
from eessi_sim.clock import SystemClock
from eessi_sim.errors import SedInvalid
from eessi_sim.identifiers import RandomIdFactory
from eessi_sim.security import xades

_AUTHORITY_OF_STDOUT: Final = "throw-away-ca.pem"


@click.command(epilog=failures.EXIT_STATUS)
@click.argument("file")
@click.option("--as", "institution", metavar="ID", help="Sign as this institution; needs --state.")
@click.option(
    "--state",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of a network, or one made by eessi-sim pki init.",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    metavar="PEM",
    help="Certificate to sign with; its private key lies beside it as .key.",
)
@click.option("-o", "--output", "target", metavar="FILE", help="Where to write; standard output by default.")
@click.option("--at", type=inputs.Time(), metavar="TIME", help="Time that the seal claims; now by default.")
@inputs.cdm_option
@output.shared_options
def sign(
    *,
    file: str,
    institution: str | None,
    state: Path | None,
    key: Path | None,
    target: str | None,
    at: datetime | None,
    catalogue: Catalogue,
    as_json: bool,
) -> None:
    r"""Sign a SED: an enveloped XAdES signature as the last child of its root.

    FILE is XML, or RINA's JSON form, which becomes XML; - is standard input. With neither --as nor --key a
    throw-away authority is made for this one signature; its certificate is written beside the output, so that
    the signature can be verified, but nobody in a network will believe it.

    \b
    Example:
      eessi-sim sign a003.xml -o signed.xml
      eessi-sim verify signed.xml --ca signed.ca.pem
      eessi-sim sign a003.xml --as NO:NAVAT07 --state ~/network -o signed.xml

    With --json, and -o: {"file", "sed", "signer", "signed_at", "authority"}.
    """
    signer = _signer(institution, state, key)
    sed = _read(file, catalogue)
    now = at or SystemClock().now()
    signed = xades.sign(sed.root, signer.keys, signing_time=now, token=RandomIdFactory().hex32())
    inputs.write_output(target, signed)
    authority = _authority_file(target) if signer.made_for_it else None
    if authority and signer.made_for_it:
        inputs.write_output(str(authority), signer.made_for_it.pem)
        output.remark(
            f"Signed with a throw-away key: nobody but its authority vouches for it, see {authority}"
        )
    if as_json and target not in (None, inputs.STANDARD_INPUT):
        subject = signer.keys.certificate.subject
        output.show_json(
            {"file": target, "sed": sed.type, "signer": subject, "signed_at": now, "authority": authority}
        )


def _signer(institution: str | None, state: Path | None, key: Path | None) -> keys.Signer:
    if institution and key:
        raise failures.usage("Expected --as or --key, found both.")
    if bool(institution) != bool(state):
        raise failures.usage("Expected --as and --state together: who signs, and where the keys are.")
    if institution and state:
        return keys.of_institution(institution, state)
    return keys.from_file(key) if key else keys.throw_away(SystemClock().now())


def _read(file: str, catalogue: Catalogue) -> Sed:
    """Return the SED of a file; says so when it is not valid, because signing does not mend it.

    Raises:
        SedInvalid: the file holds no SED.
    """
    sed, report = Validator(catalogue).validate_bytes(inputs.read_input(file))
    if sed is None:
        raise SedInvalid(f'Expected a SED in "{file}", found something else', report=report)
    if not report.is_valid:
        output.remark(f"The SED is not valid; it is signed all the same. See: eessi-sim validate {file}")
    return sed


def _authority_file(target: str | None) -> Path:
    if target is None or target == inputs.STANDARD_INPUT:
        return Path(_AUTHORITY_OF_STDOUT)
    return Path(target).with_suffix(".ca.pem")
