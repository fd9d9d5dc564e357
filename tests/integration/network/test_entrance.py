"""The AS4 entrance of a node before any message is read: method, TLS identity, format, limits."""

import pytest
from tests.helpers.forge import codes, stamp
from tests.helpers.keys import certificate
from tests.helpers.lab import NAV, POINT, ZUS, Lab

from eessi_sim.as4 import msh
from eessi_sim.identifiers import InstitutionId
from eessi_sim.storage.base import ALL_MESSAGES
from eessi_sim.transport.base import Response

SOAP = "application/soap+xml"
BOTH = pytest.mark.parametrize("party", [POINT, ZUS])


async def knock(
    lab: Lab,
    party: InstitutionId,
    body: bytes = b"",
    *,
    content_type: str = SOAP,
    method: str = "POST",
) -> Response:
    """Send something to a node as a party that may send to it."""
    client = lab.keys(NAV if party == POINT else POINT).tls.certificate.der
    return await lab.post(party, body, content_type=content_type, client=client, method=method)


@BOTH
async def test_only_post_brings_messages(lab: Lab, party: InstitutionId) -> None:
    """Any other method is answered 405."""
    assert (await knock(lab, party, method="GET")).status == 405


@BOTH
async def test_client_without_certificate_is_turned_away(lab: Lab, party: InstitutionId) -> None:
    """Nobody sends without a TLS certificate."""
    answer = await lab.post(party, b"", content_type=SOAP, client=None)
    assert answer.status == 403


@BOTH
async def test_client_whose_certificate_is_not_listed_is_turned_away(lab: Lab, party: InstitutionId) -> None:
    """A certificate that the directory does not list is no identity."""
    answer = await lab.post(party, b"", content_type=SOAP, client=certificate().der)
    assert answer.status == 403
    assert b"directory does not list" in answer.body


@BOTH
async def test_ebms_certificate_is_no_tls_identity(lab: Lab, party: InstitutionId) -> None:
    """Certificates are listed apart by purpose."""
    answer = await lab.post(party, b"", content_type=SOAP, client=lab.keys(NAV).ebms.certificate.der)
    assert answer.status == 403


@BOTH
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b"hello"),
        (SOAP, b"hello"),
        (SOAP, b"<a/>"),
        (SOAP, b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
    ],
)
async def test_what_is_no_as4_message_is_a_bad_request(
    lab: Lab, party: InstitutionId, content_type: str, body: bytes
) -> None:
    """Bytes that are no ebMS message are answered 400 with one sentence, without an error signal."""
    answer = await knock(lab, party, body, content_type=content_type)
    assert answer.status == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert not await lab.store(party).messages(ALL_MESSAGES)


@BOTH
async def test_readable_message_with_a_wrong_header_is_answered_with_an_error_signal(
    sent: Lab, party: InstitutionId
) -> None:
    """A message without the part that its header names is EBMS:0009, signed by the node."""
    message = await sent.sent(NAV)
    body = message.body.replace(b"Content-ID: <sed-", b"Content-ID: <sad-")
    assert body != message.body
    answer = await knock(sent, party, body, content_type=message.content_type)
    assert answer.status == 200
    assert codes(answer) == ["EBMS:0009"]
    signal = msh.unpack(answer.headers["content-type"], answer.body)
    msh.verify(
        signal,
        candidates=[sent.keys(party).ebms.certificate],
        trust=sent.network.credentials.trust,
        at=sent.clock.now(),
    )


@pytest.mark.parametrize(("party", "sender", "code"), [(POINT, NAV, "EBMS:0001"), (ZUS, POINT, "EBMS:0008")])
async def test_pull_request_is_answered_with_an_error(
    lab: Lab, party: InstitutionId, sender: InstitutionId, code: str
) -> None:
    """An institution has no queue; the access point has none of a name that the directory does not know."""
    packed = msh.pack_pull_request("urn:mpc", lab.keys(sender).ebms, stamp=stamp(lab, sender))
    answer = await knock(lab, party, packed.body, content_type=packed.content_type)
    assert codes(answer) == [code]
