"""The trace of one sentence through a trained model: everything that `nmt-lstm inspect` shows.

Shapes: S source pieces, T target pieces, both with the end of the sentence; H hidden width.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.lab.inspection.beam_tree import BeamTree
from nmt_lstm.lab.inspection.cell_trace import CellTrace
from nmt_lstm.lab.inspection.connectivity import Connectivity
from nmt_lstm.lab.inspection.perturbation import MeasuredHalfLives
from nmt_lstm.lab.inspection.trace_json import layer_values, values_without_layers
from nmt_lstm.plain_text import json_text
from nmt_lstm.text.special_pieces import END_OF_SENTENCE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CONTENTS", "LayerTrace", "Trace", "shown"]

CONTENTS = ("attention", "gates", "memory")
"""What a static picture can show."""


@dataclass(frozen=True)
class LayerTrace:
    """One cell of the network along the sentence; positions are in the order of the text, also for a backward cell."""

    side: str
    """"encoder" (positions are source pieces) or "decoder" (positions are the pieces that it reads: the beginning of the
    sentence, then all target pieces but the last)."""
    layer: int
    """1 is the lowest."""
    direction: str
    """"forward" or "backward"; "first" or "second" for the two transitions of the conditional wiring."""
    cell: str
    """The registered name of the cell."""
    record: CellTrace
    survival: Tensor
    """(positions,): how strongly each input still acts on the cell's last output; see `memory_span.survival`."""
    horizon: int
    """How many positions back that is at least 5 % of the last one's."""
    half_lives: Tensor | None
    """(H,): after how many positions half of a unit's memory is left, by its gates; None without retention."""
    measured_half_lives: MeasuredHalfLives | None
    """The same by experiment, for at most 64 units; None for a sequence of one position."""

    @property
    def name(self) -> str:
        """What a person calls it: "encoder, layer 1, backward"."""
        return f"{self.side}, layer {self.layer}, {self.direction}"

    @property
    def key(self) -> str:
        """What a command calls it: "encoder.1.backward"."""
        return f"{self.side}.{self.layer}.{self.direction}"


@dataclass(frozen=True)
class Trace:
    """One sentence through one model."""

    model: str
    """The model folder, or the name of a built-in model."""
    settings: Mapping[str, str]
    """Languages, wiring and attention; the encoder, unless it is the recurrent one."""
    source_text: str
    target_text: str
    source_pieces: tuple[str, ...]
    """S of them; the last one is the end of the sentence."""
    target_pieces: tuple[str, ...]
    """T of them; the last one is the end of the sentence."""
    attention: Tensor
    """(T, S): weights of the source pieces while each target piece was predicted; a recurrent model's attention may look a
    piece beside the word that it translates."""
    connectivity: Connectivity
    layers: tuple[LayerTrace, ...]
    """From the source to the output."""
    search: BeamTree | None
    """None where the target was given."""
    pieces: Mapping[int, str]
    """How each target piece that the trace mentions is written."""

    @property
    def attention_entropy(self) -> Tensor:
        """(T,) in bits: 0 where one source piece has all the attention, log2(S) where all have the same."""
        weights = self.attention.clamp_min(1e-12)
        return -(self.attention * weights.log()).sum(1) / math.log(2)

    @property
    def alignment(self) -> list[tuple[int, int]]:
        """Pairs of (source, target) positions: the source piece with the most attention, ends left out."""
        looked_at = self.attention.argmax(1).tolist()
        ends = len(self.source_pieces) - 1, len(self.target_pieces) - 1
        return [(at, target) for target, at in enumerate(looked_at) if at < ends[0] and target < ends[1]]

    def layers_called(self, name: str) -> list[LayerTrace]:
        """Return the cells of a name: one of "encoder.1.forward", the cells of a layer of "encoder.1".

        Raises:
            ConfigurationError: there is none.
        """
        found = [layer for layer in self.layers if f"{layer.key}.".startswith(f"{name}.")]
        if not found:
            known = ", ".join(layer.key for layer in self.layers)
            encoder = self.settings.get("encoder")
            why = f" Its encoder, {encoder}, has no recurrent cells." if encoder else ""
            raise ConfigurationError(f"{self.model} has no layer '{name}'; its layers are {known}.{why}")
        return found

    def pieces_of(self, layer: LayerTrace) -> tuple[str, ...]:
        """Return what a cell reads: source pieces, or the target pieces before the ones that are predicted."""
        return self.source_pieces if layer.side == "encoder" else ("<s>", *self.target_pieces[:-1])

    def to_dict(self) -> dict[str, Any]:
        """Return the trace as plain values, the contract of `to_json`."""
        return {**values_without_layers(self), "layers": [layer_values(layer) for layer in self.layers]}

    def to_json(self) -> str:
        """Return the trace as one line of JSON; see `to_dict`."""
        return json_text(self.to_dict())

    def to_svg(self, contents: Collection[str] = CONTENTS, layers: Sequence[str] = ()) -> str:
        """Return a picture as an SVG document, for a text or slides.

        Args:
            contents: what to show, of "attention", "gates" and "memory".
            layers: whose gates and memory: cells such as "encoder.1.forward", or "encoder.1" for all cells of a layer; the
                model's first cell by default.

        Raises:
            ConfigurationError: there is no such content or layer, or nothing to show.
        """
        from nmt_lstm.lab.inspection.picture import picture
        from nmt_lstm.lab.report.heat_map import heat_map_file

        return heat_map_file(picture([self], contents=contents, layers=layers))

    def plot(self, contents: Collection[str] = CONTENTS, layers: Sequence[str] = ()) -> Figure:
        """Return the same as `to_svg` as a matplotlib figure; matplotlib is in the extra "plot".

        Raises:
            ConfigurationError: see `to_svg`; or matplotlib is not installed.
        """
        from nmt_lstm.lab.inspection.picture import picture
        from nmt_lstm.lab.inspection.plots import figure

        return figure(picture([self], contents=contents, layers=layers))

    def plot_attention(self) -> Figure:
        """Return the attention as a matplotlib figure: a row for each target piece, a column for each source piece.

        Raises:
            ConfigurationError: matplotlib is not installed.
        """
        return self.plot(["attention"])

    def plot_gates(self, layer: str = "") -> Figure:
        """Return the gates of a cell, or of all cells of a layer, as a matplotlib figure: a row for each unit.

        Raises:
            ConfigurationError: there is no such layer, it names no gates, or matplotlib is not installed.
        """
        return self.plot(["gates"], [layer] if layer else [])

    def plot_memory(self, layer: str = "") -> Figure:
        """Return what a cell kept and wrote at each piece, and its memory, as a matplotlib figure: a row for each unit.

        Raises:
            ConfigurationError: there is no such layer, or matplotlib is not installed.
        """
        return self.plot(["memory"], [layer] if layer else [])

    def _repr_html_(self) -> str:
        """Return the page as a frame, for notebooks."""
        from nmt_lstm.lab.inspection.page import notebook_frame, trace_page

        return notebook_frame(trace_page([self]))


def shown(piece: str) -> str:
    """Return how a picture writes a piece: without the mark of a word's beginning, and ⏎ for the end of the sentence."""
    return "⏎" if piece == END_OF_SENTENCE else piece.removeprefix("▁") or piece
