"""The exceptions that people meet.

Weather is no exception: a stream ends and its outcome says how.  What is raised is a wrong setting, a wrong use, or an outcome that
was asked to be a success and is none.
"""


class ActorsError(Exception):
    """What this package raises on purpose."""


class SettingError(ActorsError, ValueError):
    """A setting, an argument or a line of input is wrong; the sentence names it and says what to do."""


class StreamClosed(ActorsError):
    """A stream was used outside its `async with` block, or iterated by two tasks at once."""


class RecordingStopped(UserWarning):
    """A recording cannot be written any more: told once, and the streams go on; the sentence says which, why and what is in it."""
