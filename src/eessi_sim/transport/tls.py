"""TLS as every hop uses it: both sides show a certificate, version 1.2 or newer.

(eDelivery AS4 test assertions TA40 and TA41 refuse older versions, documented.) Who a certificate
belongs to is not decided here; the Institution Repository knows. A sender is told which certificates it lists
for the address, and goes no further than the handshake with anybody else.
"""

import ssl
from collections.abc import Collection
from typing import Final

from eessi_sim.errors import KeyMaterialError
from eessi_sim.transport.base import TlsIdentity

_CIPHERS_OF_1_2: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Forward secrecy and authenticated encryption only; those of TLS 1.3 all have both."""


def server_context(identity: TlsIdentity) -> ssl.SSLContext:
    """Return the TLS settings of a listener; clients without a trusted certificate are refused.

    Raises:
        KeyMaterialError: a file of the identity cannot be used.
    """
    return _loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), identity)


def client_context(identity: TlsIdentity, listed: Collection[bytes] | None = None) -> ssl.SSLContext:
    """Return the TLS settings of a sender; servers must be trusted and carry the name in the URL.

    Args:
        identity: certificate shown to servers, and the authorities that servers must come from.
        listed: certificates (DER) of which the server must show one, or None for any.

    Raises:
        KeyMaterialError: a file of the identity cannot be used.
    """
    context = _ChoosyContext(ssl.PROTOCOL_TLS_CLIENT)
    context.listed = None if listed is None else frozenset(listed)
    return _loaded(context, identity)


class _ChoosyContext(ssl.SSLContext):
    """Settings that also say which certificates the other side may show."""

    listed: frozenset[bytes] | None = None


class _ChoosyConnection(ssl.SSLObject):
    """Ends the handshake when the certificate is of the right authority and name, but of somebody else.

    All nodes on one machine share a name, and the authority vouches for all of them.
    """

    def do_handshake(self) -> None:
        super().do_handshake()
        assert isinstance(self.context, _ChoosyContext)  # that is where the class is named
        listed = self.context.listed
        if listed is not None and self.getpeercert(binary_form=True) not in listed:
            raise ssl.SSLCertVerificationError("the directory lists another certificate for this address")


_ChoosyContext.sslobject_class = _ChoosyConnection


def _loaded(context: ssl.SSLContext, identity: TlsIdentity) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_ciphers(_CIPHERS_OF_1_2)
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(identity.certificate, identity.key)
        context.load_verify_locations(identity.authorities)
    except OSError as error:  # ssl.SSLError is one
        raise KeyMaterialError(
            f'Cannot use "{identity.certificate}", "{identity.key}" and "{identity.authorities}" for TLS: {error.strerror}',
            hint="All three must be PEM files; the key must be that of the first certificate.",
        ) from error
    return context
