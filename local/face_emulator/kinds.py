"""The three kinds of groups that can be trained, and how their responses differ."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of group, named as in the service's JSON: ``largePersonGroup``."""

    name: str
    noun: str
    # Recorded of v1.2-preview.1: person groups come from an older backend with other headers and finer points.
    older_backend: bool = False

    @property
    def path(self) -> str:
        """The path's first segment: ``largepersongroups``."""
        return f"{self.name.lower()}s"

    @property
    def id_field(self) -> str:
        """The field that holds a group's ID: ``largePersonGroupId``."""
        return f"{self.name}Id"

    @property
    def code(self) -> str:
        """What the kind's error codes begin with: ``LargePersonGroup``."""
        return self.name[0].upper() + self.name[1:]


KINDS = {
    kind.name: kind
    for kind in (
        Kind("personGroup", "Person group", older_backend=True),
        Kind("largePersonGroup", "Large person group"),
        Kind("largeFaceList", "Large face list"),
    )
}
