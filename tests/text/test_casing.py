"""Any text is restored from its markers, and lines in upper or title case are recognised."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nmt_lstm.text.casing import CaseMarkers, LineCase

MARKERS = CaseMarkers(("{Name}", "<B>"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Ein HUND läuft", "⇧ ein ⇪ hund läuft"),
        ("(Hund) T-Shirt", "(⇧hund) ⇧ t-⇧shirt"),
        ("iPhone McDonald", "iPhone McDonald"),
        ("Straße STRASSE GROẞE", "⇧ straße ⇪ strasse GROẞE"),
        ("İstanbul IŞIK ışık", "İstanbul ⇪ işik ışık"),
        ("ΟΔΟΣ Οδός", "⇪ οδος ⇧ οδός"),
        ("МОСКВА Москва", "⇪ москва ⇧ москва"),
        ("MP3 I'M A", "⇪ mp3 ⇧ i'⇧m ⇧ a"),
        ("私はABCを", "私は⇪abcを"),
        ("⇧ ⇪X Hund⇧", "⇧⇧ ⇪⇪⇧x ⇧ hund⇧⇧"),
        ("{Name}Hund <B>", "{Name}⇧hund <B>"),
        ("", ""),
    ],
)
def test_words_are_lower_case_with_markers(text, written) -> None:
    assert MARKERS.write(text) == written
    assert MARKERS.read(written) == text


letters = "aAbBßẞİıΣσςŉǅǄÉé⇧⇪ -.'私ＡａЖж\u0301ǰΐﬁ"


@settings(max_examples=150, deadline=None)
@given(text=st.one_of(st.text(letters, max_size=12), st.text(max_size=30)))
@example("i\u0307 \u0130")
def test_any_text_is_restored(text) -> None:
    text = unicodedata.normalize("NFC", text)
    assert MARKERS.read(MARKERS.write(text)) == text


def test_every_letter_with_two_cases_is_restored() -> None:
    letters = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).lower() != chr(code).upper()]
    text = unicodedata.normalize("NFC", " ".join(f"{letter} {letter}a A{letter}" for letter in letters))
    assert MARKERS.read(MARKERS.write(text)) == text


@pytest.mark.parametrize(
    ("written", "text"), [("⇧", ""), ("⇧ ⇪", " "), ("a ⇧. b", "a . b"), ("⇧ 3", " 3"), ("⇧ ein ⇪", "Ein ")]
)
def test_markers_without_a_word_are_left_out(written, text) -> None:
    assert MARKERS.read(written) == text


@pytest.mark.parametrize(
    ("line", "case"),
    [
        ("EIN HUND LÄUFT.", LineCase.UPPER),
        ("NASA", None),
        ("EINLEITUNG", LineCase.UPPER),
        ("МОСКВА 2024!", LineCase.UPPER),
        ("Ein Hund Läuft Schnell", LineCase.TITLE),
        ("Don't Stop Me Now", LineCase.TITLE),
        ("DON'T STOP", LineCase.UPPER),
        ("Ein Hund läuft", None),
        ("Peter Pan Junior", None),
        ("A", None),
        ("I", None),
        ("ein hund", None),
        ("日本 3.5 ...", None),
        ("", None),
    ],
)
def test_the_case_of_a_line(line, case) -> None:
    assert LineCase.of(line) is MARKERS.line_case(line) is case


def test_a_line_is_written_in_its_case() -> None:
    line = "A dog runs (über die Straße), {Name}."
    assert MARKERS.in_case(line, LineCase.UPPER) == "A DOG RUNS (ÜBER DIE STRASSE), {Name}."
    assert (
        MARKERS.in_case("A dog doesn't run, 'NASA' says", LineCase.TITLE) == "A Dog Doesn't Run, 'NASA' Says"
    )
    assert MARKERS.lowered("A DOG {Name} <B>Runs") == "a dog {Name} <B>runs"
    assert MARKERS.line_case("{Name} LÄUFT WEG") is LineCase.UPPER
