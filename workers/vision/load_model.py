"""Loads a model of the registry: verified files, an engine, and a self test."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.calibration_files import calibration_in_use
from app.domain.errors import ModelError
from app.domain.model_registry import ModelEntry, load_registry
from workers.vision.engines.interface import Engine, Graph
from workers.vision.engines.memory import share_one_heap
from workers.vision.engines.select import choose_engines
from workers.vision.faces.attributes import AttributeModels
from workers.vision.faces.detect import Detector
from workers.vision.faces.liveness import LivenessModel, installed_liveness, load_liveness
from workers.vision.faces.recogniser import Recogniser
from workers.vision.images.decode import Decoder, decode_in_process
from workers.vision.images.decode_apart import ApartDecoder
from workers.vision.images.decode_limits import DecodeLimits
from workers.vision.settings import VisionSettings
from workers.vision.weights.self_test import run_self_test


@dataclass(frozen=True)
class LoadedModel:
    """Everything of a model that is in memory. `picture_batch`: pictures detected at a time."""

    entry: ModelEntry
    detector: Detector
    recogniser: Recogniser
    engine: str
    engine_reason: str
    picture_batch: int
    decoder: Decoder
    liveness: LivenessModel
    attributes: AttributeModels


def check_installed(settings: VisionSettings) -> None:
    """Check licences and the digests of every file that `load_model` would open.

    Raises:
        ModelError: something is missing, exchanged or refused; the message says what to do.
    """
    entry = load_registry(settings.models_dir).model(settings.model)
    entry.require_licence(allow_noncommercial=settings.allow_noncommercial)
    for file in (entry.detector.file, entry.weights):
        file.verified_path(settings.models_dir, entry.name)
    calibration_in_use(settings.models_dir, entry.identity, entry.calibration)
    installed_liveness(settings)


def load_model(settings: VisionSettings) -> LoadedModel:
    """Load `settings.model`; raises ModelError subclasses (see build_pipeline)."""
    import cv2

    share_one_heap()
    cv2.setNumThreads(settings.threads)
    registry = load_registry(settings.models_dir, flip_averaging=settings.flip_averaging)
    entry = registry.model(settings.model)
    entry.require_licence(allow_noncommercial=settings.allow_noncommercial)
    choice = choose_engines(settings)
    detector_file = entry.detector.file.verified_path(settings.models_dir, entry.name)
    detector_graph = choice.detector.load(detector_file)
    recogniser_graph, runs_on = _recogniser_graph(entry, choice.recogniser, settings)
    loaded = LoadedModel(
        entry=entry,
        detector=Detector(detector_graph),
        recogniser=Recogniser(entry, recogniser_graph),
        engine=f"{runs_on.name} {runs_on.precision}",
        engine_reason=choice.reason,
        picture_batch=detector_graph.batch_size,
        decoder=_decoder(settings),
        liveness=load_liveness(settings, choice.detector),
        attributes=AttributeModels(settings),
    )
    run_self_test(entry, detector_graph, loaded.recogniser)
    return loaded


def _decoder(settings: VisionSettings) -> Decoder:
    if not settings.decode_helpers:
        return decode_in_process
    limits = DecodeLimits(settings.decode_seconds, settings.max_pixels, settings.max_bytes)
    return ApartDecoder(settings.decode_helpers, limits)


def _recogniser_graph(
    entry: ModelEntry, engine: Engine, settings: VisionSettings
) -> tuple[Graph, Engine]:
    """Load the recogniser: a graph file by the chosen engine, a Keras file by DeepFace."""
    path = entry.weights.verified_path(settings.models_dir, entry.name)
    if entry.weights.engine == "deepface":
        from workers.vision.engines.deepface import DeepFaceEngine

        engine = DeepFaceEngine(entry.name, threads=settings.threads)
    elif settings.engine == "tensorflow":
        raise ModelError(
            f"FACE_ENGINE=tensorflow runs models that DeepFace builds; {entry.name} is an ONNX file"
        )
    return engine.load(path), engine
