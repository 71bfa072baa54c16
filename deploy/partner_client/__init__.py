"""A client for partner systems: rows in, results out, webhooks verified. Needs httpx2 only."""

from .answers import Application, Batch, Finding, PartnerError, Result, Unreachable
from .client import PartnerClient, Row
from .webhooks import SignatureError, verify

__all__ = [
    "Application",
    "Batch",
    "Finding",
    "PartnerClient",
    "PartnerError",
    "Result",
    "Row",
    "SignatureError",
    "Unreachable",
    "verify",
]
