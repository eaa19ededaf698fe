"""Whether this process lives, and whether it can serve: for load balancers and operators."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from app.services.upkeep.check_readiness import Health, check_readiness

blueprint = Blueprint("health", __name__, url_prefix="/health")


@blueprint.get("/")
def liveness() -> Response:
    """Say that the process answers; nothing else is asked."""
    response: Response = jsonify(status=Health.OK)
    return response


@blueprint.get("/ready/")
def readiness() -> Response:
    """Say how each dependency is; 503 when requests cannot be served."""
    found = check_readiness()
    response: Response = jsonify(
        status=found.status, checks={name: asdict(check) for name, check in found.checks.items()}
    )
    if found.status is Health.UNAVAILABLE:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    response.headers["Cache-Control"] = "no-store"
    return response
