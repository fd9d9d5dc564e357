"""The options of ``eessi-sim as4``: an agreement and keys, put together from what the user gave."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.key_references import KeyReference
from eessi_sim.as4.model import Agreement, Party
from eessi_sim.as4.modes import PRESETS, ProcessingMode, ProfileName
from eessi_sim.as4.pmode import ReceptionAwareness
from eessi_sim.cli import failures
from eessi_sim.cli.as4_keys import AUTHORITY, ENCRYPTION, SIGNING
from eessi_sim.errors import KeyMaterialError
from eessi_sim.gateway.lone import Identity
from eessi_sim.security.keys import Certificate, HeldKey, KeyPair, key_path
from eessi_sim.security.trust import TrustStore
from eessi_sim.transport.base import TlsIdentity

_Command = TypeVar("_Command", bound=Callable[..., Any])
_FOLDER: Final = click.Path(path_type=Path, exists=True, file_okay=False)
_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_TERMS: Final = (
    click.option(
        "--profile",
        type=click.Choice([each.value for each in ProfileName if each is not ProfileName.EESSI]),
        default=ProfileName.EDELIVERY_1.value,
        show_default=True,
        help="Algorithms of both sides.",
    ),
    click.option(
        "--from", "sender", default="sender", show_default=True, metavar="ID", help="Party id of the sender."
    ),
    click.option(
        "--to", "receiver", default="receiver", show_default=True, metavar="ID", help="Of the receiver."
    ),
    click.option(
        "--party-type", default="urn:oasis:names:tc:ebcore:partyid-type:unregistered", show_default=True
    ),
    click.option("--service", default="urn:eessi-sim:service", show_default=True),
    click.option("--service-type", help="Type of the service; none by default."),
    click.option("--action", default="submit", show_default=True),
    click.option("--agreement", help="AgreementRef; none by default."),
    click.option(
        "--key-reference",
        type=click.Choice([each.value for each in KeyReference]),
        default=KeyReference.TOKEN.value,
        show_default=True,
        help="How messages name certificates.",
    ),
    click.option("--sign-only", is_flag=True, help="Do not encrypt."),
    click.option("--uncompressed", is_flag=True, help="Send payloads as they are."),
    click.option(
        "--retries", type=click.IntRange(0, 100), default=0, show_default=True, help="After silence."
    ),
)


def _keys(*, required: bool) -> tuple[Callable[..., Any], ...]:
    return (
        click.option(
            "--keys",
            type=_FOLDER,
            required=required,
            metavar="DIR",
            help="Our keys, as `as4 keys` makes them.",
        ),
        click.option(
            "--partner",
            type=_FOLDER,
            required=required,
            metavar="DIR",
            help="Certificates of the other side.",
        ),
        click.option(
            "--tls",
            type=_FILE,
            metavar="FILE",
            help="Our TLS certificate, its key beside it; else plain HTTP.",
        ),
        click.option(
            "--tls-authority", type=_FILE, metavar="FILE", help="Who issues the partner's TLS certificate."
        ),
    )


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the options say."""

    mode: ProcessingMode
    keys: Identity | None = None
    tls: TlsIdentity | None = None

    @property
    def identity(self) -> Identity:
        """Our keys; only commands that take keys ask for them."""
        assert self.keys is not None, "the command has the options for keys"
        return self.keys

    def mode_to(self, url: str) -> ProcessingMode:
        """Return the agreement with the address of the receiver."""
        return replace(self.mode, address=url)


def terms(command: _Command) -> _Command:
    """Add the options of an agreement; they arrive as ``agreed``."""

    @wraps(command)
    def wrapped(**given: Any) -> Any:
        mode = _mode(given)
        return command(agreed=Agreed(mode), **given)

    return _with(wrapped, _TERMS)  # type: ignore[return-value] # the same command, decorated


def agreement(command: _Command) -> _Command:
    """Add the options of an agreement and those of keys; they arrive as ``agreed``."""
    return _agreement(command, required=True)


