"""What can go wrong when servers are found, fetched, started and supervised.

StackError
├── UnavailableError      a server cannot be had on this machine
│   └── DownloadError     the private packages cannot be fetched; the next way is tried
├── ServerError           a program ended or did not answer in time
├── PortInUseError        a port fixed in the settings is taken
├── AlreadyRunningError   the stack of this state folder is running
└── NotRunningError       it is not

Each message is one line that says what to do.
"""


class StackError(Exception):
    """The local stack cannot do what was asked."""


class UnavailableError(StackError):
    """A server cannot be had on this machine."""


class DownloadError(UnavailableError):
    """The private packages cannot be fetched."""


class ServerError(StackError):
    """A program ended or did not answer in time."""


class PortInUseError(StackError):
    """A port fixed in the settings is taken."""


class AlreadyRunningError(StackError):
    """The stack of this state folder is running already."""


class NotRunningError(StackError):
    """The stack of this state folder is not running."""
