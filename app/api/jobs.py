"""Jobs: submitted, followed, read, canceled and deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import structlog
from flask import Flask, Response, current_app, g, jsonify, request, url_for

from app.api.examples import example_of
from app.api.ordered_lists import window_of
from app.api.resource import BYTES, Resource
from app.api.result_view import result_view
from app.api.schemas.items import ItemListArgs, ItemSchema
from app.api.schemas.jobs import (
    JobCreateSchema,
    JobListArgs,
    JobRedriveSchema,
    JobSchema,
    JobSubmitArgs,
    JobValidationSchema,
    validates_only,
)
from app.domain.job_request import JobRequest
from app.domain.names import Scope
from app.domain.states import Operation, Priority
from app.models.job import ItemResult, Job, JobProgress
from app.services.jobs import read_jobs
from app.services.jobs.cancel_job import cancel_job as cancel
from app.services.jobs.delete_job import delete_job as delete
from app.services.jobs.read_results import export_results, read_results_page
from app.services.jobs.redrive_job import redrive_job as redrive
from app.services.jobs.submit_job import submit_job as submit
from app.services.jobs.validate_job import validate_job as validate
from app.web.auth import actor, demand, principal, requires
from app.web.body_limits import job_body
from app.web.etag import with_etag
from app.web.idempotency import idempotent, idempotent_unless
from app.web.operation_doc import response_header
from app.web.pagination import page
from app.web.prefer import answers_when_ended, preferred_wait_s

blueprint = Resource("jobs", __name__, description="One operation over one or many images")

_ETAG = {"ETag": response_header("For `If-None-Match`")}
_POLL = {
    "Retry-After": response_header(
        "Seconds after which to look again; absent when it has ended", type="integer"
    )
}
_ACCEPTED = {"Location": response_header("Where the job is read", format="uri-reference"), **_POLL}
_LINES = "application/jsonl"
_UNCHANGED = "Unchanged since the ETag in `If-None-Match`"
_POLL_AFTER_S = {Priority.INTERACTIVE: 1, Priority.BULK: 5}


def _job_response(job_id: UUID) -> Response:
    progress = read_jobs.read_job(principal().tenant_id, job_id)
    response: Response = jsonify(JobSchema().dump(progress))
    response.headers.update(_poll_header(progress))
    response.add_etag()
    return response


def _poll_header(progress: JobProgress) -> dict[str, str]:
    if progress.job.finished_at is not None:
        return {}
    return {"Retry-After": str(_POLL_AFTER_S[Priority(progress.job.priority)])}


def _accepted(progress: JobProgress) -> tuple[JobProgress, dict[str, str]]:
    location = url_for("jobs.get_job", job_id=progress.job.id)
    return progress, {"Location": location, **_poll_header(progress)}


def _may_run(operation: Operation) -> None:
    if operation is Operation.ENROL:
        demand(Scope.COLLECTIONS_WRITE)
    g.operation = operation.value


@blueprint.post("/jobs")
@requires(Scope.JOBS_WRITE)
@answers_when_ended(_job_response)
@idempotent_unless(lambda: validates_only(request.args))
@blueprint.takes(JobCreateSchema, limit=job_body)
@blueprint.takes(JobSubmitArgs, "query")
@blueprint.also_returns(
    200,
    schema={"anyOf": [JobSchema, JobValidationSchema]},
    example=example_of(JobValidationSchema),
    description="It ended within `Prefer: wait=N`, or it was to be checked only",
    headers=_ETAG,
)
@blueprint.returns(202, JobSchema, headers=_ACCEPTED)
def submit_job(wanted: JobRequest, asked: dict[str, Any]) -> Any:
    """Submit a job; with `Prefer: wait=N` (60 at most) wait for its end.

    To enrol, the key needs `collections:write` too. With `validate_only=true` nothing is
    submitted: what would be refused is refused, and else the answer tells which items would fail.
    """
    _may_run(wanted.operation)
    if asked["validate_only"]:
        return jsonify(JobValidationSchema().dump(validate(principal().tenant_id, wanted)))
    wanted = replace(wanted, waiting=preferred_wait_s() > 0)
    job = submit(principal().tenant_id, wanted, actor())
    structlog.contextvars.bind_contextvars(job_id=str(job.id))  # where its workers' lines begin
    return _accepted(JobProgress(job, processing=0))  # as it was written: nobody held any of it yet


@blueprint.get("/jobs")
@requires(Scope.JOBS_READ)
@with_etag
@blueprint.takes(JobListArgs, "query")
@blueprint.also_returns(304, description=_UNCHANGED, headers=_ETAG)
@blueprint.returns_page(JobSchema, **_ETAG)
def list_jobs(args: dict[str, Any]) -> Any:
    """List jobs."""
    rows = read_jobs.list_jobs(principal().tenant_id, window_of(args), args["wanted"])
    return page(rows, args["limit"], lambda row: row.job.id)


@blueprint.get("/jobs/<uuid:job_id>")
@requires(Scope.JOBS_READ)
@with_etag
@blueprint.also_returns(304, description=_UNCHANGED, headers=_ETAG)
@blueprint.returns(200, JobSchema, headers=_ETAG | _POLL)
def get_job(job_id: UUID) -> Response:
    """Read a job. `Retry-After` says when to look again while it runs."""
    return _job_response(job_id)


@blueprint.post("/jobs/<uuid:job_id>/cancel")
@requires(Scope.JOBS_WRITE)
@idempotent
@blueprint.returns(202, JobSchema, headers=_ACCEPTED)
def cancel_job(job_id: UUID) -> Any:
    """Cancel a job: what is done stays, what a worker holds ends with its batch."""
    return _accepted(cancel(principal().tenant_id, job_id, actor()))


@blueprint.post("/jobs/<uuid:job_id>/redrive")
@requires(Scope.JOBS_WRITE)
@answers_when_ended(_job_response)
@idempotent
@blueprint.takes(JobRedriveSchema)
@blueprint.also_returns(
    200, schema=JobSchema, description="It ended within `Prefer: wait=N`", headers=_ETAG
)
@blueprint.returns(202, JobSchema, headers=_ACCEPTED)
def redrive_job(wanted: dict[str, Any], job_id: UUID) -> Any:
    """Try failed items of a job that has ended again, as a new job that is answered.

    All, or those that failed with some codes; with all that the job was submitted with. To enrol,
    the key needs `collections:write` too.
    """
    tenant_id = principal().tenant_id
    _may_run(Operation(read_jobs.read_job(tenant_id, job_id).job.operation))
    waiting = preferred_wait_s() > 0
    made = redrive(tenant_id, job_id, actor(), codes=wanted.get("codes"), waiting=waiting)
    structlog.contextvars.bind_contextvars(job_id=str(made.id))
    return _accepted(JobProgress(made, processing=0))


@blueprint.delete("/jobs/<uuid:job_id>")
@requires(Scope.JOBS_WRITE)
@blueprint.returns(202, JobSchema)
def delete_job(job_id: UUID) -> JobProgress:
    """Delete a job that has ended, with its items and results.

    It cannot be read from now on; of a large one the rows go in the background. Faces that it
    enrolled stay.
    """
    return delete(principal().tenant_id, job_id, actor())


@blueprint.get("/jobs/<uuid:job_id>/items")
@requires(Scope.JOBS_READ)
@blueprint.takes(ItemListArgs, "query")
@blueprint.returns_page(ItemSchema)
def list_items(args: dict[str, Any], job_id: UUID) -> Any:
    """List a job's items with their results, in the order of the job."""
    after = args.pop("cursor")
    job, items = read_results_page(principal().tenant_id, job_id, actor(), after=after, **args)
    body, headers = page(items, args["limit"], lambda row: row.seq)
    body["data"] = [result_view(job, item) for item in body["data"]]
    return body, headers


@blueprint.get("/jobs/<uuid:job_id>/results.jsonl")
@requires(Scope.JOBS_READ)
@blueprint.streams(ItemSchema, _LINES, "One line an item, each an `Item`")
def export_job(job_id: UUID) -> Response:
    """Stream every item with its result, one JSON object a line."""
    job, chunks = export_results(principal().tenant_id, job_id, actor())
    flask_app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 - Flask's own way
    media_type = request.accept_mimetypes.best_match([_LINES, BYTES], default=_LINES)
    return Response(_lines(flask_app, job, chunks), mimetype=media_type)


def _lines(flask_app: Flask, job: Job, chunks: Iterator[Sequence[ItemResult]]) -> Iterator[str]:
    # The context is entered for each chunk and not held between two: a client that goes away, or
    # asks with HEAD, leaves this generator to be closed in somebody else's context.
    while True:
        with flask_app.app_context():
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield "".join(flask_app.json.dumps(result_view(job, item)) + "\n" for item in chunk)
