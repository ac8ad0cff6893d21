"""An encoder from a file is stored with the model, and run only on request."""

from __future__ import annotations

import pytest

from nmt_lstm.checkpoint.model_folder import read, write
from nmt_lstm.config.schema import EncoderSettings
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.model.build import build_model
from nmt_lstm.registry import ENCODERS, load_plugin_file

ENCODER = """
from nmt_lstm import ENCODERS, Encoded, Encoder, token_mean


@ENCODERS.register("shifted")
class Shifted(Encoder):
    def __init__(self, input_size: int, dropout: object = None, *, cell: str = "", shift: float = 1.0) -> None:
        super().__init__(input_size, dropout)
        self.shift = shift

    def forward(self, embedded, is_token):
        return Encoded(embedded + self.shift, is_token, token_mean(embedded, is_token))
"""


def test_an_encoder_from_a_file_is_recorded_copied_and_run_if_trusted(tmp_path, tiny_run, subwords) -> None:
    (tmp_path / "shifted.py").write_text(ENCODER, encoding="utf-8")
    with ENCODERS.isolated():
        load_plugin_file(str(tmp_path / "shifted.py"))
        settings = EncoderSettings(name="shifted", options={"shift": 2.0, "cell": "rnn"}, cell="gru")
        run = tiny_run.model_copy(update={"model": tiny_run.model.model_copy(update={"encoder": settings})})
        state = build_model(run.model, subwords.source.size, subwords.target.size).state_dict()
        write(tmp_path / "model", run=run, subwords=subwords, model_state=state, metrics={})
    folder = read(tmp_path / "model")
    (record,) = folder.manifest.plugins["encoders"]
    assert (record["name"], record["file"]) == ("shifted", "plugin.shifted.py")
    # The cell that is an option, not the one of the recurrent encoder.
    assert [each["name"] for each in folder.manifest.plugins["cells"]] == ["rnn", "lstm"]
    with pytest.raises(ModelFolderError, match="encoder 'shifted'"):
        folder.load_model()
    assert folder.load_model(trust_plugins=True).encoder.layers.shift == 2.0
