"""The operator's limit on pixels holds where a worker reads images."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from app.config import Settings
from app.domain.item_errors import TooManyPixels
from tests.factories.images import png
from workers.recognition.loaded_pipeline import _vision_settings
from workers.vision.images.decode import decode_in_process
from workers.vision.images.load_images import ImageLoader
from workers.vision.pipeline import ImageInput, PipelineOptions

LIMIT = 1_000_000


@pytest.fixture
def loader() -> ImageLoader:
    settings = Settings(
        facequeue_env="test",
        secret_key="a key for nothing",
        encryption_keys=(Fernet.generate_key().decode(),),
        database_url="postgresql://nowhere/none",
        database_queue_url="postgresql://nowhere/none",
        aws_storage_bucket_name="none",
        max_image_pixels=LIMIT,
    )
    return ImageLoader(_vision_settings(settings), decode_in_process)


@pytest.mark.parametrize(
    ("size", "error"), [((1000, 1000), type(None)), ((1001, 1000), TooManyPixels)]
)
def test_a_worker_takes_as_many_pixels_as_the_operator_says(
    loader: ImageLoader, size: tuple[int, int], error: type
) -> None:
    source = ImageInput("it", lambda: png(*size), PipelineOptions())
    ((image,),) = [images for images in loader.stream([source]) if images]

    assert isinstance(image.error, error)
    image.release()
