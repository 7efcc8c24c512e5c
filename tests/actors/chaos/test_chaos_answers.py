import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.chaos import (
    Answer,
    Ask,
    Finish,
    Generated,
    Recorded,
    Scripted,
    Text,
    Thinking,
    ToolUse,
    Turn,
    Visit,
    expected_text,
    prompt_key,
)
from actors.chaos.answers import pieces

SOURCE = Generated(seed=3, tokens=20)
WORDS = SOURCE.text("why")


def said(*turns, source=SOURCE, **options):
    return source.answer(Visit(Ask("anthropic", "claude", turns, **options)))


@given(st.text(max_size=60))
def test_pieces_joined_are_the_text(text):
    assert "".join(pieces(text)) == text
    assert all(pieces(text))


@given(prompt=st.text(), seed=st.integers(0, 99), tokens=st.integers(1, 80))
def test_an_expected_text_has_its_tokens_and_repeats(prompt, seed, tokens):
    text = expected_text(prompt, seed=seed, tokens=tokens)
    assert len(pieces(text)) == tokens
    assert text == said(Turn("user", prompt), source=Generated(seed, tokens)).text


def test_prompts_and_seeds_differ_in_their_texts():
    texts = {expected_text(prompt, seed=seed) for prompt in ("a", "b") for seed in (1, 2)}
    assert len(texts) == 4


def test_a_prefill_and_a_request_to_continue_get_the_rest():
    begun = (Turn("user", "why"), Turn("assistant", WORDS[:30]))
    assert WORDS[:30] + said(*begun).text == WORDS
    assert WORDS[:30] + said(*begun, Turn("user", "Please continue where you stopped.")).text == WORDS


def test_another_question_after_a_cut_answer_gets_its_own_answer():
    begun = (Turn("user", "why"), Turn("assistant", WORDS[:30]))
    assert said(*begun, Turn("user", "and how?")).text == SOURCE.text("and how?")


def test_words_that_were_never_said_are_not_gone_on_from():
    turns = (Turn("user", "why"), Turn("assistant", "never said"), Turn("user", "continue"))
    assert said(*turns).text == SOURCE.text("continue")


def test_the_limit_of_tokens_cuts_the_text_and_says_so():
    answer = said(Turn("user", "why"), max_tokens=5)
    assert WORDS.startswith(answer.text)
    assert (answer.reason, answer.tokens) == (Finish.LENGTH, 5)


def test_the_finish_is_a_calls_when_there_is_one():
    assert Answer((Text("so"),)).reason is Finish.END
    assert Answer((Text("so"), ToolUse("now"))).reason is Finish.TOOL
    assert Answer((ToolUse("now"),), Finish.LENGTH).reason is Finish.LENGTH


def test_tokens_are_the_words_of_every_part_unless_given():
    parts = (Thinking("let me see"), Text("I ask."), ToolUse("now", '{"at": 1}'))
    assert Answer(parts).tokens == 7
    assert Answer(parts, output_tokens=42).tokens == 42


def test_a_conversation_is_named_by_all_its_turns():
    assert Ask("a", "m", (Turn("user", "x"),)).key == prompt_key("x")
    assert Ask("a", "m", (Turn("user", "x"), Turn("assistant", "y"))).key == prompt_key("x", "y") != prompt_key("xy")


@pytest.mark.parametrize("source", [Scripted, lambda: Recorded([])])
def test_a_source_without_answers_is_refused_at_birth(source):
    with pytest.raises(ValueError, match="needs at least one"):
        source()
