"""Pictures of a trace drawn by matplotlib, an optional library: figures to work on, and PNG files."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.extras import install_command
from nmt_lstm.lab.report.drawing import FONT_FAMILIES, SOFT, width_of
from nmt_lstm.lab.report.heat_map import LEVELS, Block, HeatMap, Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["check_matplotlib", "figure", "figure_png"]

_SIZE = 9
"""Of the letters, in points."""
_COLUMN, _ROW, _STRIP = 0.26, 0.2, 0.75
"""Inches: width of a column, height of a labelled row and of a strip of units."""
_INCH = 72


def check_matplotlib() -> None:
    """Raise ConfigurationError without matplotlib, before anything is computed.

    Raises:
        ConfigurationError: it is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ConfigurationError(
            f"figures and PNG files need matplotlib, which is not installed: {install_command('plot')}"
        )


def figure(picture: Picture) -> Figure:
    """Return a picture as a matplotlib figure that belongs to no window and no global state.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    check_matplotlib()
    import matplotlib as mpl
    from matplotlib.figure import Figure

    columns = [[(block, each) for block in blocks for each in block.maps] for _, blocks in picture.columns]
    # Models with different cells have different numbers of maps; short columns end early.
    most = max(columns, key=lambda maps: sum(_height(each) for _, each in maps))
    widths = [max(_width(block) for block, _ in maps) for maps in columns]
    with mpl.rc_context({"font.family": _installed_families(), "font.size": _SIZE, "axes.linewidth": 0.5}):
        drawn = Figure(
            figsize=(sum(widths) + 2.6 * len(widths), sum(_height(each) for _, each in most) + 2.2),
            layout="constrained",
        )
        parts = drawn.subfigures(1, len(columns), width_ratios=widths, squeeze=False)[0]
        for part, maps, (heading, _) in zip(parts, columns, picture.columns, strict=True):
            part.suptitle(heading or picture.title, fontsize=_SIZE + 2, parse_math=False)
            axes = part.subplots(
                len(maps), 1, squeeze=False, height_ratios=[_height(each) for _, each in maps]
            )
            before: Block | None = None
            for place, (block, each) in zip(axes[:, 0], maps, strict=True):
                _draw(place, each, block, first=block is not before)
                before = block
        drawn.supxlabel(picture.note, fontsize=_SIZE - 1, color=SOFT, parse_math=False)
    return drawn


def figure_png(picture: Picture, *, dots_per_inch: int = 144) -> bytes:
    """Return a picture as a PNG file.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    written = io.BytesIO()
    figure(picture).savefig(written, format="png", dpi=dots_per_inch)
    return written.getvalue()


def _draw(place: Axes, each: HeatMap, block: Block, *, first: bool) -> None:
    """Draw a map; the first one of a block has the block's title and the labels of the columns."""
    from matplotlib.colors import ListedColormap

    scale = each.scale
    levels = np.frombuffer(each.shades, dtype=np.uint8).reshape(-1, len(block.columns))
    values = scale.low + levels / (LEVELS - 1) * (scale.high - scale.low)
    colours = ListedColormap([tuple(part / 255 for part in colour) for colour in scale.colours])
    image = place.imshow(
        values, cmap=colours, vmin=scale.low, vmax=scale.high, aspect="auto", interpolation="nearest"
    )
    place.tick_params(length=0)
    if first:
        place.set_title(block.title, loc="left", fontweight="bold", fontsize=_SIZE + 1, parse_math=False)
        turned = max(width_of(label, _SIZE) for label in block.columns) > _COLUMN * _INCH
        place.xaxis.tick_top()
        _label(
            place.set_xticks, block.columns, rotation=55 if turned else 0, ha="left" if turned else "center"
        )
    else:
        place.set_xticks([])
    if each.rows:
        _label(place.set_yticks, each.rows)
    else:
        place.set_yticks([])
        name = f"{each.name}\n{each.note}" if each.note else each.name
        place.set_ylabel(name, rotation=0, ha="right", va="center", parse_math=False)
    bar = place.figure.colorbar(image, ax=place, fraction=0.05, pad=0.01)
    bar.set_ticks([value for value, _ in scale.marks], labels=[text for _, text in scale.marks])
    bar.ax.tick_params(length=0, labelcolor=SOFT, labelsize=_SIZE - 1)


def _label(set_ticks: Any, labels: Sequence[str], **options: Any) -> None:
    # A dollar sign in a piece is a dollar sign, not the beginning of a formula.
    for text in set_ticks(range(len(labels)), labels=labels, **options):
        text.label1.set_parse_math(False)
        text.label2.set_parse_math(False)


def _installed_families() -> list[str]:
    """Return the fonts that are there, in the order in which a letter is looked for: matplotlib warns of others."""
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    # DejaVu Sans comes with matplotlib.
    return [*(family for family in FONT_FAMILIES if family in installed), "DejaVu Sans"]


def _height(each: HeatMap) -> float:
    return _ROW * len(each.rows) if each.rows else _STRIP


def _width(block: Block) -> float:
    return _COLUMN * len(block.columns)
