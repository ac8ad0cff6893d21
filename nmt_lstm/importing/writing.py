"""A model folder from an imported model."""

from __future__ import annotations

from pathlib import Path

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.config.load import make_run
from nmt_lstm.importing.errors import DamagedSourceError
from nmt_lstm.importing.imported_model import ImportedModel
from nmt_lstm.model.build import build_unweighted_model

__all__ = ["write_imported"]


def write_imported(folder: Path, imported: ImportedModel, *, origin: Path) -> None:
    """Write a model folder, and replace an earlier model in it.

    Args:
        folder: its path.
        imported: the model.
        origin: the file or folder that it was read from, for `metrics.json`.

    Raises:
        DamagedSourceError: the weights do not fit the options.
        ModelFolderError: the folder has files of another program.
    """
    source, target = imported.languages
    run = make_run(
        {
            # The settings of training are unknown. The name of a file that does not exist tells readers so.
            "data": {
                "train_source": f"unknown text of {imported.toolkit}",
                "train_target": f"unknown text of {imported.toolkit}",
                "source_language": source,
                "target_language": target,
            },
            "subwords": {"joint": imported.subwords.joint, "normalise_invisible": False},
            "model": dict(imported.model),
            "search": dict(imported.search),
        }
    )
    network = build_unweighted_model(run.model, imported.subwords.source.size, imported.subwords.target.size)
    try:
        network.load_state_dict(dict(imported.state))
    except RuntimeError as problem:
        reason = " ".join(str(problem).split())[:300]
        raise DamagedSourceError(
            f"the weights of '{origin}' do not fit its options: {reason}; do all files belong to one model?",
            path=origin,
        ) from None
    model_folder.write(
        folder,
        run=run,
        subwords=imported.subwords,
        model_state=network.state_dict(),
        metrics={"imported": {"toolkit": imported.toolkit, "file": origin.name}},
    )
