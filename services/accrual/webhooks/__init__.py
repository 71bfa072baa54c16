"""Webhooks: partners hear of every move of their applications, signed, retried, replayable."""
