"""Our names are those of the conventions: held against the strings, units and values that OpenTelemetry publishes."""

import pytest
from observed import A, completed, ended
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as published
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.attributes import error_attributes

from actors.config import PROVIDERS as SETTINGS
from actors.deltas import Usage
from actors.observe.instruments import INSTRUMENTS, PROVIDERS, Shape
from actors.observe.metrics import measures
from actors.observe.traces import spans
from actors.outcome import Status
from actors.providers.table import TABLE

ATTRIBUTES = {word for name, word in vars(published).items() if name.startswith("GEN_AI_")}
METRICS = {word for name, word in vars(gen_ai_metrics).items() if name.startswith("GEN_AI_")}
OURS = [instrument for instrument in INSTRUMENTS if instrument.name.startswith("gen_ai.")]
USED = Usage(1, 2, 3, 4, 5)


class Meter:
    """Keeps with what words an instrument is made."""

    def create_histogram(self, name, unit, **_):
        return (name, unit)


def made():
    makers = [make for name, make in vars(gen_ai_metrics).items() if name.startswith("create_")]
    return {make(Meter()) for make in makers}


@pytest.mark.parametrize("instrument", OURS, ids=lambda instrument: instrument.name)
def test_a_metric_has_the_published_name_unit_and_labels(instrument):
    assert instrument.shape is Shape.HISTOGRAM
    assert (instrument.name, instrument.unit) in made()
    assert set(instrument.labels) <= ATTRIBUTES | {error_attributes.ERROR_TYPE}


def test_the_four_metrics_of_a_client_are_there():
    assert {instrument.name for instrument in OURS} == {name for name in METRICS if ".client." in name}


def test_every_attribute_of_a_span_under_their_name_is_published():
    whole, attempts = spans(ended(Status.COMPLETED, None, completed(usage=USED)), 0)
    names = {name for span in (whole, *attempts) for name in span.fields if name.startswith("gen_ai.")}
    assert len(names) >= 9
    assert names <= ATTRIBUTES


@pytest.mark.parametrize("name", sorted({*TABLE, *SETTINGS}))
def test_every_provider_in_the_box_has_a_published_name(name):
    known = {value.value for value in published.GenAiProviderNameValues}
    assert PROVIDERS[name] in known


def test_the_name_of_the_operation_and_the_types_of_tokens_are_published():
    labels = [measure.labels for measure in measures(completed(A, USED), str, str)]
    operations = {name["gen_ai.operation.name"] for name in labels if "gen_ai.operation.name" in name}
    assert operations == {published.GenAiOperationNameValues.CHAT.value}
    types = {name["gen_ai.token.type"] for name in labels if "gen_ai.token.type" in name}
    assert types == {value.value for value in published.GenAiTokenTypeValues} - {"completion"}
