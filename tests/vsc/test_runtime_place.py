import os
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from vsc.runtime.errors import PortInUseError, UnavailableError
from vsc.runtime.place import ROOT_STATE, SOCKET_PATH_LIMIT, as_child, open_folder, socket_path, state_dir
from vsc.runtime.ports import LOOPBACK, PORT_RANGE, Ports, is_free

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers drop to another user")


def test_state_is_where_the_settings_say(open_state: Path) -> None:
    assert state_dir(open_state / "mine", checkout=Path("/elsewhere")) == open_state / "mine"


def test_state_is_in_the_checkout_by_default(open_state: Path) -> None:
    assert state_dir(checkout=open_state) == open_state / "var"


@as_root
def test_state_of_a_checkout_closed_to_others_lies_outside(open_state: Path) -> None:
    closed = open_state / "home"
    checkouts = [closed / "one", closed / "two"]
    for checkout in checkouts:
        checkout.mkdir(parents=True)
    closed.chmod(0o700)
    states = {state_dir(checkout=checkout) for checkout in checkouts}
    assert len(states) == 2
    assert {state.parent for state in states} == {ROOT_STATE}
    assert closed.stat().st_mode & 0o777 == 0o700


@as_root
def test_a_folder_that_servers_cannot_enter_is_refused(open_state: Path) -> None:
    open_state.chmod(0o700)
    with pytest.raises(UnavailableError, match="VSC_STATE_DIR"):
        open_folder(open_state / "state")
    assert open_state.stat().st_mode & 0o777 == 0o700


def test_new_folders_are_enterable_under_any_umask(open_state: Path) -> None:
    before = os.umask(0o077)
    try:
        made = open_folder(open_state / "a" / "b")
    finally:
        os.umask(before)
    assert [step.stat().st_mode & 0o777 for step in (made, made.parent)] == [0o755, 0o755]


@pytest.mark.parametrize("depth", [1, 30])
def test_socket_path_fits_whatever_the_state_folder(depth: int) -> None:
    state = Path("/var", *["folder"] * depth)
    assert len(os.fsencode(socket_path(state))) <= SOCKET_PATH_LIMIT


def test_child_dies_with_its_parent() -> None:
    child = shlex.join(as_child(["sleep", "60"], None, signal.SIGTERM))
    parent = subprocess.Popen(["sh", "-c", f"{child} & echo $!; wait"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    process = psutil.Process(int(parent.stdout.readline()))
    while process.name() != "sleep":
        time.sleep(0.01)
    parent.kill()
    parent.communicate()
    process.wait(5)


def test_fixed_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"port {port} for desk"):
            Ports(tmp_path / "ports.json").claim("desk", port)


def test_ports_are_remembered_while_free(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    port = Ports(file).claim("desk")
    assert port in PORT_RANGE
    assert is_free(port)
    assert Ports(file).claim("desk") == port
    with socket.create_server((LOOPBACK, port)):
        assert Ports(file).claim("desk") != port


def test_each_program_has_a_port_of_its_own(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    assert len({ports.claim(f"part{number}") for number in range(50)}) == 50
