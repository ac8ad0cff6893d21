"""Whose processor this is."""

from __future__ import annotations

import platform

import pytest

from nmt_lstm.numerics import processor


@pytest.mark.parametrize(
    ("system", "machine", "text", "found"),
    [
        ("Linux", "x86_64", "vendor_id : GenuineIntel", True),
        ("Linux", "x86_64", "vendor_id : AuthenticAMD", False),
        ("Linux", "aarch64", None, False),
        ("Darwin", "x86_64", None, True),
        ("Darwin", "arm64", None, False),
    ],
)
def test_it_is_intels_where_the_system_says_so(monkeypatch, tmp_path, system, machine, text, found) -> None:
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert processor.is_made_by_intel.__wrapped__() is found
