"""Language models as search uses them: prepared for a processor, in fusion with a translation model, and for scores of texts.

Shapes: B sentences, R rows (sentences x hypotheses), E output width, V vocabulary.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.shared_pieces import check_shared_pieces
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.inference.inference_model import PieceTables, prepare_children
from nmt_lstm.inference.loading import model_precision
from nmt_lstm.model.language_model import LanguageModel, LanguageModelState, LanguageStack
from nmt_lstm.model.step import Step
from nmt_lstm.numerics.device import choose_device
from nmt_lstm.numerics.inference_linear import InferenceLinear, InferencePrecision, inference_linear
from nmt_lstm.numerics.precision import Precision
from nmt_lstm.search.searchable import Searchable
from nmt_lstm.text.vocabulary import Vocabulary

__all__ = [
    "InferenceLanguageModel",
    "LoadedTextModel",
    "SearchableText",
    "load_fusion_model",
    "load_text_model",
    "prepare_language_model",
]


class InferenceLanguageModel(nn.Module):
    """A language model that only search uses; implements `Searchable`.

    Args:
        target_embedding: maps pieces (R, 1) to the input of the first cell: vectors (R, 1, I), or the pieces themselves.
        stack: the recurrent layers.
        output: maps their outputs (R, E) to logits (R, V).
    """

    def __init__(self, *, target_embedding: nn.Module, stack: LanguageStack, output: InferenceLinear) -> None:
        super().__init__()
        self.target_embedding = target_embedding
        self.stack = stack
        self.output = output

    def pack(self) -> InferenceLanguageModel:
        """Convert all weights to the layouts of their products, once, and return the model."""
        for module in self.modules():
            if isinstance(module, InferenceLinear):
                module.pack()
        return self

    def encode(self, source: SourceBatch) -> Tensor:
        """Return where the source (B, S) has pieces, of which only the number of rows matters."""
        return source.is_token

    def start(self, encoded: Tensor) -> LanguageModelState:
        """Return the state before the first piece, one row per sentence."""
        return self.stack.start(encoded)

    def step(self, previous: Tensor, state: LanguageModelState) -> Step[LanguageModelState]:
        """Read the previous pieces (R,) and score the next ones, (R, V)."""
        output, state = self.stack.step(self.target_embedding(previous[:, None])[:, 0], state)
        return Step(self.output(output), state.attention, state)

    def reorder(
        self, state: LanguageModelState, rows: Tensor, sentences: Tensor | None = None
    ) -> LanguageModelState:
        """Return the state of rows (R',)."""
        return self.stack.reorder(state, rows)


SearchableText: TypeAlias = LanguageModel | InferenceLanguageModel
"""A language model that is ready for search; it scores the whole vocabulary."""


@torch.no_grad()
def prepare_language_model(
    model: LanguageModel, precision: InferencePrecision = "float32"
) -> InferenceLanguageModel:
    """Return a copy of a language model for a processor, as `prepare_for_inference` does for translation models."""
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    model = copy.deepcopy(model, shared).eval()
    # Only the first cell reads the embeddings.
    embedding = PieceTables(precision, computed=True).replace(
        model.target_embedding, model.stack.cells, ["0"]
    )
    prepare_children(model.stack, precision)
    output = inference_linear(model.output_weight, model.output_bias, precision, bounded=True)
    return InferenceLanguageModel(target_embedding=embedding, stack=model.stack, output=output)


def load_fusion_model(
    folder: str | Path,
    translation: str | Path,
    *,
    device: torch.device,
    precision: Precision | InferencePrecision,
) -> Searchable[Any, Any]:
    """Return a language model that takes part in the search of a translation model.

    Args:
        folder: of the language model.
        translation: folder of the translation model.
        device: where the translation model is.
        precision: of the translation model.

    Raises:
        ModelFolderError: the folder is missing, damaged, or needs a plugin that is not installed.
        WrongTaskError: it is not a language model.
        ConfigurationError: its target pieces are not those of the translation model.
    """
    read = model_folder.read(folder)
    translating = model_folder.read(translation)
    check_shared_pieces(translating.folder, translating.manifest, read.folder, read.manifest)
    return _ready(read.load_language_model(device), device, precision)


class LoadedTextModel(NamedTuple):
    """A language model on a device."""

    model: SearchableText
    vocabulary: Vocabulary
    run: RunSettings
    device: torch.device
    precision: Precision | InferencePrecision
    autocast: Precision
    """Precision of autocast: a model prepared for inference computes in its precision by itself."""


def load_text_model(folder: str | Path, device: str, precision: str) -> LoadedTextModel:
    """Load a language model for any use but fusion; the arguments are those of `Translator.load`.

    Raises:
        ModelFolderError: the folder is missing, damaged, or needs a plugin that is not installed.
        WrongTaskError: it is not a language model.
        ConfigurationError: the device or precision is unknown.
        ResourceError: the device does not exist, or does not support the precision.
    """
    torch_device = choose_device(device)
    chosen = model_precision(precision, torch_device)
    read = model_folder.read(folder)
    model = _ready(read.load_language_model(torch_device), torch_device, chosen)
    return LoadedTextModel(
        model,
        read.subwords.target,
        read.run,
        torch_device,
        chosen,
        "float32" if chosen == "int8" or isinstance(model, InferenceLanguageModel) else chosen,
    )


def _ready(
    model: LanguageModel, device: torch.device, precision: Precision | InferencePrecision
) -> SearchableText:
    if device.type == "cpu" and precision != "fp16":
        return prepare_language_model(model, precision).pack()
    return model
