"""``eessi-sim pki``: the authority of a simulated network, its keys and certificates, and what it revoked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from eessi_sim.cli import failures, inputs, output
from eessi_sim.clock import SystemClock
from eessi_sim.errors import EnvironmentProblem, IdentifierError, KeyMaterialError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.security.keys import Certificate
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm
from eessi_sim.simulation.assembly import load_definition, parties_of
from eessi_sim.simulation.credentials import Credentials

_AUTHORITY: Final = "ca.pem"
_INSIDE: Final = "pki"
"""Where the folder of a network keeps its keys."""
_PURPOSES: Final = ("tls", "ebms", "seal")
_FOLDER: Final = click.Path(path_type=Path, file_okay=False)


@dataclass(frozen=True, slots=True)
class _Listed:
    """One certificate of the folder."""

    party: str
    purpose: str
    certificate: Certificate
    state: str
    """valid, not yet valid, expired or revoked."""

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        found = self.certificate
        return {
            "party": self.party,
            "purpose": self.purpose,
            "state": self.state,
            "subject": found.subject,
            "serial": str(found.serial),
            "not_before": found.not_before,
            "not_after": found.not_after,
            "key": _key(found),
            "sha1": found.sha1_thumbprint,
        }


@click.group(epilog=failures.EXIT_STATUS)
def pki() -> None:
    r"""Keys and certificates of a simulated network: make them, look at them, revoke one.

    One authority; for each institution a certificate for TLS, one for ebMS messages and one for the seal on
    SEDs. Private keys lie unencrypted in files that only their owner can read: for tests, never for real use.

    \b
    Example:
      eessi-sim pki init keys
      eessi-sim pki show keys
      eessi-sim pki revoke keys NO:NAVAT07 seal
    """


@pki.command(short_help="Make an authority and keys.", epilog=failures.EXIT_STATUS)
@click.argument("folder", type=_FOLDER, metavar="DIR")
@click.option(
    "--institution", "ids", multiple=True, metavar="ID", help="For whom; the demo network by default."
)
@click.option(
    "--algorithm",
    type=click.Choice([each.value for each in KeyAlgorithm]),
    default=KeyAlgorithm.RSA_2048.value,
    show_default=True,
    help="Kind of keys; p-256 is smaller and faster.",
)
@click.option(
    "--from", "start", type=inputs.Time(), metavar="TIME", help="Begin of the validity; now by default."
)
@output.shared_options
def init(*, folder: Path, ids: Sequence[str], algorithm: str, start: datetime | None, as_json: bool) -> None:
    r"""Make an authority and three key pairs for each institution.

    Writes DIR/ca.pem, ca.key, ca.crl, and DIR/<id>/{tls,ebms,seal}.{pem,key}; keys are readable by you only.

    \b
    Example:
      eessi-sim pki init keys
      eessi-sim pki init keys --institution NO:NAVAT07 --institution PL:ZUS01 --algorithm p-256

    With --json: {"folder", "authority", "parties": [str]}.
    """
    if (folder / _AUTHORITY).exists():
        raise EnvironmentProblem(
            f'Expected a folder without an authority, found {_AUTHORITY} in "{folder}"',
            hint="Choose another folder, or remove this one; its keys would be lost.",
        )
    parties = tuple(_party(each) for each in ids) or parties_of(load_definition())
    with output.working(f"Making {3 * len(parties) + 1} key pairs …"):
        now = start or SystemClock().now()
        credentials = Credentials.make(parties, now=now, algorithm=KeyAlgorithm(algorithm))
        credentials.save(folder)
    subject = credentials.authority.certificate.subject
    if as_json:
        output.show_json({"folder": folder, "authority": subject, "parties": list(parties)})
    else:
        output.show(
            Text(f"Wrote the authority {subject} and keys of {len(parties)} parties to {folder}"),
            Text(f"Look at them with: eessi-sim pki show {folder}", style=output.DIM),
        )


def _party(text: str) -> InstitutionId:
    try:
        return InstitutionId(text)
    except IdentifierError as error:
        raise failures.usage(f"{error.message}.") from error


@pki.command(short_help="List the certificates and their state.", epilog=failures.EXIT_STATUS)
@click.argument("folder", type=_FOLDER, metavar="DIR")
@click.option("--at", type=inputs.Time(), metavar="TIME", help="Judge validity at this time; now by default.")
@output.shared_options
def show(*, folder: Path, at: datetime | None, as_json: bool) -> None:
    r"""List the certificates with their purpose, serial number, validity and state.

    DIR is what "pki init" wrote, or the folder of a network.

    \b
    Example:
      eessi-sim pki show keys

    \b
    With --json: {"authority": {…}, "certificates": [{"party", "purpose", "state", "subject",
      "serial", "not_before", "not_after", "key", "sha1"}]}.
    """
    place = _place(folder)
    now = at or SystemClock().now()
    authority = CertificateAuthority.load(place)
    listed = list(_certificates(place, authority, now))
    root = _Listed("", "authority", authority.certificate, _state(authority.certificate, {}, now))
    if as_json:
        output.show_json({"authority": root.as_dict(), "certificates": [each.as_dict() for each in listed]})
        return
    found = authority.certificate
    output.show(Text(f"{found.subject}", style="bold"))
    output.show_fields({"valid": _period(found), "state": root.state, "key": _key(found)})
    output.show(Text())
    rows = [
        (
            each.party,
            each.purpose,
            _styled(each.state),
            f"{each.certificate.not_after:%Y-%m-%d}",
            _key(each.certificate),
            f"{each.certificate.serial:x}",
        )
        for each in listed
    ]
    output.show_table(["!Party", "!Purpose", "!State", "!Until", "!Key", "Serial number (hex)"], rows)


@pki.command(short_help="Revoke a certificate.", epilog=failures.EXIT_STATUS)
@click.argument("folder", type=_FOLDER, metavar="DIR")
@click.argument("party", metavar="ID")
@click.argument("purpose", type=click.Choice(_PURPOSES))
@click.option("--at", type=inputs.Time(), metavar="TIME", help="Time of the revocation; now by default.")
@output.shared_options
def revoke(*, folder: Path, party: str, purpose: str, at: datetime | None, as_json: bool) -> None:
    r"""Revoke a certificate and write a new revocation list, ca.crl.

    A network reads the list when it starts; from then on what this key signs is refused.

    \b
    Example:
      eessi-sim pki revoke keys NO:NAVAT07 seal

    With --json: {"party", "purpose", "serial", "revoked_at"}.
    """
    place = _place(folder)
    now = at or SystemClock().now()
    authority = CertificateAuthority.load(place)
    certificate = _find(place, party, purpose)
    authority.revoke(certificate, now)
    authority.save(place, now)
    since = authority.revoked[certificate.serial]
    if as_json:
        output.show_json(
            {"party": party, "purpose": purpose, "serial": str(certificate.serial), "revoked_at": since}
        )
    else:
        output.show(
            Text(
                f"Revoked {certificate.subject}, serial number {certificate.serial:x}, since {since:%Y-%m-%d %H:%M} UTC"
            )
        )


def _place(folder: Path) -> Path:
    for place in (folder, folder / _INSIDE):
        if (place / _AUTHORITY).is_file():
            return place
    raise EnvironmentProblem(
        f'Expected an authority in "{folder}", found none', hint=f"Make one with: eessi-sim pki init {folder}"
    )


def _find(place: Path, party: str, purpose: str) -> Certificate:
    known = [folder.name.replace("_", ":", 1) for folder in _folders(place)]
    if party not in known:
        raise failures.usage(
            f'Expected a party with keys in "{place}", found "{party}". {failures.nearest(party, known)}'
        )
    return _read(place / party.replace(":", "_", 1) / f"{purpose}.pem")


def _folders(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.is_dir())


def _read(path: Path) -> Certificate:
    try:
        return Certificate.from_pem(path.read_bytes())
    except OSError as error:
        raise KeyMaterialError(f'Expected a certificate at "{path}", found: {error.strerror}') from error


def _certificates(place: Path, authority: CertificateAuthority, now: datetime) -> Iterator[_Listed]:
    for folder in _folders(place):
        for purpose in _PURPOSES:
            path = folder / f"{purpose}.pem"
            if path.is_file():
                certificate = _read(path)
                state = _state(certificate, authority.revoked, now)
                yield _Listed(folder.name.replace("_", ":", 1), purpose, certificate, state)


def _state(certificate: Certificate, revoked: dict[int, datetime], now: datetime) -> str:
    if certificate.serial in revoked:
        return f"revoked {revoked[certificate.serial]:%Y-%m-%d}"
    if now < certificate.not_before:
        return "not yet valid"
    return "valid" if now <= certificate.not_after else "expired"


def _styled(state: str) -> Text:
    return Text(state, style=output.GOOD if state == "valid" else output.BAD)


def _key(certificate: Certificate) -> str:
    return f"{'RSA' if certificate.is_rsa else 'EC'} {certificate.key_bits}"


def _period(certificate: Certificate) -> str:
    return f"{certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}"
