"""What every command needs first: the settings, and where the parts of the stack are.

An address comes from the settings; what they leave open comes from the stack that runs here.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from config.clock import Clock, open_clock
from config.settings import Settings, load_settings
from vsc.runtime.errors import NotRunningError
from vsc.runtime.place import open_folder, state_dir
from vsc.runtime.ports import LOOPBACK
from vsc.runtime.programs import Addresses
from vsc.runtime.stack import Stack

if TYPE_CHECKING:
    from flows.jobs import Stack as JobStack


@dataclass(frozen=True)
class Context:
    """The settings of this command, and the stack it talks to."""

    settings: Settings

    @cached_property
    def state(self) -> Path:
        """The stack's folder, made if need be."""
        return open_folder(state_dir(self.settings.state_dir))

    @property
    def database_url(self) -> str:
        """Where the database is.

        Raises:
            NotRunningError: if no setting names one and no stack runs here; so do the properties below.
        """
        return self.settings.database_url or self._stack("VSC_DATABASE_URL").database_url

    @property
    def broker(self) -> tuple[str, int]:
        """Host and port of the broker."""
        if self.settings.mqtt_host:
            return self.settings.mqtt_host, self.settings.mqtt_port
        stack = self._stack("VSC_MQTT_HOST")
        return stack.mqtt_host, stack.mqtt_port

    @property
    def desk_url(self) -> str:
        """Base address of the booking desk."""
        return self.settings.desk_url or self._stack("VSC_DESK_URL").desk_url

    @cached_property
    def clock(self) -> Clock:
        """The stack's clock."""
        running = self._running
        return open_clock(running.clock if running else self.settings.clock, self.state)

    @property
    def rules(self) -> Path:
        """Folder of the rule files: unless the settings name one, that of the stack that runs here."""
        is_named = "rules" in self.settings.model_fields_set
        return self.settings.rules if is_named or self._running is None else Path(self._running.rules)

    @property
    def jobs(self) -> "JobStack":
        """What the fleet's jobs work on."""
        from flows.jobs import Stack as JobStack  # noqa: PLC0415  # half a second that `vsc --help` need not take

        return JobStack(self.database_url, self.desk_url, self.clock, self.console_url, self.rules)

    @property
    def console_url(self) -> str:
        """Base address of the engineers' pages; empty if none is known."""
        if self._running:
            return self._running.console_url
        port = self.settings.console_port
        return f"http://{LOOPBACK}:{port}" if port else ""

    @cached_property
    def _running(self) -> Addresses | None:
        return Stack(self.settings).addresses()

    def _stack(self, setting: str) -> Addresses:
        if self._running is None:
            raise NotRunningError(f"no stack is running here: start one with `vsc up`, or set {setting}")
        return self._running


def load_context() -> Context:
    """The context of this process, from the environment."""
    return Context(load_settings())
