"""Jinja templates: found beside the checkout or inside the wheel, strict about every name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def template_folder() -> Path:
    """The folder of templates: inside an installed package, else at the top of a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "_templates"
    return inside if inside.is_dir() else package.parent / "templates"


@cache
def _environment(folders: tuple[str, ...]) -> Environment:
    # delimiters that clash neither with LaTeX's braces nor with Python's
    return Environment(
        loader=FileSystemLoader([template_folder() / one for one in folders]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # code and LaTeX, not HTML
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
    )


def render(folder: str | tuple[str, ...], template: str, **values: Any) -> str:
    """The text of a template; a value that is missing is an error, not an empty string.

    Of several folders, the first one that has a template is where it is taken from.
    """
    folders = (folder,) if isinstance(folder, str) else folder
    return _environment(folders).get_template(template).render(**values)
