"""Queue `default`: mail to tenants' contacts leaves, apart from what it is about."""

from __future__ import annotations

import structlog
from celery import shared_task

from app.domain.names import TaskName
from app.services.tenancy.announce_key_ends import announce_key_ends
from app.services.tenancy.send_mails import send_mails
from app.services.upkeep.take_turn import take_turn
from workers.chores import turn_interval

_log = structlog.get_logger(__name__)


@shared_task(name=TaskName.SEND_MAIL)
def send_mail() -> None:
    """Send what waits, unless another beat's firing just did."""
    if take_turn(TaskName.SEND_MAIL, turn_interval(TaskName.SEND_MAIL)):
        _log.info("mails_sent", mails=send_mails())


@shared_task(name=TaskName.ANNOUNCE_KEY_ENDS)
def announce() -> None:
    """Write the mails about keys that end, unless another beat's firing just did."""
    if take_turn(TaskName.ANNOUNCE_KEY_ENDS, turn_interval(TaskName.ANNOUNCE_KEY_ENDS)):
        _log.info("key_ends_announced", mails=announce_key_ends())
