"""Splitting input into lines: the same however the bytes come, and never without bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.cli import lines
from actors.cli.lines import Line, Splitter
from actors.errors import SettingError


def split(*chunks):
    splitter = Splitter("in.txt")
    return [line for chunk in chunks for line in splitter.feed(chunk)] + list(splitter.close())


def test_lines_are_numbered_as_an_editor_numbers_them_and_blank_ones_are_left_out():
    assert split(b"one\n\n  \ntwo\r\nthree") == [
        Line("in.txt", 1, "one"),
        Line("in.txt", 4, "two"),
        Line("in.txt", 5, "three"),
    ]


def test_the_mark_an_editor_put_first_is_no_part_of_a_prompt():
    assert split(b"\xef\xbb\xbfone\n") == [Line("in.txt", 1, "one")]


@given(st.binary(max_size=200).filter(lambda raw: raw.decode("utf-8", "ignore").encode() == raw), st.data())
def test_where_the_chunks_are_cut_changes_nothing(raw, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=5)))
    chunks = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert split(*chunks) == split(raw)


@given(st.lists(st.text().filter(lambda text: "\n" not in text), max_size=10))
def test_every_line_that_says_something_is_given_once_with_its_number(texts):
    expected = [
        (number, text.encode().removeprefix(b"\xef\xbb\xbf" if number == 1 else b"").decode().strip())
        for number, text in enumerate(texts, 1)
    ]
    got = [(line.number, line.text) for line in split("\n".join(texts).encode())]
    assert got == [(number, text) for number, text in expected if text]


def test_a_line_that_is_no_utf8_is_named():
    with pytest.raises(SettingError, match=r"in\.txt, line 2 is not UTF-8"):
        split(b"fine\n\xff\xfe\n")


def test_a_line_without_end_is_refused_before_it_is_all_in_memory(monkeypatch):
    monkeypatch.setattr(lines, "LONGEST", 1 << 20)
    splitter = Splitter("in.txt")
    for _ in range(16):
        assert not list(splitter.feed(b"x" * (1 << 16)))
    with pytest.raises(SettingError, match=r"in\.txt, line 1 is longer than 1 MiB"):
        list(splitter.feed(b"x"))
