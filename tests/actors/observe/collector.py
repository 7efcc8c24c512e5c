"""A collector on the loopback: takes what OTLP over HTTP sends, decodes it, and answers when it is told to."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """What was sent: spans, and metrics by name; `open` lets it answer."""

    def __init__(self):
        self.spans, self.metrics, self.asked = [], {}, threading.Event()
        self.open = threading.Event()
        self.address = ""

    def take(self, path, body):
        self.asked.set()
        if path == "/v1/traces":
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.spans += [span for scope in group.scope_spans for span in scope.spans]
        elif path == "/v1/metrics":
            for group in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                self.metrics |= {metric.name: metric for scope in group.scope_metrics for metric in scope.metrics}


@contextmanager
def collector(*, answers=True):
    """One that listens for the length of the block."""
    heard = Collector()
    if answers:
        heard.open.set()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            heard.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            heard.open.wait(30)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        heard.address = f"http://127.0.0.1:{server.server_port}"
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield heard
        finally:
            heard.open.set()
            server.shutdown()
            serving.join()
