"""The tumour as a film."""

from __future__ import annotations

import io

from PIL import Image

from tumor_abm.app.twin import Twin
from tumor_abm.plots.thinning import evenly

FRAMES = 120
"""Frames at most."""

PIXELS = 320
"""Width and height."""

FRAME_MS = 80
LAST_MS = 1_500


def gif(twin: Twin) -> bytes:
    """Return the tumour from the first recorded day to the last as GIF, at most 120 frames of 320 pixels.

    Parameters
    ----------
    twin
        The patient.
    """
    days = twin.record.days
    shown = [days[place] for place in evenly(len(days), FRAMES)]
    pictures = (twin.picture_on(twin.record.on(day), PIXELS) for day in shown)
    first, *rest = (_frame(picture) for picture in pictures)
    file = io.BytesIO()
    first.save(
        file,
        format="gif",
        save_all=True,
        append_images=rest,
        duration=[FRAME_MS] * len(rest) + [LAST_MS],
        loop=0,
    )
    return file.getvalue()


def _frame(picture: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    return image if image.size == (PIXELS, PIXELS) else image.resize((PIXELS, PIXELS))
