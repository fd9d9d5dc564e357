"""The usual signed message of the tests, put together by hand with something wrong in it."""

from collections.abc import Sequence
from dataclasses import replace

from tests.helpers.as4_messages import SENDER, attachment, keys_of, sed_payload, unpacked, user_message

from eessi_sim.as4 import msh, soap_writer
from eessi_sim.as4.model import Payload
from eessi_sim.conformance.forgery import Forgery


def messaging(payloads: Sequence[Payload], **changes: object) -> str:
    """Return eb:Messaging of the usual message, id ``ebms-1``."""
    unit = user_message(parts=tuple(payload.part_info for payload in payloads), **changes)
    return soap_writer.write_messaging(unit, "ebms-1", has_role=True)


def usual(**changes: object) -> Forgery:
    """Return the usual message, right but for the named changes."""
    made = Forgery((sed_payload(), attachment()), keys_of(SENDER.id), user_message())
    return replace(made, **changes)  # type: ignore[arg-type] # tests name real fields


def forged(**changes: object) -> msh.Unpacked:
    """Return a message that is right but for the named changes."""
    return unpacked(usual(**changes).packed())
