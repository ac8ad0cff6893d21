"""``--help`` of commands with many options: a section for each group of options."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

__all__ = ["SectionedCommand"]

OTHERS = "Options"


class SectionedCommand(TyperCommand):
    """A command whose help has a section for each `rich_help_panel` of its options; options without one are in "Options".

    Typer itself shows these groups only in its form with frames and colours.
    """

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, in the order of the function's parameters; a section is where its first option is."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                is_argument = parameter.param_type_name == "argument"
                panel = "Arguments" if is_argument else getattr(parameter, "rich_help_panel", None)
                sections.setdefault(panel or OTHERS, []).append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
