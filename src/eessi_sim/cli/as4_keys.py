"""``eessi-sim as4 keys``: throw-away keys for two or more gateways, of the kinds that a profile asks for."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import click
from cryptography.hazmat.primitives.asymmetric import ed25519
from rich.text import Text

from eessi_sim.as4.modes import ProfileName
from eessi_sim.cli import failures, output
from eessi_sim.clock import SystemClock
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.security.keys import Purpose
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm

SIGNING: Final = "sign.pem"
ENCRYPTION: Final = "encrypt.pem"
AUTHORITY: Final = "ca.pem"
_COUNTRY: Final = "EU"


@click.command(short_help="Make keys for both sides.", epilog=failures.EXIT_STATUS)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--profile",
    type=click.Choice([each.value for each in ProfileName if each is not ProfileName.EESSI]),
    default=ProfileName.EDELIVERY_1.value,
    show_default=True,
    help="Decides the kinds of keys.",
)
@output.shared_options
def keys(*, folder: Path, names: Sequence[str], profile: str, as_json: bool) -> None:
    r"""Make an authority, and for each name what a gateway needs to sign and to decrypt.

    Writes DIR/NAME/sign.pem and its .key, encrypt.pem and its .key where the profile keeps the two apart, and ca.pem.
    For tests; the other side's folder is the one without its .key files.

    \b
    Example:
      eessi-sim as4 keys keys ours theirs
      eessi-sim as4 keys keys2 ours theirs --profile edelivery-2.0

    With --json: {"folder", "files": [str]}.
    """
    for name in names:
        if (folder / name).exists():
            raise EnvironmentProblem(
                f'Expected no keys yet at "{folder / name}", found some',
                hint="Choose another folder, or remove this one; its keys would be lost.",
            )
    kind = KeyAlgorithm.RSA_2048 if profile == ProfileName.EDELIVERY_1 else KeyAlgorithm.P_256
    now = SystemClock().now()
    authority = CertificateAuthority.create("AS4 test authority", now, kind)
    for name in names:
        _make(authority, folder / name, name, ProfileName(profile), now)
    files = sorted(str(path.relative_to(folder)) for name in names for path in (folder / name).iterdir())
    if as_json:
        output.show_json({"folder": folder, "files": files})
    else:
        output.show(Text(f"Wrote {', '.join(files)} to {folder}"))


def _make(
    authority: CertificateAuthority, folder: Path, name: str, profile: ProfileName, now: datetime
) -> None:
    is_edwards = profile is ProfileName.EDELIVERY_2
    key = ed25519.Ed25519PrivateKey.generate() if is_edwards else None
    authority.issue(name, Purpose.EBMS, country=_COUNTRY, now=now, key=key).save(folder / SIGNING)
    if is_edwards:
        authority.issue_agreement(name, country=_COUNTRY, now=now).save(folder / ENCRYPTION)
    (folder / AUTHORITY).write_bytes(authority.certificate.pem)
