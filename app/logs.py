"""Structured logs: one JSON object a line, with the ids that the request or task has bound."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog

# The first part of our loggers' names; `__main__` is the dispatcher's. What others log below INFO
# quotes S3 keys and signed headers (botocore), rows (SQLAlchemy), and messages (kombu).
OURS = ("app", "workers", "scripts", "access", "__main__")


def configure_logging(level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]) -> None:
    """Send structlog's and the standard library's records to stderr as JSON lines.

    Values bound with `structlog.contextvars` (request_id, job_id, shard_no) are on every line.
    Below INFO nobody is heard but our own loggers, whatever level others give theirs.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    handler.addFilter(_may_be_heard)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level]))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _may_be_heard(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.INFO or record.name.partition(".")[0] in OURS
