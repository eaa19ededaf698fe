"""Reads what an image says about itself, without decoding a pixel.

Format by magic bytes, size, orientation, transparency. Pure Python over the bytes, so that it can
stand in front of every decoder and every upload: the limit on pixels holds before anything is
allocated.
"""

from app.domain.image_header.header import IMAGE_SUFFIXES, MAX_PIXELS, ImageFormat, ImageHeader
from app.domain.image_header.read import read_image_header

__all__ = ["IMAGE_SUFFIXES", "MAX_PIXELS", "ImageFormat", "ImageHeader", "read_image_header"]
