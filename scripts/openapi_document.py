"""`python -m scripts.openapi_document`: print the OpenAPI document, without any server."""

from __future__ import annotations

import json
import os

import click

# What no part of the document depends on, but the application does not start without.
_PLACEHOLDERS = {
    "FACEQUEUE_ENV": "development",
    "LOG_LEVEL": "ERROR",
    "SECRET_KEY": "the-document-signs-nothing-with-it",
    "ENCRYPTION_KEYS": f"{'A' * 43}=",
    "DATABASE_URL": "postgresql+psycopg2://nobody@127.0.0.1:1/none",
    "DATABASE_QUEUE_URL": "postgresql+psycopg2://nobody@127.0.0.1:1/none",
    "AWS_STORAGE_BUCKET_NAME": "none",
}


def openapi_document() -> str:
    """Return the document as `/api/v1/openapi.json` serves it, indented.

    Replaces this process's environment: two machines write the same document.
    """
    os.environ.clear()
    os.environ.update(_PLACEHOLDERS)
    from app import create_app

    answer = create_app().test_client().get("/api/v1/openapi.json")
    return json.dumps(answer.get_json(), indent=1)


@click.command(help="Print the OpenAPI document as JSON; needs no server and no settings.")
def main() -> None:
    """Print it."""
    click.echo(openapi_document())


if __name__ == "__main__":
    main()
