"""Webhooks of a service: endpoints, signed messages, retries, a delivery log and replay.

What a service does to have them:

- `webhook_tables(Base.metadata)` among its models, and a migration that makes them;
- `class Settings(WebhookSettings)` with the names of its two variables;
- `webhook_router(prefix, allowed=…, events=…)` among its routers;
- `add_webhook_jobs(jobs)` in its `jobs.py`;
- `sending.emit(session, …)` in the transaction of what a message tells of.
"""
