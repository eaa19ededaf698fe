"""The command line of the importer."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from app.domain.image_header import IMAGE_SUFFIXES
from scripts.importing.failures import CannotWrite, ImportFault
from scripts.importing.plan import OPERATIONS
from scripts.importing.steps import Request, run_import

INTERRUPTED = 130
HELP = f"""Run every image under s3://BUCKET/PREFIX through FaceQueue.

\b
  detect    find the faces
  enrol     add the people to a collection; the first folder below PREFIX is the person
  identify  say who is in each picture, from a collection, or "unknown"
  verify    check that each picture shows the person its folder names

PREFIX is a folder, with or without a slash at its end, or the whole key of one object; no PREFIX is
the whole bucket. s3://photos/staff does not take staff-former/. With --prefix-as-is it takes all
keys that begin so, as S3 itself would; a person is then the first folder behind the last slash of
PREFIX.

Images are what ends in {" ".join(IMAGE_SUFFIXES)}. Other objects are passed over, and counted by
suffix in the summary; --all submits them too, whatever they are called. Empty objects and the
markers that some tools make of folders are never submitted.

Results go to a file of JSON lines, one line per image. Running the same command again skips what
is in that file and picks up jobs that were already submitted, so an import may be stopped at any
moment (Ctrl-C) and gone on with later. An object that was written anew since its result is
submitted again, as is one that failed since S3 was away. The state is kept beside the results, in
RESULTS.state.

An image that FaceQueue does not take at all has a line in the results like any that failed, and
the others go on. A line of an enrolment has an "effect": enrolled, already_enrolled (the collection
had this photograph as this person's), moved, or enrolled_elsewhere.

After an enrolment the collection has what the folders show. A photograph that another person had
becomes the person's in whose folder it is (moved), and an object that was written anew gives its
new photograph in place of the old. With --on-conflict keep the other person keeps it: the line
names them ("enrolled_as"), and the image counts as failed (enrolled_elsewhere). With --on-changed
add the old photograph stays beside the new one. A photograph in the folders of two people cannot be
both's: the image that lost it counts as failed (in_two_folders). Nothing is deleted for an object
that is gone; the summary names those whose faces are left.

S3 is read with the usual AWS variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for a
server of your own, AWS_ENDPOINT_URL_S3). After ./scripts/quickstart.sh, `source .facequeue/env`
sets them all. The bucket must be registered for your tenant.

\b
Examples:
  import_s3.py s3://photos/staff --operation enrol --collection staff --create-collection
  import_s3.py s3://photos/door --operation identify --collection staff --results door.jsonl

\b
Exit codes:
  0    every image has its result, and none failed
  1    the import ended, but some images failed, have no result, or were passed over though their
       suffix (.heic, .tif, none, …) is an image's; the summary says which
  2    wrong usage: an option, the API key, the collection, the bucket, a damaged results file
  3    FaceQueue or S3 does not serve, also where all that failed did so for that reason, or a file
       cannot be written (a full disk); run the same command again later
  130  interrupted; run the same command again to go on
"""


@click.command(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("address", metavar="s3://BUCKET/PREFIX")
@click.option("--operation", required=True, type=click.Choice(OPERATIONS), help="What to do.")
@click.option("--collection", metavar="NAME_OR_ID", help="The gallery; not needed for detect.")
@click.option("--create-collection", is_flag=True, help="Make the collection if it is not there.")
@click.option(
    "--subject-from",
    type=click.Choice(["folder", "none"]),
    help="Where a picture's person comes from.  [default: folder for enrol and verify]",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="A job option, such as max_faces=3 or enrol_faces=largest; may be repeated.",
)
@click.option(
    "--chunk", default=1000, show_default=True, type=click.IntRange(1), help="Images in one job."
)
@click.option(
    "--max-jobs", default=4, show_default=True, type=click.IntRange(1), help="Jobs in flight."
)
@click.option(
    "--suffix",
    "suffixes",
    multiple=True,
    metavar=".EXT",
    help=f"Take these objects instead of {' '.join(IMAGE_SUFFIXES)}; may be repeated.",
)
@click.option(
    "--all", "take_all", is_flag=True, help="Take all objects, whatever their suffix, or none."
)
@click.option(
    "--prefix-as-is", is_flag=True, help="Take all keys that begin with PREFIX, not a folder."
)
@click.option(
    "--on-conflict",
    type=click.Choice(["move", "keep"]),
    help="enrol: a photograph that another person has.  [default: move]",
)
@click.option(
    "--on-changed",
    type=click.Choice(["replace", "add"]),
    help="enrol: what an object showed before it was written anew.  [default: replace]",
)
@click.option(
    "--results",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write.  [default: OPERATION-BUCKET-PREFIX.jsonl]",
)
@click.option("--retry-failed", is_flag=True, help="Submit images again whose last result failed.")
@click.option("--webhooks", is_flag=True, help="Let subscribed webhook endpoints hear of the jobs.")
@click.option(
    "--api-url", envvar="FACEQUEUE_URL", show_envvar=True, help="FaceQueue, e.g. http://host:8000"
)
@click.option("--api-key", envvar="FACEQUEUE_API_KEY", show_envvar=True, help="Your API key.")
def import_s3(**arguments: Any) -> None:
    """Entry point: turns every ending into a line and an exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stop from outside is a Ctrl-C
    console = Console(stderr=True, soft_wrap=True)
    try:
        exit_code = run_import(Request(**arguments), console).exit_code
    except ImportFault as fault:
        _say(console, f"error: {fault}")
        exit_code = fault.exit_code
    except OSError as error:  # of what is printed: files of the import raise faults
        _say(console, f"error: {error}")
        exit_code = CannotWrite.exit_code
    except KeyboardInterrupt:
        _say(console, "stopped; run the same command again to go on (submitted jobs run on)")
        exit_code = INTERRUPTED
    sys.exit(exit_code)


def _say(console: Console, text: str) -> None:
    with suppress(OSError):
        console.print(text, markup=False, highlight=False)
