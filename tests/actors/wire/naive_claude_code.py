"""A run of Claude Code read the plain way: parse each line, keep what the whole blocks say.  Shares no code with the product."""

import json

from naive_anthropic import COUNTS


def without(usage):
    return {ours: usage[theirs] for theirs, ours in COUNTS.items() if usage.get(theirs)}


class NaiveRun:
    """What a run says.  Text that was streamed and never said whole counts too, as long as the program did not take it back."""

    def __init__(self):
        self.ending, self.error = "truncated", None
        self.session = self.model = None
        self.said = []  # [message id, type, text]
        self.streamed = []  # the same, of the blocks of the message that streams
        self.streaming = None
        self.unconfirmed = []  # blocks of the message that streamed last which were not said whole
        self.calls, self.results = [], []
        self.retries, self.taken_back = 0, 0
        self.usage, self.stop = {}, None

    def line(self, line):
        """Returns whether the run goes on."""
        if line.get("parent_tool_use_id"):
            return True
        match line["type"], line.get("subtype"):
            case "system", "init":
                self.session, self.model = line["session_id"], line["model"]
            case "system", "api_retry":
                self.retries += 1
                self.drop()
                if line["error_status"] in (401, 403):
                    self.ending = "refused"
                    return False
            case "stream_event", _:
                self.event(line["event"])
            case "assistant", _ if not line.get("error") and line["message"]["model"] != "<synthetic>":
                self.whole(line["message"])
            case "user", _ if isinstance(line["message"]["content"], list):
                found = [block for block in line["message"]["content"] if block["type"] == "tool_result"]
                self.results += [block["tool_use_id"] for block in found]
            case "result", _:
                self.result(line)
                return False
        return True

    def event(self, event):
        match event["type"]:
            case "message_start":
                self.drop()
                self.streaming, self.unconfirmed = event["message"]["id"], []
            case "content_block_start" if self.streaming:
                kind = event["content_block"]["type"]
                self.streamed.append([self.streaming, kind, event["content_block"].get(kind, "")])
                self.unconfirmed.append(self.streamed[-1])
            case "content_block_delta" if self.streaming:
                self.streamed[-1][2] += event["delta"].get("text", event["delta"].get("thinking", ""))
            case "message_delta" if self.streaming:
                self.said += self.streamed
                self.streamed, self.streaming = [], None
            case "message_stop":
                self.drop()

    def drop(self):
        """The message that streams did not end: nobody is to have it."""
        self.taken_back += self.streaming is not None
        self.streamed, self.streaming, self.unconfirmed = [], None, []

    def whole(self, message):
        if self.streaming not in (None, message["id"]):
            self.drop()
        for block in message["content"]:
            text = block.get(block["type"], "")
            if block["type"] == "tool_use":
                self.calls.append((block["name"], block["id"], block["input"]))
            told = [message["id"], block["type"], text]
            if told in self.unconfirmed:
                self.unconfirmed.remove(told)
            else:
                self.said.append(told)

    def result(self, line):
        self.usage, self.stop = without(line["usage"]), line.get("stop_reason")
        self.ending = "finished" if not line["is_error"] or self.stop == "refusal" else "refused"
        self.error = line.get("result") or next(iter(line.get("errors", [])), None)
        self.status = line.get("api_error_status")

    def of(self, kind):
        return "".join(text for _, of, text in [*self.said, *self.streamed] if of == kind)


def naive_run(text):
    run = NaiveRun()
    for line in text.split("\n"):
        if line.strip() and not run.line(json.loads(line)):
            break
    return run
