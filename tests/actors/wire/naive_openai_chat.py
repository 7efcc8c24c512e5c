"""Chat completions read the plain way: split the lines, parse the JSON, add it up.  Shares no code with the product."""

import json


class Naive:
    """What an answer says, read the plain way."""

    def __init__(self):
        self.text, self.thinking, self.calls, self.usage = "", "", {}, None
        self.reasons, self.error, self.done, self.refusal = {}, None, False, ""

    def chunk(self, chunk):
        for choice in chunk.get("choices") or []:
            self.reasons[choice["index"]] = choice.get("finish_reason") or self.reasons.get(choice["index"])
            if choice["index"] == next(iter(self.reasons)):
                self.grow(choice.get("delta") or choice.get("message") or {})
        self.usage = chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage") or self.usage
        self.error = chunk.get("error")

    def grow(self, grown):
        self.thinking += grown.get("reasoning_content") or grown.get("reasoning") or ""
        content = grown.get("content") or ""
        if isinstance(content, list):
            self.thinking += "".join(inner["text"] for piece in content for inner in piece.get("thinking", []))
            content = "".join(piece.get("text", "") for piece in content)
        self.text += content + (grown.get("refusal") or "")
        self.refusal += grown.get("refusal") or ""
        for number, call in enumerate(grown.get("tool_calls") or []):
            name, call_id, given = self.calls.get(key := call.get("index", number), ("", "", ""))
            given += call["function"].get("arguments") or ""
            self.calls[key] = (call["function"].get("name") or name, call.get("id") or call_id, given)

    @property
    def reason(self):
        return next(iter(self.reasons.values()), None)

    @property
    def ending(self):
        if self.error:
            return "refused"
        bare = self.done and self.usage and not any(self.reasons.values())
        return "finished" if self.reasons and (all(self.reasons.values()) or bare) else "truncated"


def naive_stream(text):
    naive = Naive()
    for event in text.replace("\r\n", "\n").split("\n\n"):
        for line in event.split("\n"):
            if line == "data: [DONE]":
                naive.done = True
            elif line.startswith("data:"):
                naive.chunk(json.loads(line[5:]))
            elif line.startswith("error:"):
                naive.error = json.loads(line[6:])
            if naive.error or naive.done:
                return naive
    return naive
