"""The API's page for people: Swagger UI, served whole by us, so that it works without the net."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, send_from_directory, url_for
from swagger_ui_bundle import swagger_ui_path
from werkzeug.wrappers import Response as Redirect

blueprint = Blueprint("docs", __name__, url_prefix="/api/v1/docs")
front = Blueprint("front", __name__)

_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>FaceQueue API</title>
  <link rel="icon" href="docs/assets/favicon-32x32.png">
  <link rel="stylesheet" href="docs/assets/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="docs/assets/swagger-ui-bundle.js"></script>
  <script src="docs/assets/start.js"></script>
</body>
</html>
"""
_START = """window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""
# Nothing may come from elsewhere: the page handles API keys.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_DAY_S = 86_400


@blueprint.get("")
def page() -> Response:
    """Serve the page."""
    return Response(_PAGE, mimetype="text/html", headers={"Content-Security-Policy": _POLICY})


@front.get("/")
@front.get("/docs/", strict_slashes=False)
@front.get("/api/", strict_slashes=False)
@front.get("/api/v1/", strict_slashes=False)
def lead_to_page() -> Redirect:
    """Lead whoever tries the obvious addresses to the page."""
    return redirect(url_for("docs.page"))


@blueprint.get("/assets/<path:name>")
def asset(name: str) -> Response:
    """Serve a file of the page."""
    if name == "start.js":
        return Response(_START, mimetype="text/javascript")
    return send_from_directory(str(swagger_ui_path), name, max_age=_DAY_S)
