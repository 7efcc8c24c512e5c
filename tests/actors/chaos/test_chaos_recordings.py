import gzip
import json
from pathlib import Path

import pytest
from chaos_client import memory_client, messages, read_stream, socket_client
from hypothesis import given
from hypothesis import strategies as st

from actors.chaos import (
    Ending,
    Plan,
    Recorded,
    Recording,
    Simulator,
    at,
    at_random,
    by_event,
    every,
    load_recordings,
    whole,
)
from actors.chaos.speech.anthropic import ANTHROPIC
from actors.chaos.speech.dialect import Complaint, Stamp
from actors.chaos.speech.gemini import GEMINI
from actors.chaos.speech.openai_chat import OPENAI_CHAT

CORPUS = Path(__file__).parents[3] / "../shared/wire"
BODY = 'event: a\ndata: "é"\n\nevent: b\r\ndata: 水\r\n\r\ndata: [DONE]\n\n'.encode()


@pytest.mark.parametrize("slicing", [whole, by_event, every(1), every(7), at(3, 4, 900), at_random(7, 5)])
@given(body=st.binary(max_size=200))
def test_slices_joined_are_the_body(slicing, body):
    slices = slicing(body)
    assert b"".join(slices) == body
    assert all(slices)


def test_by_event_cuts_after_every_empty_line():
    assert len(by_event(BODY)) == 3


def test_random_slices_repeat_with_their_seed():
    assert at_random(7, 5)(BODY * 9) == at_random(7, 5)(BODY * 9)
    assert at_random(7, 5)(BODY * 9) != at_random(8, 5)(BODY * 9)


def test_a_line_that_is_no_recording_is_named(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text('{"response_body": "fine"}\n\n{"status": 200}\n')
    with pytest.raises(ValueError, match=r"mine.jsonl, line 3, is not a recording: .*response_body"):
        load_recordings(path)


async def test_a_file_of_ones_own_is_served_byte_for_byte(tmp_path):
    path = tmp_path / "mine.jsonl.gz"
    lines = [
        {"response_body": BODY.decode(), "response_headers": {"content-type": "text/event-stream", "x-own": "1"}},
        {"response_body": "upstream gone", "status": 503, "response_headers": {"content-length": "999"}},
    ]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    simulator = Simulator(Recorded(load_recordings(path)))
    async with socket_client(simulator) as client:
        first = await read_stream(client, "/v1/messages", messages("a"))
        second = await read_stream(client, "/v1/messages", messages("b"))
        third = await read_stream(client, "/v1/messages", messages("c"))
    assert first[1] == third[1] == BODY
    assert first[0].headers["x-own"] == "1"
    assert (second[0].status_code, second[1]) == (503, b"upstream gone")
    assert [entry.ending for entry in simulator.journal.entries] == [Ending.COMPLETE, Ending.ERROR, Ending.COMPLETE]


async def test_a_fault_falls_between_the_events_of_a_recording():
    simulator = Simulator(Recorded([Recording(BODY)]), Plan.parse("truncate:2=1"))
    async with memory_client(simulator) as client:
        _, body, _ = await read_stream(client, "/v1/messages", messages("a"))
    assert body == b"".join(by_event(BODY)[:2])


@pytest.mark.parametrize("name", ["anthropic", "openai", "gemini", "compat"])
@pytest.mark.parametrize("slicing", [whole, by_event, at_random(7, 300)])
async def test_recorded_traffic_comes_back_byte_for_byte(name, slicing):
    path = CORPUS / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip("the corpus of recorded traffic is not here; it is not part of the project")
    recordings = [recording for recording in load_recordings(path) if len(recording.body) < 50_000][::12]
    simulator = Simulator(Recorded(recordings, slicing))
    async with memory_client(simulator) as client:
        for recording in recordings:
            response, body, error = await read_stream(client, "/v1/messages", messages("a"))
            assert error is None
            assert body == recording.body
            assert response.status_code == recording.status
            kept = {name.lower(): value for name, value in recording.headers}
            assert response.headers.get("content-type") == kept.get("content-type")
    assert simulator.journal.totals().bytes == sum(len(recording.body) for recording in recordings)


SHAPES = {
    "anthropic": (ANTHROPIC, lambda error: (error["type"], {"message", "type"} <= error.keys())),
    "openai": (OPENAI_CHAT, sorted),
    "gemini": (GEMINI, lambda error: (error["status"], {"code", "message", "status"} <= error.keys())),
}


@pytest.mark.parametrize("name", list(SHAPES))
def test_errors_have_the_shape_of_recorded_ones(name):
    path = CORPUS / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip("the corpus of recorded traffic is not here; it is not part of the project")
    dialect, shape = SHAPES[name]
    compared = 0
    for recording in load_recordings(path):
        if recording.status not in {401, 403, 404, 429, 500, 529} or not recording.body.startswith(b"{"):
            continue
        recorded = json.loads(recording.body).get("error")
        if not isinstance(recorded, dict) or not recorded.keys() & {"type", "status"}:
            continue
        ours = json.loads(dialect.error(Complaint(recording.status), Stamp("x", 0.0)).body)["error"]
        assert shape(ours) == shape(recorded), recording.id
        compared += 1
    assert compared > 10
