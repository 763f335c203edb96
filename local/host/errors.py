"""What keeps the host from starting."""


class HostError(Exception):
    """The host cannot run this app as it is."""


class SettingError(HostError):
    """A setting in a file or the environment is missing, malformed or not known."""


class BindingError(HostError):
    """A function has a trigger or a binding that the host does not know, or one that makes no sense."""


class IndexingError(HostError):
    """The worker could not load the app."""
