"""What onnxruntime cannot load is an error with its path."""

from __future__ import annotations

import pytest

from nmt_lstm.errors import ModelFolderError
from nmt_lstm.inference.onnx.model import OnnxModel

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def test_a_graph_that_onnxruntime_cannot_load_is_an_error_with_its_path(tmp_path) -> None:
    path = tmp_path / "encoder.onnx"
    path.write_bytes(b"no graph")
    with pytest.raises(ModelFolderError, match=r"cannot load '.*encoder.onnx'") as caught:
        OnnxModel(path, path)
    assert caught.value.path == path
