"""What a command says when it cannot do its job.

CommandError       the job failed or fell short: exit code 1
WrongCallError     the call cannot be meant: exit code 2
"""


class CommandError(Exception):
    """The job failed or fell short; one line that says what to do."""


class WrongCallError(Exception):
    """An argument cannot be meant; one line that says what could."""
