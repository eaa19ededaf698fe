from typing import Literal

ImagePresignContentType = Literal["image/jpeg", "image/png", "image/webp"]

IMAGE_PRESIGN_CONTENT_TYPE_VALUES: set[ImagePresignContentType] = {
    "image/jpeg",
    "image/png",
    "image/webp",
}


def check_image_presign_content_type(value: str) -> ImagePresignContentType:
    if value in IMAGE_PRESIGN_CONTENT_TYPE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {IMAGE_PRESIGN_CONTENT_TYPE_VALUES!r}"
    )
