"""The access tokens that the managed identity gets and the vault checks."""

import time
from dataclasses import dataclass

import jwt

_LIFETIME_SECONDS = 3600
_ISSUER = "localcloud"


@dataclass(frozen=True)
class Token:
    value: str
    expires_on: int


@dataclass(frozen=True)
class Tokens:
    """Issues and checks tokens; the signing key outlives restarts, since clients keep tokens until they expire."""

    signing_key: str

    def issue(self, audience: str) -> Token:
        now = int(time.time())
        claims = {"iss": _ISSUER, "sub": "bookstore", "aud": audience, "iat": now, "exp": now + _LIFETIME_SECONDS}
        return Token(jwt.encode(claims, self.signing_key, algorithm="HS256"), now + _LIFETIME_SECONDS)

    def is_valid(self, token: str, audiences: list[str]) -> bool:
        try:
            jwt.decode(token, self.signing_key, algorithms=["HS256"], audience=audiences, issuer=_ISSUER)
        except jwt.InvalidTokenError:
            return False
        return True
