"""Why a Redis is of no use, in words for whoever runs FaceQueue."""

from __future__ import annotations

from collections.abc import Iterator
from ssl import SSLError

from redis.exceptions import AuthenticationError
from redis.sentinel import MasterNotFoundError

_CERTIFICATE, _TLS = "CERTIFICATE_VERIFY_FAILED", "[SSL"


def redis_fault(error: BaseException) -> str:
    """What an error of a connection means; it may be wrapped in another library's. No address."""
    chain = list(_causes(error))
    words = " ".join(str(cause) for cause in chain)
    if _CERTIFICATE in words:
        return "shows a certificate that is not to be trusted: see ssl_ca_certs of its address"
    if _TLS in words or any(isinstance(cause, SSLError) for cause in chain):
        return "does not speak TLS as it is spoken to"
    if any(isinstance(cause, AuthenticationError) for cause in chain):
        return "refuses the password"
    if any(isinstance(cause, MasterNotFoundError) for cause in chain):
        return "is not to be found: no sentinel that answers names a master"
    return "does not answer"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
