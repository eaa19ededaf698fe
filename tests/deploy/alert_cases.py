"""For each alert: series with which it fires, and series with which it does not.

Series in promtool's notation, one value a minute: `0+5x60` is 0, 5, 10 …; `1x60` is 1 all the time.
"""

from __future__ import annotations

from dataclasses import dataclass

Series = dict[str, str]

_REQUESTS = 'face_recognition_requests_total{client_id="a",operation="detect",status="%s"}'
_TIMES = 'face_recognition_api_request_duration_seconds_bucket{route="r",le="%s"}'
_LANE = 'face_recognition_%s{model="m",priority="bulk",instance="%s"}'
_SLOTS = 'face_recognition_worker_slots{model="%s"}'
_ITEMS = 'face_recognition_items_total{operation="detect",outcome="x",code="%s"}'
_ATTEMPTS = 'face_recognition_webhook_attempts_total{outcome="%s"}'
_DISK = 'node_filesystem_%s_bytes{fstype="ext4",mountpoint="/"}'
_BACKUP = 'facequeue_backup_%s{kind="database"}'
_DAY = 86400


@dataclass(frozen=True)
class Case:
    """`at`: the moment that is looked at, in minutes after 0."""

    fires: Series
    quiet: Series
    at: int = 60


def _one(name: str, fires: str, quiet: str, at: int = 60) -> Case:
    return Case({name: fires}, {name: quiet}, at)


CASES = {
    "FaceQueueHighErrorRate": Case(
        {_REQUESTS % 202: "0+90x60", _REQUESTS % 500: "0+10x60"},
        {_REQUESTS % 202: "0+900x60", _REQUESTS % 404: "0+900x60", _REQUESTS % 503: "0+9x60"},
    ),
    "FaceQueueHighLatency": Case(
        {_TIMES % 0.5: "0+90x60", _TIMES % 2.5: "0+100x60", _TIMES % "+Inf": "0+100x60"},
        # 99 of 100 are quick now; they were slow long ago, which a total would still show.
        {
            _TIMES % 0.5: "0x30 0+990x30",
            _TIMES % 2.5: "0+900x30 27000+1000x30",
            _TIMES % "+Inf": "0+900x30 27000+1000x30",
        },
    ),
    "FaceQueueQueueBacklog": Case(
        {_LANE % ("queue_depth", "a"): "60000x60"},
        # Two API hosts tell of the same items.
        {_LANE % ("queue_depth", "a"): "40000x60", _LANE % ("queue_depth", "b"): "40000x60"},
    ),
    "FaceQueueOldestPending": _one(_LANE % ("oldest_pending_seconds", "a"), "1000x60", "800x60"),
    "FaceQueueWorkerDown": _one(_SLOTS % "m", "4x30 1x30", "4x30 3x30"),
    "FaceQueueNoSlots": Case(
        {_LANE % ("queue_depth", "a"): "1x60", _SLOTS % "another": "4x60"},
        {_LANE % ("queue_depth", "a"): "9x60", _SLOTS % "m": "1x60"},
    ),
    "FaceQueueNoDispatcher": Case(
        {"face_recognition_dispatcher_leaders": "0x60"},
        # One host's scrape came between two leaders.
        {"face_recognition_dispatcher_leaders": "1x58 0 1x10"},
    ),
    "FaceQueueDatabaseDown": _one("face_recognition_database_up", "0x60", "1x60"),
    "FaceQueueTargetDown": _one('up{job="facequeue"}', "0x60", "1x57 0x9"),
    "FaceQueueServerDown": _one('pg_up{instance="a"}', "0x60", "1x60"),
    "FaceQueueItemsFail": Case(
        {_ITEMS % "": "0+90x60", _ITEMS % "storage_unavailable": "0+10x60"},
        {_ITEMS % "": "0+10x60", _ITEMS % "image_not_found": "0+90x60"},
    ),
    "FaceQueueWebhookBacklog": _one("face_recognition_webhook_backlog", "2000x60", "900x60"),
    "FaceQueueWebhooksFail": Case(
        {_ATTEMPTS % "delivered": "0+10x60", _ATTEMPTS % "http_5xx": "0+90x60"},
        {_ATTEMPTS % "delivered": "0+90x60", _ATTEMPTS % "webhook_unreachable": "0+10x60"},
    ),
    "FaceQueueDeadLetters": _one("face_recognition_dead_letters", "1x60", "0x60"),
    "FaceQueueLeaseAge": _one("face_recognition_shard_lease_age_seconds", "90x60", "30x60"),
    "FaceQueueSourcePaused": _one(
        'face_recognition_source_away_seconds{bucket="b"}', "700x60", "500x60"
    ),
    "FaceQueueAuditUnchained": _one("face_recognition_audit_unchained_seconds", "1000x60", "90x60"),
    "FaceQueueReplicaLag": Case(
        {'pg_replication_lag_seconds{instance="a"}': "90x60"},
        {'pg_replication_lag{instance="a"}': "5x60"},
    ),
    "FaceQueueDiskFull": Case(
        {_DISK % "avail": "5x60", _DISK % "size": "100x60"},
        {_DISK % "avail": "15x60", _DISK % "size": "100x60"},
    ),
    "FaceQueueCertificateExpires": _one(
        'probe_ssl_earliest_cert_expiry{instance="a"}',
        f"{13 * _DAY}x120",
        f"{20 * _DAY}x120",
        at=120,
    ),
    "FaceQueueBackupOld": Case(
        # A drill is not a backup.
        {
            _BACKUP % "last_success_timestamp_seconds": "0x1800",
            'facequeue_backup_last_success_timestamp_seconds{kind="drill"}': f"{2 * _DAY}x1800",
        },
        {_BACKUP % "last_success_timestamp_seconds": f"0x1430 {_DAY}x400"},
        at=1800,
    ),
    "FaceQueueBackupMissing": Case(
        {'facequeue_backup_last_success_timestamp_seconds{kind="drill"}': "0x90"},
        {_BACKUP % "last_success_timestamp_seconds": "0x90"},
        at=90,
    ),
    "FaceQueueBackupFailed": _one(_BACKUP % "last_status", "1x30 0x30", "1x60"),
    "FaceQueueBackupShrunk": _one(_BACKUP % "size_bytes", "100x30 40x60", "100x30 60x60"),
}
