"""Responses read the plain way: split the lines, parse the JSON, add it up.  Shares no code with the product."""

import json


class Naive:
    """What an answer says, read the plain way: words from the deltas, items from the events that end them."""

    def __init__(self):
        self.words, self.items, self.open, self.citations = {}, {}, {}, 0
        self.ending, self.response, self.error = "truncated", None, None

    def event(self, event):
        """Returns whether the answer goes on."""
        match event["type"].removeprefix("response."):
            case (
                "output_text.delta" | "refusal.delta" | "reasoning_text.delta" | "reasoning_summary_text.delta" as kind
            ):
                self.words.setdefault(kind.split("_")[0], []).append(event["delta"])
            case "output_item.added":
                self.open[event["output_index"]] = event["item"]["id"]
            case "output_item.done":
                self.open.pop(event["output_index"], None)
                self.items[event["output_index"]] = event["item"]
            case "output_text.annotation.added":
                self.citations += 1
            case "error":
                self.ending, self.error = "refused", event.get("error") or event
            case "failed":
                self.ending, self.error = "refused", event["response"]["error"]
            case "completed" | "incomplete":
                self.response, self.ending = event["response"], "finished"
                output = event["response"].get("output", [])
                self.items |= {
                    place: item for place, known in self.open.items() for item in output if item["id"] == known
                }
                self.items = self.items or dict(enumerate(output))
        return self.ending == "truncated"

    def check_words(self):
        """Text of the messages so far must be the words so far."""
        if item_text(self) != "".join(self.words.get("output", []) + self.words.get("refusal.delta", [])):
            self.ending = "malformed"

    def of(self, kind):
        return [item for _, item in sorted(self.items.items()) if item["type"] == kind]


def naive_stream(text):
    naive = Naive()
    for event in text.replace("\r\n", "\n").split("\n\n"):
        for line in event.split("\n"):
            if line.startswith("data:") and line[5:].strip() != "[DONE]":
                try:
                    told = json.loads(line[5:])
                except ValueError:
                    naive.ending = "malformed"
                    return naive
                goes_on = naive.event(told)
                if told["type"] == "response.output_item.done" and told["item"]["type"] == "message":
                    naive.check_words()
                if not goes_on or naive.ending == "malformed":
                    return naive
    return naive


def item_text(naive):
    return "".join(
        piece.get("text") or piece.get("refusal") for item in naive.of("message") for piece in item["content"]
    )
