"""From a model folder and a line to the trace of that line."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from nmt_lstm.batching.batch import Batch, collate, source_batch
from nmt_lstm.checkpoint import model_folder
from nmt_lstm.config.schema import DecoderSettings, EncoderSettings, RunSettings, SearchSettings
from nmt_lstm.corpora.builtin import model_path
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.inference.translator import Translator
from nmt_lstm.lab.inspection.beam_tree import BeamTree, search_tree
from nmt_lstm.lab.inspection.captured_calls import captured
from nmt_lstm.lab.inspection.cell_trace import Call, CellTrace, trace_cell
from nmt_lstm.lab.inspection.connectivity import Connectivity, connectivity
from nmt_lstm.lab.inspection.memory_span import half_lives, horizon, survival
from nmt_lstm.lab.inspection.perturbation import measured_half_lives
from nmt_lstm.lab.inspection.trace import LayerTrace, Trace
from nmt_lstm.model.cell_locations import CellLocation, cell_locations
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.text.lines import single_line
from nmt_lstm.text.special_pieces import BEGIN, END, END_OF_SENTENCE
from nmt_lstm.text.subwords import Subwords

__all__ = ["Inspector", "ReadCell", "Reading", "cell_name", "inspect"]

MAX_PIECES = 100
"""Most pieces of a sentence; beyond this the page becomes too large to read."""


@dataclass(frozen=True)
class ReadCell:
    """What one cell was given, and what it did."""

    location: CellLocation
    calls: list[Call]
    record: CellTrace
    """In the order in which the cell read."""

    @property
    def record_in_order(self) -> CellTrace:
        """The same in the order of the text."""
        return self.record.reversed() if self.location.direction == "backward" else self.record


@dataclass(frozen=True)
class Reading:
    """A source and a target through a model."""

    batch: Batch
    attention: Tensor
    """(T, S)."""
    cells: list[ReadCell]
    """From the source to the output."""


class Inspector:
    """A trained model, ready to be looked into.

    Args:
        model: in evaluation mode, float32, on a processor.
        subwords: its vocabularies.
        run: its run.
        name: what the model is called on the page.
    """

    def __init__(self, model: Seq2Seq, subwords: Subwords, run: RunSettings, name: str) -> None:
        self.model = model
        self.subwords = subwords
        self.run = run
        self.name = name

    @classmethod
    def load(cls, folder: str | Path) -> Inspector:
        """Load a model folder, or a built-in model such as ``builtin:en-ja``.

        Raises:
            ModelFolderError: the folder is missing, damaged, needs a plugin that is not installed, or was exported: then name
                the folder it was made from.
        """
        opened = model_folder.read(model_path(folder, trained=True))
        return cls(opened.load_model("cpu"), opened.subwords, opened.run, str(folder))

    @classmethod
    def of_translator(cls, translator: Translator) -> Inspector:
        """Return an inspector of the trained model; the translator's own copy may be prepared in int8 or be on a GPU.

        Raises:
            ConfigurationError: it holds several models, or one that was not loaded from a folder.
            ModelFolderError: see `load`.
        """
        if len(translator.models) != 1:
            raise ConfigurationError(
                f"the translator is an ensemble of {len(translator.models)} models; look into one at a time."
            )
        (model,) = translator.models
        if isinstance(model, Seq2Seq):
            copied = copy.deepcopy(model).float().cpu().eval()
            name = str(translator.folders[0]) if translator.folders else type(model).__name__
            return cls(copied, translator.subwords, translator.run, name)
        if not translator.folders:
            raise ConfigurationError(
                "the translator was not loaded from a model folder; give the folder or a Seq2Seq."
            )
        return cls.load(translator.folders[0])

    def trace(
        self,
        line: str,
        *,
        target: str | None = None,
        prefix: str = "",
        search: SearchSettings | None = None,
    ) -> Trace:
        """Translate a line and return what happened.

        Args:
            line: the source.
            target: a translation to follow instead of searching for one.
            prefix: text with which the translation must begin.
            search: settings of the search; those of the run by default.

        Raises:
            DataError: a text is blank or has more than 100 pieces, or the prefix is longer than a translation may be.
        """
        # As `translate` does: a line in upper case is read in lower case, if the model has markers of case.
        form = self.subwords.source.form
        read, case = form.without_line_case(single_line(line))
        source = self._pieces("source", line, self.subwords.source.encode(read))
        tree: BeamTree | None = None
        if target is None:
            beginning = single_line(prefix)
            if case is not None:
                beginning = form.beginning(beginning)
            forced = self.subwords.target.encode(beginning) if prefix.strip() else []
            tree = search_tree(self.model, source_batch([source]), search or self.run.search, prefix=forced)
            pieces = list(tree.hypotheses[0].pieces)
            if pieces[: len(forced)] != forced:
                raise DataError(
                    f"the prefix has {len(forced)} pieces, but a translation of this sentence has at most {len(pieces)}; give a "
                    f"shorter one."
                )
        else:
            pieces = self._pieces("target", target, self.subwords.target.encode(single_line(target)))
        reading = self.read(source, pieces)
        found = connectivity(self.model, reading.batch)
        text = single_line(self.subwords.target.decode(pieces))
        return Trace(
            model=self.name,
            # A forced beginning may be improbable, which is not the model's fault.
            settings={
                **self.settings,
                **({"forced beginning": prefix} if prefix.strip() and target is None else {}),
            },
            source_text=single_line(line),
            target_text=text if case is None or target is not None else form.in_case(text, case),
            source_pieces=(*self.subwords.source.shown(source), END_OF_SENTENCE),
            target_pieces=(*self.subwords.target.shown(pieces), END_OF_SENTENCE),
            attention=reading.attention,
            connectivity=found,
            layers=tuple(map(self._layer, reading.cells)),
            search=tree,
            pieces=self._written(reading.batch, found, tree),
        )

    def read_texts(self, source: str, target: str) -> Reading:
        """Return what each cell did with a source and a translation of it.

        Raises:
            DataError: a text is blank or has more than 100 pieces.
        """
        read, case = self.subwords.source.form.without_line_case(single_line(source))
        written = single_line(target)
        if case is not None:
            written = self.subwords.source.form.beginning(written)
        return self.read(
            self._pieces("source", source, self.subwords.source.encode(read)),
            self._pieces("target", target, self.subwords.target.encode(written)),
        )

    def read(self, source: list[int], target: list[int]) -> Reading:
        """Return what each cell did with a source and a target, both as pieces without the end of the sentence."""
        batch = collate([source], [target])
        cells = cell_locations(self.model)
        with torch.no_grad(), captured([location.cell for location in cells]) as calls:
            attention = self.model(batch).attention[0]
        found = [
            ReadCell(location, own, trace_cell(location.cell, own))
            for location, own in zip(cells, calls, strict=True)
        ]
        return Reading(batch, attention.float(), found)

    def _pieces(self, side: str, line: str, pieces: list[int]) -> list[int]:
        if not pieces:
            raise DataError(f"the {side} is blank; give a sentence.")
        if len(pieces) > MAX_PIECES:
            raise DataError(
                f"the {side} has {len(pieces)} pieces; at most {MAX_PIECES} can be looked into at once. Give a shorter "
                f"sentence: '{line[:30]}...'"
            )
        return pieces

    @property
    def settings(self) -> dict[str, str]:
        """Languages, wiring and attention; the encoder, unless it is the recurrent one."""
        network, data = self.run.model, self.run.data
        return {
            "languages": "-".join(filter(None, (data.source_language, data.target_language))),
            **({} if network.encoder.is_recurrent else {"encoder": network.encoder.name}),
            "wiring": network.decoder.wiring,
            "attention": network.attention.name,
        }

    def side_settings(self, side: str) -> EncoderSettings | DecoderSettings:
        """Return the settings of "encoder" or "decoder"."""
        return self.run.model.encoder if side == "encoder" else self.run.model.decoder

    def _layer(self, cell: ReadCell) -> LayerTrace:
        location, record = cell.location, cell.record
        strengths = survival(location.cell, cell.calls)
        return LayerTrace(
            location.side,
            location.layer,
            location.direction,
            cell_name(self.side_settings(location.side)),
            cell.record_in_order,
            strengths.flip(0) if location.direction == "backward" else strengths,
            horizon(strengths),
            None if record.retention is None else half_lives(record.retention),
            measured_half_lives(location.cell, cell.calls, record),
        )

    def _written(self, batch: Batch, found: Connectivity, tree: BeamTree | None) -> Mapping[int, str]:
        used = {BEGIN, END, *batch.target_outputs.flatten().tolist()}
        used.update(found.alternatives.flatten().tolist(), found.rivals.tolist())
        used.update(node.piece for node in (tree.nodes if tree else ()))
        ordered = sorted(used)
        return dict(zip(ordered, self.subwords.target.shown(ordered), strict=True))


def inspect(
    model: Translator | Inspector | str | Path, line: str, *, target: str | None = None, prefix: str = ""
) -> Trace:
    """Translate a line and return what happened inside the model.

    Args:
        model: a translator of one trained model, an `Inspector`, or a model folder.
        line: the source.
        target: a translation to follow instead of searching for one.
        prefix: text with which the translation must begin.

    Raises:
        ConfigurationError: the translator holds several models, or its models were not loaded from folders.
        DataError: a text is blank or has more than 100 pieces.
        ModelFolderError: see `Inspector.load`.
    """
    if isinstance(model, Translator):
        model = Inspector.of_translator(model)
    elif not isinstance(model, Inspector):
        model = Inspector.load(model)
    return model.trace(line, target=target, prefix=prefix)


def cell_name(settings: EncoderSettings | DecoderSettings) -> str:
    """Return the registered name, with the names of the cells inside a wrapper: "zoneout (lstm)"."""
    inner = settings.cell_options.get("cell")
    return f"{settings.cell} ({inner})" if isinstance(inner, str) else str(settings.cell)
