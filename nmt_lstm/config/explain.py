"""A run file with an explanation of each setting."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any

from nmt_lstm.config.fields import Option, item_table, options_of, table_of
from nmt_lstm.config.load import dump_toml
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.config.toml_writer import toml_value

__all__ = ["explain_toml", "template"]

WIDTH = 100


def template() -> dict[str, Any]:
    """Return the settings that have no default, with file names to replace."""
    return {
        "data": {
            "train_source": "train.de", "train_target": "train.en", "valid_source": "val.de", "valid_target": "val.en"
        }
    }  # fmt: skip


def explain_toml(run: RunSettings) -> str:
    """Return `run` as a run file, with the meaning, allowed values and default of each setting in a comment above it."""
    options = {option.path: option for option in options_of()}
    lines, prefix = [], ""
    for line in dump_toml(run, complete=True).splitlines():
        if line.startswith("["):
            prefix = line.strip("[]") + "."
            # A table of a plugin's options is itself one setting of the table above it.
            option = options.get(prefix[:-1])
            meaning = option.meaning if option else _meaning(prefix[:-1])
            lines += [*_comment(meaning), line]
            # Settings without a value are not in the file: TOML has no null.
            for unset in _unset(run, prefix[:-1], options.values()):
                lines += ["", *_explanation(unset), f"# {unset.path.removeprefix(prefix)} = ..."]
            continue
        option = options.get(prefix + line.partition(" = ")[0])
        if option is not None:
            lines += ["", *_explanation(option)]
        lines.append(line)
    lists = (option for option in options.values() if item_table(option.type) is not None)
    for option in lists:
        if not attrgetter(option.path)(run):
            # At the end, where the comments can be removed: keys after them would belong to the list.
            lines += ["", *_comment(option.meaning), f"# [[{option.path}]]", *_item_keys(option)]
    return "\n".join(lines) + "\n"


def _item_keys(option: Option) -> Iterator[str]:
    """Yield commented lines for the keys of a table in a list."""
    for key in options_of(item_table(option.type) or RunSettings):
        yield from _comment(key.meaning)
        yield f"# {key.path} = {'...' if key.default is None else toml_value(key.default)}"


def _explanation(option: Option) -> list[str]:
    default = "Required." if option.required else f"Default: {_default(option.default)}."
    allowed = option.allowed[0].upper() + option.allowed[1:]
    return [*_comment(option.meaning), *_comment(f"{allowed}. {default}")]


def _unset(run: RunSettings, table: str, options: Iterable[Option]) -> Iterator[Option]:
    """Yield the settings of a table that have no value."""
    for option in options:
        parent, _, name = option.path.rpartition(".")
        is_list = item_table(option.type) is not None
        if parent == table and not is_list and getattr(attrgetter(table)(run), name) is None:
            yield option


def _meaning(path: str) -> str:
    table = table_of(tuple(path.split(".")))
    return " ".join((table.__doc__ or "").split()) if table is not None else ""


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ")


def _default(value: Any) -> str:
    return "none" if value is None else toml_value(value)
