"""Comparisons of labelled faces, wherever those come from."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import click
import numpy as np

from scripts.calibrating.comparisons import Comparisons, Pictures, compare
from scripts.calibrating.samples import (
    AS_THEY_ARE,
    KINDS,
    SampleError,
    embed_photographs,
    photographs,
    read_comparisons,
)
from workers.vision.load_model import load_model
from workers.vision.pipeline import build_pipeline
from workers.vision.settings import VisionSettings

# Ten thousand faces are fifty million comparisons, a minute on one core.
MOST_FACES = 10_000


@dataclass(frozen=True)
class Labelled:
    """What was compared, by kind of picture; `model` is `name@digest`.

    `faces` and `missed` are photographs by kind: with a usable face, and without.
    """

    model: str
    source: str
    kinds: Mapping[str, Comparisons]
    faces: Mapping[str, int]
    missed: Mapping[str, int]


def from_folder(folder: Path, model: str, models_dir: Path, *, kinds: bool) -> Labelled:
    """Embed and compare the photographs of a folder; with `kinds`, also copies made worse.

    Raises:
        SampleError: the folder has no two people, or no face.
        ModelError: the model cannot be loaded.
    """
    found = photographs(folder)
    settings = VisionSettings(
        model=model.partition("@")[0],
        models_dir=models_dir,
        liveness="off",
        allow_noncommercial=True,
    )
    pipeline = build_pipeline(settings)
    changing = load_model(settings) if kinds else None
    length = len(found) * (1 + (len(KINDS) if kinds else 0))
    with click.progressbar(length=length, label="Embedding", file=sys.stderr) as bar:
        embedded = embed_photographs(pipeline, found, changing, bar.update)
    gallery = embedded.kinds[AS_THEY_ARE]
    compared = {
        kind: compare(pictures, gallery, embedded.people)
        for kind, pictures in embedded.kinds.items()
    }
    faces = {kind: len(pictures.who) for kind, pictures in embedded.kinds.items()}
    source = f"{len(found)} photographs of {embedded.people} people"
    return Labelled(pipeline.model, source, compared, faces, embedded.missed)


def from_table(table: Path, model: str) -> Labelled:
    """Take judged comparisons from a table.

    Raises:
        SampleError: the table cannot be read, or `model` is no identity.
    """
    if "@" not in model:
        raise SampleError("The similarities are of one model: name it with --model name@digest")
    compared = read_comparisons(table)
    source = f"{compared.strangers.pairs + len(compared.mated)} judged comparisons"
    return Labelled(model, source, {"as judged": compared}, {}, {})


def from_collection(tenant: UUID, collection: UUID) -> Labelled:
    """Compare the people of a collection, by at most MOST_FACES faces, those enrolled last.

    Raises:
        NotFound: the tenant has no such collection.
        SampleError: it has no two people.
    """
    from app import create_app
    from app.commands.operator import operator
    from app.services.gallery.labelled_faces import read_labelled_faces
    from app.services.tenancy.record_audit import acting_as

    with create_app().app_context(), acting_as(operator()):
        labelled = read_labelled_faces(tenant, collection, MOST_FACES)
    subjects = sorted({face.subject_id for face in labelled.faces})
    if len(subjects) < 2:  # noqa: PLR2004 - a pair
        raise SampleError("The collection has no two people with faces")
    numbers = {subject: number for number, subject in enumerate(subjects)}
    digests = {face.photograph: number for number, face in enumerate(labelled.faces)}
    vectors = np.array([face.embedding for face in labelled.faces], np.float32)
    pictures = Pictures(
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        np.array([numbers[face.subject_id] for face in labelled.faces], np.int32),
        np.array([digests[face.photograph] for face in labelled.faces], np.int32),
    )
    compared = compare(pictures, pictures, len(subjects))
    source = f"{len(vectors)} faces of {len(subjects)} people of a collection"
    return Labelled(labelled.model, source, {"as enrolled": compared}, {}, {})
