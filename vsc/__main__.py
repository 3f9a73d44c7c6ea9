"""``python -m vsc`` is the command ``vsc``."""

from vsc.cli import main

main()
