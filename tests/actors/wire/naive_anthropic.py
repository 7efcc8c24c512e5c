"""Anthropic Messages read the plain way: split the lines, parse the JSON, add it up.  Shares no code with the product."""

import json
import re

from wire_corpus import body

STATUS = {"overloaded_error": 529, "api_error": 500, "rate_limit_error": 429}
COUNTS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
}


class Naive:
    """What an answer says, read the plain way."""

    def __init__(self):
        self.id = self.stop = None
        self.blocks, self.open = {}, set()
        self.usage = {}
        self.ending, self.error = "truncated", {}

    def message(self, message):
        self.id, self.model = message["id"], message["model"]
        self.blocks = dict(enumerate(message["content"]))
        self.count(message["usage"])
        self.stop = message["stop_reason"]

    def count(self, usage):
        self.usage |= {ours: usage[theirs] for theirs, ours in COUNTS.items() if usage.get(theirs) is not None}
        if details := usage.get("output_tokens_details"):
            self.usage["reasoning_tokens"] = details["thinking_tokens"]

    def event(self, event):
        """Returns whether the answer goes on."""
        match event["type"]:
            case "error":
                self.error = event["error"]
                kind = self.error["type"]
                self.ending = f"refused {STATUS[kind]} {kind}"
                return False
            case "message_start" if self.id not in (None, event["message"]["id"]):
                self.ending = "malformed"
                return False
            case "message_start":
                self.message(event["message"])
            case "content_block_start":
                self.blocks[event["index"]] = event["content_block"] | {"given": ""}
                self.open.add(event["index"])
            case "content_block_delta":
                self.grow(self.blocks[event["index"]], event["delta"])
            case "content_block_stop":
                self.open.remove(event["index"])
            case "message_delta":
                self.stop = event["delta"]["stop_reason"] or self.stop
                self.count(event.get("usage", {}))
            case "message_stop":
                self.ending = "finished" if self.stop and (not self.open or self.stop == "max_tokens") else "truncated"
                return False
        return True

    @staticmethod
    def grow(block, delta):
        for name, value in delta.items():
            if name == "partial_json":
                block["given"] += value
            elif name == "citation":
                block["citations"] = [*block.get("citations", []), value]
            elif name != "type":
                block[name] = (block.get(name) or "") + value

    def of(self, *kinds):
        return [block for _, block in sorted(self.blocks.items()) if block["type"] in kinds]

    def calls(self, *kinds):
        return [
            (block["name"], block["id"], json.loads(block["given"]) if block.get("given") else block["input"])
            for index, block in sorted(self.blocks.items())
            if block["type"] in kinds and index not in self.open
        ]


def answers(record):
    """The answers in a recording; some recorders joined the steps of one conversation."""
    text = body(record)
    steps = re.findall(r".*?event: message_stop\ndata: [^\n]*\n\n", text, re.DOTALL)
    return steps if len(steps) > 1 else [text]


def naive_stream(text):
    naive = Naive()
    for event in text.replace("\r\n", "\n").split("\n\n"):
        for line in event.split("\n"):
            if line.startswith("data:") and not naive.event(json.loads(line[5:])):
                return naive
    return naive
