"""The one failure of this package that is shown to a person without a traceback."""


class LocalError(Exception):
    """Something a person can mend: the message says what and how."""
