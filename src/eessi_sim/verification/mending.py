"""Mends a file that somebody wants to send: a SED as XML or JSON, alone or in its envelope.

A message is not mended: its signature covers the packed document, so that only who made it can make it again.
"""

import json
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.cdm.mender import Mended, mend
from eessi_sim.cdm.sed import Sed
from eessi_sim.cdm.validation import Validator
from eessi_sim.errors import SedError
from eessi_sim.verification.recognition import Kind
from eessi_sim.xmlsafe import Element

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def mend_file(kind: Kind, data: bytes, validator: Validator) -> Mended:
    """Return a file without the mechanical faults of its SED.

    Args:
        kind: what it is.
        data: its content.
        validator: knows what is right.

    Raises:
        SedError: it is neither a SED nor an envelope, or it is JSON without the form of a SED.
        XmlError: it is XML that we are not willing to read.
        DefinitionError: a file of the definition is wrong.
    """
    if kind is Kind.SED:
        return mend(data, validator)
    if kind is Kind.ENVELOPE:
        return mend(data, validator, _in_envelope)
    if kind is Kind.SED_JSON:
        return _mend_json(data, validator)
    raise SedError(
        f"Expected a SED or an envelope to mend, found {kind}",
        hint="Unpack a message first, mend the SED in it, then pack and sign it again.",
    )


def _in_envelope(root: Element) -> Element:
    """Return what stands behind the header; the envelope itself when there is nothing."""
    return root[-1] if len(root) > 1 else root


def _mend_json(data: bytes, validator: Validator) -> Mended:
    """Mend the XML form and write it as JSON again."""
    # The JSON form needs the schema library, which commands that meet only XML shall not load.
    from eessi_sim.cdm.codec import Codec, read_json  # noqa: PLC0415

    sed = read_json(data.removeprefix(_BYTE_ORDER_MARK), validator.catalogue)
    mended = mend(xmlsafe.serialize(sed.root), validator)
    if not mended.changes:
        return Mended(data, (), ())
    again = Sed.read(mended.data)
    form = Codec.of(validator.catalogue.get(again.type, again.version)).to_json(again.root)
    text = json.dumps(form, indent=2, ensure_ascii=False) + "\n"
    return Mended(text.encode(), mended.changes, mended.warnings)
