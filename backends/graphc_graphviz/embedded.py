"""Pictures in a picture: Graphviz reads them as files, and an SVG must not need them."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256

from graphc_graphviz.style import SHEET

LED = re.compile(r'(<image xlink:href=")([^"]*)(")')


def file_of(png: bytes) -> str:
    """The name of a PNG file, after what is in it."""
    return f"{sha256(png).hexdigest()}.png"


def size_in_points(png: bytes) -> tuple[int, int]:
    """How wide and high a PNG file (RFC 2083, section 3.2) is drawn: `SHEET` at its longer side."""
    width, height = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    scale = SHEET / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def embedded(svg: bytes, images: Mapping[str, bytes]) -> bytes:
    """An SVG with the files in it that it leads to."""
    return LED.sub(lambda led: f"{led[1]}{_data(images[led[2]])}{led[3]}", svg.decode()).encode() if images else svg


def _data(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode()}"
