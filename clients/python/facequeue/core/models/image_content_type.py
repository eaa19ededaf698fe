from typing import Literal, cast

ImageContentType = Literal[
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/heic",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
]

IMAGE_CONTENT_TYPE_VALUES: set[ImageContentType] = {
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/heic",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
}


def check_image_content_type(value: str) -> ImageContentType:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(ImageContentType, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {IMAGE_CONTENT_TYPE_VALUES!r}")
