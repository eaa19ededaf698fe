"""Queue `default`: the audit log is chained each minute and signed each day."""

from __future__ import annotations

import structlog
from celery import shared_task
from flask import current_app

from app.domain.names import TaskName
from app.domain.request_errors import Unavailable
from app.services.upkeep.chain_audit import chain_events
from app.services.upkeep.checkpoint_audit import export_checkpoints, make_checkpoints
from app.services.upkeep.take_turn import take_turn
from workers.chores import turn_interval

_log = structlog.get_logger(__name__)


@shared_task(name=TaskName.AUDIT_CHAIN)
def audit_chain() -> None:
    """Chain what is complete and export what S3 did not take, unless another firing just did."""
    if take_turn(TaskName.AUDIT_CHAIN, turn_interval(TaskName.AUDIT_CHAIN)):
        _log.info("audit_chained", events=chain_events())
        _export()


@shared_task(name=TaskName.AUDIT_CHECKPOINT)
def audit_checkpoint() -> None:
    """Sign the heads of chains, unless no key is set or another beat's firing just did."""
    if not take_turn(TaskName.AUDIT_CHECKPOINT, turn_interval(TaskName.AUDIT_CHECKPOINT)):
        return
    if current_app.config["SETTINGS"].audit_signing_key is None:
        _log.warning("audit_checkpoint_skipped", reason="AUDIT_SIGNING_KEY is not set")
        return
    chain_events()
    _log.info("audit_checkpoints_made", checkpoints=make_checkpoints())
    _export()


def _export() -> None:
    try:
        exported = export_checkpoints()
    except Unavailable as error:
        _log.warning("audit_checkpoints_not_exported", error=str(error))
        return
    if exported:
        _log.info("audit_checkpoints_exported", checkpoints=exported)
