"""Names and tags for children, one registry for a whole tree.

A name is one child's, a tag is shared. Both hold through restarts, so that a lookup during a backoff finds the child restarting and not
unknown; both are gone the moment the child has ended for good. There is no global registry.
"""

from supervisor.errors import NameTaken, UnknownName
from supervisor.runtime.ref import ChildRef


class Registry:
    """Children by name and by tag: `tree.registry`, the same object in every subtree."""

    __slots__ = ("_names", "_tags")

    def __init__(self) -> None:
        self._names: dict[str, ChildRef] = {}
        self._tags: dict[str, dict[ChildRef, None]] = {}

    def register(self, name: str, ref: ChildRef) -> None:
        """Call `ref` by `name` until it has ended for good.

        Raises:
            NameTaken: Another child has it.
        """
        holder = self._names.setdefault(name, ref)
        if holder != ref:
            raise NameTaken(name, holder.path)
        ref.on_end(lambda _: self.unregister(name, ref))

    def unregister(self, name: str, ref: ChildRef) -> None:
        """Free `name` if it is that of `ref`."""
        if self._names.get(name) == ref:
            del self._names[name]

    def whereis(self, name: str) -> ChildRef:
        """The child of that name.

        Raises:
            UnknownName: Nobody has it.
        """
        ref = self._names.get(name)
        if ref is None:
            raise UnknownName(name)
        return ref

    def tag(self, tag: str, ref: ChildRef) -> None:
        """Put `ref` among those that bear `tag`, until it has ended for good."""
        self._tags.setdefault(tag, {})[ref] = None
        ref.on_end(lambda _: self.untag(tag, ref))

    def untag(self, tag: str, ref: ChildRef) -> None:
        """Take `ref` out of those that bear `tag`."""
        bearers = self._tags.get(tag, {})
        bearers.pop(ref, None)
        if not bearers:
            self._tags.pop(tag, None)

    def tagged(self, tag: str) -> tuple[ChildRef, ...]:
        """The children that bear `tag`, in the order in which they got it."""
        return tuple(self._tags.get(tag, ()))
