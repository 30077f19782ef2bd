"""What Vuetify tells those who hear the page, put where it belongs."""

from __future__ import annotations

import solara


@solara.component_vue("aria.vue")
def Aria() -> None:
    """Move roles and states from boxes, which have no focus, to what has it, and name what has no name."""
