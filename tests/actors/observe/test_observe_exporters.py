"""Exporters as the page sets them up: a collector on the loopback decodes what is sent, and Prometheus fetches from a port."""

import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import trio
from collector import collector
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client.parser import text_string_to_metric_families

from actors import Settings, from_call, open_streams
from actors.observe.traces import StreamIds, StreamSpans

ROOT = Path(__file__).parents[3]

PROGRAM = """
import sys
sys.path.insert(0, "tests/house")
from pathlib import Path
from house import ROOT, blocks

setting, exporters, ending = (block for block in blocks(ROOT / "docs" / "observing.md") if "import" in block.code or "run" in block.code)
page = {"__name__": "__main__"}
exec(setting.code, page)
exec(exporters.code, page)
exec("trio.run(main)", page)
print("fetch", flush=True)
sys.stdin.readline()
exec(ending.code, page)
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def told():
    """What a collector heard of the program of the page, what Prometheus fetched while it ran, and what it wrote."""
    port = free_port()
    with collector() as heard:
        environment = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": heard.address,
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(port),
        }
        command = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning:actors", "-c", PROGRAM]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as program:
            ready = program.stdout.readline()
            assert ready == "fetch\n", program.communicate()[1]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                fetched = answer.read().decode()
            _, errors = program.communicate("\n", timeout=60)
        assert program.returncode == 0, errors
        yield heard, {family.name: family for family in text_string_to_metric_families(fetched)}, errors


def labels(attributes):
    return {each.key: each.value.string_value for each in attributes}


@pytest.mark.row("I7", "J9", "H8")
def test_otlp_brings_each_attempt_under_its_stream_with_the_ids_of_the_logs(told):
    heard, _, errors = told
    runs = [span for span in heard.spans if span.name == "stream"]
    assert len(runs) == 2  # the page's program ran twice: once to be fetched from, once to its end
    for stream in runs:
        attempts = [span for span in heard.spans if span.parent_span_id == stream.span_id]
        assert [span.name for span in attempts] == ["chat moody", "chat calm"]
        assert {span.trace_id for span in attempts} == {stream.trace_id}
        assert stream.trace_id.hex() in errors
        assert [event.name for event in stream.events][:2] == ["attempt started", "attempt abandoned"]


@pytest.mark.row("I7", "I1", "I5")
def test_otlp_brings_every_figure_with_its_unit(told):
    heard, _, _ = told
    assert {"llm.request.duration_ms", "llm.streaming.errors", "gen_ai.client.operation.duration"} <= set(heard.metrics)
    duration = heard.metrics["llm.request.duration_ms"]
    assert duration.unit == "ms"
    points = [labels(point.attributes) for point in duration.histogram.data_points]
    assert {"provider": "mine", "model": "calm", "phase": "total"} in points
    switched = heard.metrics["llm.fallback.triggered"].sum
    assert switched.is_monotonic
    assert {labels(point.attributes)["fallback_type"] for point in switched.data_points} == {"provider_switch"}
    assert sum(point.as_int for point in switched.data_points) == 2


@pytest.mark.row("I7")
def test_prometheus_fetches_the_same_figures_by_its_own_names(told):
    _, families, _ = told
    switched = families["llm_fallback_triggered"]
    (sample,) = [sample for sample in switched.samples if sample.name == "llm_fallback_triggered_total"]
    assert sample.value == 1
    assert {name: sample.labels[name] for name in ("provider", "model", "fallback_type")} == {
        "provider": "mine",
        "model": "moody",
        "fallback_type": "provider_switch",
    }
    duration = families["llm_request_duration_ms_milliseconds"]
    counts = {
        (sample.labels["model"], sample.labels["phase"]): sample.value
        for sample in duration.samples
        if sample.name.endswith("_count")
    }
    assert counts["calm", "total"] == 1
    assert "gen_ai_client_operation_duration_seconds" in families


@pytest.mark.row("H8")
async def test_a_collector_that_does_not_answer_holds_no_stream_up():
    with collector(answers=False) as heard:
        exporter = OTLPSpanExporter(endpoint=f"{heard.address}/v1/traces")
        provider = TracerProvider(id_generator=StreamIds(), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=10, max_export_batch_size=1))
        hook, providers = StreamSpans(provider.get_tracer("test")), {"a": from_call(answer)}
        async with open_streams(settings=Settings.read({}), providers=providers, hook=hook) as service:
            assert (await service.ask("hello", "a:m")).completed
            assert await trio.to_thread.run_sync(heard.asked.wait, 30)
            for _ in range(10):
                assert (await service.ask("again", "a:m")).completed
        assert len(heard.spans) == 1
        heard.open.set()
        await trio.to_thread.run_sync(provider.shutdown)
    assert sorted(span.name for span in heard.spans) == [*["chat m"] * 11, *["stream"] * 11]


async def answer(_request, _route):
    return "yes"


WITHOUT = """
import sys
sys.path.insert(0, "tests/house")

class Absent:
    def find_spec(self, name, *_):
        if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "prometheus_client")):
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Absent())
from house import ROOT, blocks

page = {"__name__": "__main__"}
exec(blocks(ROOT / "docs" / "observing.md")[0].code, page)
print(*(name for name in sys.modules if name.startswith("opentelemetry.sdk")))
"""


@pytest.mark.row("I7")
def test_without_an_sdk_the_same_program_runs_and_loads_nothing_of_one():
    run = subprocess.run([sys.executable, "-c", WITHOUT], cwd=ROOT, check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout == "\n"
    assert "stream completed" in run.stderr