def possible_agreement(command: _Command) -> _Command:
    """The same for a command that can do without keys, or knows the partner from elsewhere.

    Without ``--keys`` there are none; without ``--partner`` they believe nobody.
    """
    return _agreement(command, required=False)


def _agreement(command: _Command, *, required: bool) -> _Command:
    @wraps(command)
    def wrapped(**given: Any) -> Any:
        mode = _mode(given)
        keys, partner = given.pop("keys"), given.pop("partner")
        tls = _tls(given.pop("tls"), given.pop("tls_authority"))
        if keys is None and partner is not None:
            raise failures.usage("Expected --keys together with --partner, found none.")
        if keys is None:
            return command(agreed=Agreed(mode, tls=tls), **given)
        identity = _ours(keys) if partner is None else _identity(keys, partner, mode)
        return command(agreed=Agreed(mode, identity, tls), **given)

    return _with(wrapped, (*_TERMS, *_keys(required=required)))  # type: ignore[return-value] # as above


def _with(command: Callable[..., Any], options: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command


def _mode(given: dict[str, Any]) -> ProcessingMode:
    """Return the mode that the options describe, and take them out of ``given``."""
    preset = PRESETS[given.pop("profile")]
    reference = KeyReference(given.pop("key_reference"))
    security = replace(preset.security, key_reference=reference, recipient_reference=reference)
    if given.pop("sign_only"):
        security = replace(security, encrypts_for=None)
    kind = given.pop("party_type")
    named = given.pop("agreement")
    return replace(
        preset,
        sender=Party(given.pop("sender"), kind, vocabulary.INITIATOR_ROLE),
        receiver=Party(given.pop("receiver"), kind, vocabulary.RESPONDER_ROLE),
        service=given.pop("service"),
        service_type=given.pop("service_type"),
        action=given.pop("action"),
        agreement=Agreement(named) if named else None,
        security=security,
        is_compressed=not given.pop("uncompressed"),
        awareness=ReceptionAwareness(retries=given.pop("retries")),
    )


def _identity(keys: Path, partner: Path, mode: ProcessingMode) -> Identity:
    recipient = None
    if mode.security.encrypts_for is not None:
        recipient = _certificate(partner, ENCRYPTION, SIGNING)
    return replace(
        _ours(keys),
        partners=(_certificate(partner, SIGNING),),
        trust=_trust(partner),
        recipient=recipient,
    )


def _ours(keys: Path) -> Identity:
    return Identity(keys=KeyPair.load(keys / SIGNING), decryption=_decryption(keys), partners=())


def _decryption(keys: Path) -> tuple[HeldKey, ...]:
    """Return the keys that others may encrypt for: the one for encryption where there is one, else the signing key."""
    path = keys / ENCRYPTION
    return (HeldKey.load(path),) if path.exists() else (HeldKey.load(keys / SIGNING),)


def _certificate(folder: Path, *names: str) -> Certificate:
    path = next((folder / name for name in names if (folder / name).is_file()), folder / names[0])
    try:
        return Certificate.from_pem(path.read_bytes())
    except OSError as error:
        raise KeyMaterialError(
            f"Expected a certificate of the other side at {path}, found: {error.strerror}",
            hint="Put what the other side gave you there, as PEM.",
        ) from error


def _trust(partner: Path) -> TrustStore | None:
    """Return who vouches for the partner; None believes the certificates in its folder by themselves."""
    path = partner / AUTHORITY
    return TrustStore.of([Certificate.from_pem(path.read_bytes())]) if path.is_file() else None


def _tls(certificate: Path | None, authority: Path | None) -> TlsIdentity | None:
    if (certificate is None) != (authority is None):
        raise failures.usage("Expected --tls and --tls-authority together, found only one of them.")
    if certificate is None or authority is None:
        return None
    return TlsIdentity(certificate, key_path(certificate), authority)
