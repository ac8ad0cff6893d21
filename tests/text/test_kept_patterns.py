"""What is found in a line by name and by pattern, and that no text takes long."""

from __future__ import annotations

import pytest

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.text.kept_patterns import KEPT, KeptPatterns
from nmt_lstm.text.repetition_check import MAX_PART


@pytest.mark.parametrize(
    ("name", "line", "found"),
    [
        ("placeholders", "a {name} {} {0:d} ${user} {{ x }} b", ["{name}", "{}", "{0:d}", "${user}", "{{ x }}"]),
        ("placeholders", "%s, %(count)d: %1$s %.2f %% %name% 100 % sicher", ["%s", "%(count)d", "%1$s", "%.2f", "%name%"]),
        ("placeholders", "a __NAME__ b_c __init", ["__NAME__"]),
        ("urls", "see https://a.org/b?c=1#d, (www.x.org/y).", ["https://a.org/b?c=1#d", "www.x.org/y"]),
        ("urls", "https://a.orgを見る", ["https://a.org"]),
        ("emails", "to a.b+c@x.co.uk.", ["a.b+c@x.co.uk"]),
        ("numbers", "3 of 1,000.50 on 24.12. at 12:30, -5, 10冊, b2b and 3D", ["3", "1,000.50", "24.12", "12:30", "-5", "10"]),
        ("tags", 'a <b class="x">b</b> <br/> &amp; a < b <!-- c -->', ['<b class="x">', "</b>", "<br/>", "&amp;", "<!-- c -->"]),
    ],
)  # fmt: skip
def test_each_name_finds_what_it_says(name, line, found) -> None:
    assert KeptPatterns([name]).found(line) == found


def test_parts_do_not_overlap_and_own_patterns_come_first() -> None:
    patterns = KeptPatterns(list(KEPT), [r"#\d+", "is in"])
    found = ["#12", "is in", "#3", "http://a.b/1", "a1@b.de", "4"]
    assert patterns.found("#12 is in {b#3} at http://a.b/1 or a1@b.de 4") == found


def test_a_long_line_is_searched_in_parts_that_end_at_spaces() -> None:
    line = " ".join(f"AB-{number}" for number in range(MAX_PART))
    assert KeptPatterns([], [r"AB-\d+"]).found(line) == line.split()
    assert KeptPatterns([], ["x{1,9}"]).found("x" * 2 * MAX_PART)


@pytest.mark.parametrize(
    "text", ["{", "a@", "%", "1.1", "<a ", "http://!", "__a", "&a", "a.", "<!--", "www."]
)
def test_no_text_takes_long(text) -> None:
    KeptPatterns(list(KEPT), [r"\w+-\w+"]).spans(text * 20_000)


def test_wrong_names_and_patterns_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="urls") as refused:
        KeptPatterns(["url"])
    assert (refused.value.value, refused.value.known) == ("url", tuple(KEPT))
    with pytest.raises(ConfigurationError, match="list"):
        KeptPatterns("urls")
    with pytest.raises(ConfigurationError):
        KeptPatterns([], ["(a+)+"])
    assert not KeptPatterns([])
