"""generateContent read the plain way: split the lines, parse the JSON, add it up.  Shares no code with the product."""

import json

NUMBERS = {1: "STOP"}


def flat(value, path=""):
    """An object as its values by their places, as streamed arguments name them."""
    if isinstance(value, dict):
        return {place: one for name in value for place, one in flat(value[name], f"{path}.{name}".lstrip(".")).items()}
    if isinstance(value, list):
        return {place: one for at, inner in enumerate(value) for place, one in flat(inner, f"{path}[{at}]").items()}
    return {path: value}


class Naive:
    """What an answer says, read the plain way."""

    def __init__(self):
        self.text, self.thinking, self.calls, self.seals, self.rest = "", "", [], [], []
        self.usage, self.reason, self.error, self.blocked = {}, None, None, False

    def response(self, response):
        if "error" in response:
            self.error = response["error"]
        for candidate in response.get("candidates", []):
            for part in candidate.get("content", {}).get("parts", []):
                self.part(part)
            reason = candidate.get("finishReason")
            self.reason = NUMBERS.get(reason, reason) or self.reason
        feedback = response.get("promptFeedback", {})
        if feedback.get("blockReason") or feedback.get("blockReasonMessage"):
            self.reason, self.blocked = feedback.get("blockReason", ""), True
        self.usage = response.get("usageMetadata", self.usage)

    def part(self, part):
        self.seals += (
            [part["thoughtSignature"]]
            if "thoughtSignature" in part and ("text" in part or "functionCall" in part)
            else []
        )
        if "text" in part:
            self.thinking += part["text"] if part.get("thought") else ""
            self.text += "" if part.get("thought") else part["text"]
        elif "functionCall" in part:
            self.call(part["functionCall"])
        else:
            self.rest.append(part)

    def call(self, call):
        if "name" in call:
            self.calls.append((call["name"], flat(call.get("args", {}))))
        for partial in call.get("partialArgs", []):
            name = partial["jsonPath"].removeprefix("$.")
            value = next(partial[key] for key in partial if key.endswith("Value"))
            before = self.calls[-1][1].get(name)
            self.calls[-1][1][name] = before + value if isinstance(before, str) else value

    @property
    def ending(self):
        return "refused" if self.error else "finished" if self.reason is not None else "truncated"


def naive_stream(text):
    naive = Naive()
    text = text.replace("\r\n", "\n")
    if text.startswith("["):
        for response in json.loads(text):
            naive.response(response)
        return naive
    for event in text.split("\n\n"):
        if event.startswith("data:"):
            for line in event.rstrip("\n").split("\n"):
                naive.response(json.loads(line.removeprefix("data:")))
        elif event.startswith("{"):
            naive.response(json.loads(event))
    return naive
