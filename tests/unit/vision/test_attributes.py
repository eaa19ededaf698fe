"""Attributes on random weights of DeepFace's true emotion network: the path, not the estimates."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from app.domain.model_registry import load_registry
from tests.factories.deepface_networks import WITHOUT_WEIGHTS
from tests.unit.vision.test_arcface import run_python
from workers.commands.installed_models import models
from workers.vision.faces.attributes import fitted_face
from workers.vision.pipeline import ImageResult

_MAKE_H5 = (
    WITHOUT_WEIGHTS
    + """
from deepface.models.demography.tf import Emotion
network = Emotion.load_model()
# Random weights answer nearly the same to everything: a steeper last layer, which is linear before
# its softmax, makes the answer depend on how bright the face is.
features = tf.keras.Model(network.input, network.layers[-2].output)(tf.fill((1, 48, 48, 1), 0.4))
kernel, bias = network.layers[-1].get_weights()
logits = features.numpy() @ kernel
network.layers[-1].set_weights([kernel * 3 / (logits.max() - logits.min()), bias])
network.save_weights(sys.argv[1])
"""
)

# Two pictures, one of which shows nobody, and what DeepFace itself answers to the same face.
_ESTIMATE = """
import json, sys
from pathlib import Path
import numpy as np
from workers.vision.faces.attributes import fitted_face
from workers.vision.pipeline import *
asked = PipelineOptions(attributes=("emotion",), embed=False)
allowed = sys.argv[4] == "allowed"
settings = VisionSettings(models_dir=Path(sys.argv[1]), allow_noncommercial=allowed)
pipeline = build_pipeline(settings)
image = ImageInput(0, Path(sys.argv[2]).read_bytes, asked)
((result,),) = pipeline.run([image])
found = {"error": result.error and result.error.code, "faces": [f.attributes for f in result.faces]}
if result.faces:
    import cv2
    from deepface import DeepFace
    box = result.faces[0].box
    picture = cv2.imread(sys.argv[2])
    face = picture[box.y:box.y + box.height, box.x:box.x + box.width]
    (rival,) = DeepFace.analyze(face, actions=("emotion",), detector_backend="skip", silent=True)
    found["deepface"] = {name: float(share) / 100 for name, share in rival["emotion"].items()}
Path(sys.argv[3]).write_text(json.dumps(found))
"""


@pytest.fixture(scope="module")
def with_emotion(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with SFace and random weights of the emotion network."""
    folder = tmp_path_factory.mktemp("models")
    for file in models_dir.glob("*_fp32.onnx"):
        (folder / file.name).symlink_to(file)
    weights = folder / "given" / "mine.h5"
    weights.parent.mkdir()
    run_python(_MAKE_H5, weights)
    done = CliRunner(env={"MODELS_DIR": str(folder)}).invoke(
        models, ["install", "Emotion", "--file", str(weights)]
    )
    assert done.exit_code == 0, done.output
    return folder


def estimates(folder: Path, photo: Path, out: Path, licence: str = "allowed") -> dict:
    run_python(_ESTIMATE, folder, photo, out, licence)
    return json.loads(out.read_text())


def test_each_face_gets_what_deepface_itself_answers_and_the_models_name(
    with_emotion: Path, portraits: Path, tmp_path: Path
) -> None:
    found = estimates(with_emotion, portraits / "obama.jpg", tmp_path / "out.json")

    (face,) = found["faces"]
    identity = load_registry(with_emotion).attributes["emotion"].identity
    assert face["models"] == {"emotion": identity}
    assert sum(face["emotion"].values()) == pytest.approx(1, abs=1e-3)
    assert max(face["emotion"].values()) - min(face["emotion"].values()) > 0.05
    assert face["emotion"] == pytest.approx(found["deepface"], abs=0.005)


def test_a_licence_for_research_has_to_be_accepted_first(
    with_emotion: Path, portraits: Path, tmp_path: Path
) -> None:
    found = estimates(with_emotion, portraits / "obama.jpg", tmp_path / "out.json", "refused")

    assert found["error"] == "attributes_unavailable"


def test_without_a_model_asking_is_an_error(
    run_one: Callable[..., ImageResult], portraits: Path
) -> None:
    result = run_one((portraits / "obama.jpg").read_bytes(), attributes=("age",))

    assert result.error is not None
    assert result.error.code == "attributes_unavailable"
    assert "age" in result.error.message


def test_without_being_asked_nothing_is_estimated(
    run_one: Callable[..., ImageResult], portraits: Path
) -> None:
    assert run_one((portraits / "obama.jpg").read_bytes()).faces[0].attributes is None


@pytest.mark.parametrize(("width", "height"), [(50, 100), (100, 50), (3, 400), (224, 224)])
def test_a_face_keeps_its_proportions_on_black(width: int, height: int) -> None:
    picture = np.full((500, 500, 3), 200, np.uint8)

    look = fitted_face(picture, np.array([20, 30, width, height], np.float32))

    rows, columns = np.nonzero(look[..., 0] > 100)
    drawn = (np.ptp(columns) + 1, np.ptp(rows) + 1)
    factor = 224 / max(width, height)
    assert look.shape == (224, 224, 3)
    assert drawn == (max(1, int(width * factor)), max(1, int(height * factor)))
    assert abs((rows.min() + rows.max()) / 2 - 111.5) <= 1
