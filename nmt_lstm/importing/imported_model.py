"""A model of another toolkit in terms of this one: what an importer returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from nmt_lstm.text.subwords import Subwords

__all__ = ["ImportedModel"]


@dataclass(frozen=True)
class ImportedModel:
    """What a model folder needs.

    Attributes:
        toolkit: name of the toolkit, with the version that wrote the model if the files tell it.
        model: the table `model` of a run file.
        state: the weights, by the names of `Seq2Seq`.
        subwords: the vocabularies.
        languages: codes of source and target; empty if unknown.
        search: settings of search that differ from the defaults.
        notes: what a user must know to get the toolkit's own translations, one sentence each.
    """

    toolkit: str
    model: Mapping[str, Any]
    state: Mapping[str, Tensor]
    subwords: Subwords
    languages: tuple[str, str] = ("", "")
    search: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
