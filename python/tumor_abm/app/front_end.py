"""What the browser needs of Solara: whether this machine has it, or can fetch it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

CHARTS = "echarts@5.4.0/dist/echarts.js"
"""What draws the charts, loaded by the page once it is there."""

PATIENCE_S = 5.0
"""How long the internet may take to answer, in seconds."""


def missing() -> str | None:
    """Say what the page lacks and what would help; ``None`` if it lacks nothing.

    What is in the offline assets, or was fetched before, is not asked for again.
    """
    import solara.server.server
    import solara.server.settings
    import solara.settings

    html = solara.server.server.read_root(path="/")
    stored = Path(solara.server.settings.assets.proxy_cache_dir)
    return lack([*scripts(html), CHARTS], stored, solara.settings.assets.cdn)


def scripts(html: str) -> list[str]:
    """Return the scripts of the front end that a page names."""
    return re.findall(r'<script src="[^"]*(?:/_solara/cdn|/npm)/+([^"]+\.js)"', html)


def lack(
    needed: Iterable[str], stored: Path, cdn: str, reach: Callable[[str], bool] | None = None
) -> str | None:
    """Say what cannot be had, neither from `stored` nor from `cdn`; ``None`` if all can.

    Parameters
    ----------
    needed
        Names of files.
    stored
        Directory of the files that are here.
    cdn
        Address below which the others are fetched.
    reach
        Tells whether an address answers; by default it is asked.
    """
    absent = [name for name in needed if not (stored / name).is_file()]
    if not absent or (reach or answers)(urljoin(cdn, absent[0])):
        return None
    return (
        f"The page cannot be shown: its front end is not on this machine, and {cdn} does not answer. Connect "
        "to the internet, or install it once: pip install '.[app,offline]' in the checkout of tumor_abm."
    )


def answers(address: str) -> bool:
    """Tell whether an address answers in time."""
    try:
        with urlopen(Request(address, method="HEAD"), timeout=PATIENCE_S) as answer:
            return bool(answer.status < 400)
    except (URLError, OSError, ValueError):
        return False
