"""``eessi-sim as4 dump``: what a stored AS4 message says, decrypted with a key when there is one. Verifies nothing."""

import mimetypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from eessi_sim.as4 import layer, msh
from eessi_sim.as4.decryption import Decryption
from eessi_sim.as4.encryption_reader import is_encrypted
from eessi_sim.as4.model import ErrorSignal, MessageUnit, Payload, PullRequest, Receipt, UserMessage
from eessi_sim.as4.msh import Unpacked
from eessi_sim.cli import failures, inputs, output
from eessi_sim.clock import iso
from eessi_sim.security.keys import HeldKey
from eessi_sim.security.xmldsig import DS, SIGNATURE

_MAX_FILE: Final = 100 * 1024 * 1024
_KINDS: Final = {
    UserMessage: "user message",
    Receipt: "receipt",
    ErrorSignal: "error",
    PullRequest: "pull request",
}


@click.command(short_help="Show what a stored message says.", epilog=failures.EXIT_STATUS)
@click.argument("name", metavar="FILE")
@click.option(
    "--decrypt",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Certificate for which it is encrypted, its key beside it.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write the payloads there.")
@output.shared_options
def dump(*, name: str, decrypt: Path | None, out: Path | None, as_json: bool) -> None:
    r"""Show header, parts and signature of a stored message, as found; nothing is verified.

    FILE holds the HTTP body, with or without its Content-Type line before it; - reads standard input.

    \b
    Example:
      eessi-sim as4 dump message.as4
      eessi-sim as4 dump message.as4 --decrypt keys/theirs/sign.pem --out parts

    \b
    With --json: {"kind", "message_id", "timestamp", "ref_to_message_id", … (by kind), "multihop", "signed",
      "encrypted", "parts": [{"id", "type", "mime_type", "compressed", "bytes"}], "signature": [{"uri", "digest"}]}.
    """
    message = msh.unpack_file(inputs.read_input(name, _MAX_FILE))
    was_encrypted = is_encrypted(message.envelope.security)
    if decrypt is not None:
        message = layer.decrypt(message, Decryption((HeldKey.load(decrypt),)))
    is_readable = decrypt is not None or not was_encrypted
    if out is not None and is_readable:
        _write(message, out)
    header = _header(message, was_encrypted=was_encrypted)
    parts = [_part(part, is_readable=is_readable) for part in message.parts]
    signature = _signature(message)
    if as_json:
        output.show_json({**header, "parts": parts, "signature": signature})
        return
    output.show_fields({name: _plain(value) for name, value in header.items()})
    if parts:
        output.show_table(["", "Part", "Type", "Original type", "!gzip", ">Bytes"], _rows(parts))
    if signature:
        output.show_table(["", "Signed", "Digest"], _rows(signature))


def _plain(value: object) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else failures.printable(str(value))


def _rows(entries: Sequence[Mapping[str, object]]) -> list[list[object]]:
    return [[number, *map(_plain, entry.values())] for number, entry in enumerate(entries, 1)]


def _header(message: Unpacked, *, was_encrypted: bool) -> dict[str, object]:
    info = message.unit.info
    return {
        "kind": _KINDS[type(message.unit)],
        "message_id": str(info.message_id),
        "timestamp": iso(info.timestamp),
        "ref_to_message_id": info.ref_to_message_id and str(info.ref_to_message_id),
        **_content(message.unit),
        "multihop": message.is_multihop,
        "signed": bool(_signature(message)),
        "encrypted": was_encrypted,
    }


def _content(unit: MessageUnit) -> dict[str, object]:
    if isinstance(unit, UserMessage):
        work = unit.collaboration
        return {
            "from": unit.sender.id,
            "from_type": unit.sender.type,
            "to": unit.receiver.id,
            "to_type": unit.receiver.type,
            "service": work.service,
            "service_type": work.service_type,
            "action": work.action,
            "agreement": work.agreement and work.agreement.value,
            "conversation": work.conversation_id,
            "mpc": unit.mpc,
        }
    if isinstance(unit, ErrorSignal):
        return {
            "errors": "; ".join(
                f"{each.code} {each.detail or each.description or ''}" for each in unit.errors
            )
        }
    if isinstance(unit, PullRequest):
        return {"mpc": unit.mpc}
    return {"confirms": ", ".join(reference.uri for reference in unit.references)}


def _part(part: Payload, *, is_readable: bool) -> dict[str, object]:
    return {
        "id": part.content_id,
        "type": part.content_type,
        "mime_type": part.mime_type,
        "compressed": part.is_compressed,
        "bytes": len(msh.payload_content(part)) if is_readable else len(part.content),
    }


def _signature(message: Unpacked) -> list[dict[str, object]]:
    security = message.envelope.security
    if security is None:
        return []
    found = security.iterfind(f"{SIGNATURE}/{{{DS}}}SignedInfo/{{{DS}}}Reference")
    return [
        {"uri": each.get("URI"), "digest": (each.findtext(f"{{{DS}}}DigestValue") or "").strip()}
        for each in found
    ]


def suffix_of(media_type: str) -> str:
    """Return the end of a file name for content of this type."""
    plain = media_type.partition(";")[0].strip().lower()
    # The machine's table knows several names for XML, the first of them .xsl.
    return ".xml" if plain.endswith("/xml") else mimetypes.guess_extension(plain) or ".bin"


def _write(message: Unpacked, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, part in enumerate(message.parts, 1):
        (folder / f"part-{number}{suffix_of(part.mime_type)}").write_bytes(msh.payload_content(part))
