"""The templates of the report page and of the site, and the files that both are made of."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnconform.conformance.model.verdicts import SEVERITY, VERDICTS

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(str(resources.files(__package__)))
# The folders of templates.
TEMPLATES = ("page", "site/templates", ".")


def read_text(name: str) -> str:
    """Return the text of a file of this package, ``page/page.css``."""
    return FOLDER.joinpath(name).read_text("utf-8")


def render(template: str, **values: Any) -> str:
    """Return a template with values; text is escaped."""
    return _environment().get_template(template).render(values)


@functools.cache
def _environment() -> Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([FOLDER / name for name in TEMPLATES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"verdicts": VERDICTS, "worst": worst}
    return environment


def worst(counts: Mapping[str, int]) -> str:
    """Return the worst of the verdicts that are counted; "" if there is none."""
    return next((verdict for verdict in reversed(SEVERITY) if counts.get(verdict)), "")
