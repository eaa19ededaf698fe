"""A photograph in each format that is read is the photograph, through the real stack."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from app.domain.job_request import ItemRequest
from app.domain.states import Operation
from tests.factories.photographs import picture_file, written
from tests.factories.tenant_world import TenantWorld

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("workers")]


def in_every_format(jpeg: bytes) -> dict[str, bytes]:
    """The photograph as programs that people use write it: turned, deep and printed ones too."""
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    printed = Image.open(io.BytesIO(jpeg)).convert("CMYK")
    on_its_side = np.ascontiguousarray(np.rot90(pixels))  # to the left; 6 turns it to the right
    files = {kind: picture_file(pixels, kind) for kind in ("heic", "avif", "tiff", "bmp", "gif")}
    files |= {
        f"{kind} on its side": picture_file(on_its_side, kind, 6) for kind in ("heic", "avif")
    }
    return files | {
        "mpo": picture_file(pixels, "mpo", save_all=True, append_images=[]),
        "lossy heic": picture_file(pixels, "heic", quality=60, chroma=420),
        "deep tiff": cv2.imencode(".tiff", pixels.astype(np.uint16) * 257)[1].tobytes(),
        "printed tiff": written(printed, "tiff"),
        "printed jpeg": written(printed, "jpeg"),
    }


def test_each_shows_the_person_of_its_jpeg(world: TenantWorld, portraits: Path) -> None:
    jpeg = (portraits / "obama.jpg").read_bytes()
    reference = world.put("obama.jpg", jpeg)
    files = in_every_format(jpeg)
    items = [
        ItemRequest(name, world.put(f"{number}", content), reference=reference)
        for number, (name, content) in enumerate(files.items())
    ]

    job = world.run(Operation.VERIFY, *items)

    similarities = {name: item.similarity for name, item in world.items(job.id).items()}
    assert set(similarities) == set(files)
    assert {name: seen for name, seen in similarities.items() if (seen or 0) < 0.97} == {}
