"""The language of authenticators (WebAuthn), by the library `webauthn`: options out, answers in.

Answers are a stranger's bytes, nested three formats deep. Whatever they break on the way is
`Unusable`, whose reason is for the log and not for the sender.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import (
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

CHALLENGE_LIFETIME: Final = timedelta(minutes=5)
LONGEST_ID: Final = 1_023  # bytes of a credential's id, says the standard
NAME: Final = "산학협력 마일리지"
ALGORITHMS: Final = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
_MILLISECONDS = int(CHALLENGE_LIFETIME.total_seconds() * 1_000)


class Unusable(Exception):  # noqa: N818  # not an error of ours
    """An answer that is not to be believed, and why."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Whom passkeys are made for: a domain, and the web origins whose pages may ask for them."""

    id: str
    origins: frozenset[str]


def creation_options(
    party: RelyingParty, challenge: bytes, account_id: UUID, login_id: str, known: Sequence[bytes]
) -> dict[str, Any]:
    """For `navigator.credentials.create()`; `known` are the credentials there are already."""
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=NAME,
        user_id=account_id.bytes,
        user_name=login_id,
        challenge=challenge,
        timeout=_MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            # Found without an id typed first, so that nobody can ask us whose passkeys there are.
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        supported_pub_key_algs=ALGORITHMS,
    )
    return options_to_json_dict(options)


def request_options(party: RelyingParty, challenge: bytes, *, alone: bool) -> dict[str, Any]:
    """For `navigator.credentials.get()`; `alone`: without a password."""
    wanted = UserVerificationRequirement
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=_MILLISECONDS,
        user_verification=wanted.REQUIRED if alone else wanted.PREFERRED,
    )
    return options_to_json_dict(options)


def read_made(answer: Mapping[str, Any]) -> RegistrationCredential:
    """What `create()` answered, as its `toJSON()` writes it. Raises `Unusable`."""
    with _doubting():
        return parse_registration_credential_json(dict(answer))


def read_shown(text: str) -> AuthenticationCredential:
    """What `get()` answered, as its `toJSON()` writes it. Raises `Unusable`."""
    with _doubting():
        return parse_authentication_credential_json(text)


def challenge_in(answer: RegistrationCredential | AuthenticationCredential) -> bytes:
    """The challenge an answer says it was made for. Raises `Unusable`."""
    with _doubting():
        client_data = json.loads(answer.response.client_data_json)
        return base64url_to_bytes(client_data["challenge"])


def verify_made(
    party: RelyingParty, answer: RegistrationCredential, challenge: bytes
) -> VerifiedRegistration:
    """A new credential. Who made the device is not asked. Raises `Unusable`."""
    with _doubting():
        if len(answer.raw_id) > LONGEST_ID:
            raise ValueError(len(answer.raw_id))
        return verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=sorted(party.origins),
            supported_pub_key_algs=ALGORITHMS,
        )


def verify_shown(
    party: RelyingParty,
    answer: AuthenticationCredential,
    challenge: bytes,
    public_key: bytes,
    *,
    alone: bool,
) -> VerifiedAuthentication:
    """A credential used. Without a password the device must have verified its user, by a PIN or a
    finger. The counter is the caller's to compare. Raises `Unusable`."""
    with _doubting():
        return verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=sorted(party.origins),
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=alone,
        )


@contextmanager
def _doubting() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise Unusable(repr(error)[:200]) from error
