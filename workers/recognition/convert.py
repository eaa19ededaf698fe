"""From what the pipeline speaks (arrays) to what the services store (plain values), and back."""

from __future__ import annotations

from dataclasses import asdict

from app.config import Settings
from app.domain.job_options import JobOptions
from app.domain.outcomes import FoundFace, FoundImage
from app.domain.states import EnrolFaces, Operation
from workers.vision.pipeline import FaceResult, ImageResult, PipelineOptions


def pipeline_options(
    operation: Operation, options: JobOptions, settings: Settings
) -> PipelineOptions:
    """What the pipeline does for a job: the client's options within the operator's settings."""
    # With `only`, a second face must be seen for the image to be refused.
    enrols_one = operation is Operation.ENROL and options.enrols is EnrolFaces.ONLY
    return PipelineOptions(
        max_faces=max(2, options.max_faces) if enrols_one else options.max_faces,
        min_quality=options.min_quality,
        min_face=options.min_face,
        detection_confidence=settings.face_detection_confidence,
        rotation=options.rotation or settings.face_rotation,
        liveness=options.liveness or settings.anti_spoofing_enabled,
        embed=operation is not Operation.DETECT,
        attributes=options.attributes,
    )


def found_image(result: ImageResult) -> FoundImage | None:
    """The image of a result; None when its bytes never came."""
    if not result.sha256:
        return None
    faces = tuple(_found_face(face) for face in result.faces)
    return FoundImage(bytes.fromhex(result.sha256), result.width, result.height, faces)


def _found_face(face: FaceResult) -> FoundFace:
    live = face.liveness
    return FoundFace(
        face_no=face.face_no,
        box=(face.box.x, face.box.y, face.box.width, face.box.height),
        landmarks=tuple(float(value) for value in face.landmarks.ravel()),
        detection_confidence=face.detection_confidence,
        quality=face.quality,
        embedding=None if face.embedding is None else tuple(map(float, face.embedding)),
        liveness=None if live is None else asdict(live),
        attributes=face.attributes,
    )
