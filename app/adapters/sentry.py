"""Errors that nobody expected, and samples of traces, sent to Sentry from a thread of its own."""

from __future__ import annotations

import random
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import sentry_sdk
import structlog
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.integrations.sqlalchemy import SqlalchemyIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration
from sentry_sdk.transport import HttpTransport

from app.adapters.sentry_reports import allowed_report
from app.config import Settings
from app.domain.errors import FaceQueueError, IllegalTransition
from app.domain.request_errors import InternalError

_log = structlog.get_logger(__name__)

# Raised on purpose all the same, but only where our own code is wrong.
_BUGS = (IllegalTransition, InternalError)
_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def report_to_sentry(settings: Settings) -> None:
    """Let this process report, if SENTRY_DSN is set.

    Nobody waits for Sentry: reports go through a bounded queue to a thread, and what does not fit
    into it is lost. Only the end of a process waits, for two seconds at most.
    """
    if settings.sentry_dsn is None:
        return
    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        release=settings.sentry_release or f"facequeue@{_version()}",
        environment=settings.sentry_environment or settings.facequeue_env,
        sample_rate=settings.sentry_sample_rate,
        traces_sampler=_sampler(settings.sentry_traces_sample_rate),
        transport=AllowedReports,
        before_send=_unexpected,
        # Those that are named, and nothing that a further package would switch on: the logs'
        # integration sends messages, that of http.client addresses, that of argv arguments.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            FlaskIntegration(transaction_style="url"),
            CeleryIntegration(propagate_traces=False),
            SqlalchemyIntegration(),
            ExcepthookIntegration(),
            ThreadingIntegration(),
            AtexitIntegration(callback=lambda _pending, _timeout: None),
            DedupeIntegration(),
        ],
        # Not even collected, though the transport would drop it.
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        trace_propagation_targets=[],
        shutdown_timeout=2,
    )


class AllowedReports(HttpTransport):
    """The only way out: of each envelope, a new one with what is allowed of it."""

    def capture_envelope(self, envelope: Envelope) -> None:
        """Queue the reports of errors and transactions; all else that the SDK has ends here."""
        for item in envelope.items:
            event = item.payload.json if item.type in ("event", "transaction") else None
            report = allowed_report(event) if event else None
            if report is None:
                continue
            allowed = Envelope(headers={"event_id": report["event_id"]})
            if item.type == "event":
                allowed.add_event(report)  # type: ignore[arg-type]  # a part of the SDK's own kind
            else:
                allowed.add_transaction(report)  # type: ignore[arg-type]  # likewise
            super().capture_envelope(allowed)


def _unexpected(event: Any, hint: dict[str, Any]) -> Any:
    """Drop what our code raises on purpose; say in the log under which id the rest is reported."""
    error = hint.get("exc_info", (None, None))[1]
    if isinstance(error, FaceQueueError) and not isinstance(error, _BUGS):
        return None
    tags = event.setdefault("tags", {})
    tags.update(structlog.contextvars.get_contextvars())
    tags["sqlstate"] = getattr(getattr(error, "orig", None), "pgcode", None)
    # A log line has the ids by which the rest of the story is found.
    _log.info("error_reported", sentry_event_id=event["event_id"], error=type(error).__name__)
    return event


def _sampler(rate: float) -> Any:
    """A die of our own: the SDK's follows what a client's headers say."""
    if not rate:
        return None
    return lambda _context: float(random.random() < rate)  # noqa: S311 - nothing to guess here


@cache
def _version() -> str:
    return str(tomllib.loads(_PROJECT.read_text())["project"]["version"])
