"""The access log."""

from __future__ import annotations

import json

from nmt_lstm.server.access_log import AccessLog


def test_the_access_log_leaves_texts_out_and_appends(tmp_path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")
    for with_texts in (False, True):
        log = AccessLog(str(path), with_texts=with_texts)
        log.add({"status": 200, "q": ["a\nb\u2028"]})
        log.close()
    first, second, third = path.read_text().splitlines()
    assert first == "before"
    assert json.loads(second) == {"status": 200}
    assert json.loads(third) == {"status": 200, "q": ["a\nb\u2028"]}
    log = AccessLog(None)
    log.add({})
    log.close()
