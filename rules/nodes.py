"""A rule file as plain values that still know the lines they stand on."""

from typing import Any, Final

import yaml

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Some ten times as fast where PyYAML was built with libyaml."""


class Table(dict[str, Any]):
    """A YAML mapping that knows where its keys stand."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}

    def line_of(self, key: str) -> int:
        """The line of a key, or of the table if the key is not there."""
        return self.lines.get(key, self.line)


class SyntaxMistakeError(Exception):
    """The text is not the YAML that rule files are written in; the message says why."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


def parse(text: str) -> Any:
    """The document's values; mappings are `Table`s.

    Raises:
        SyntaxMistakeError: if it is not one YAML document, or has a key twice or an alias.
    """
    try:
        _refuse_aliases(text)
        loader = _LOADER(text)
        node = loader.get_single_node()
        return None if node is None else _value(loader, node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SyntaxMistakeError(mark.line + 1 if mark else 1, str(error.problem or error.context)) from None
    except yaml.YAMLError as error:
        raise SyntaxMistakeError(1, " ".join(str(error).split())) from None
    except RecursionError:
        raise SyntaxMistakeError(1, "nested too deeply") from None


def _refuse_aliases(text: str) -> None:
    """A short file with aliases can stand for one of any size, so none is followed."""
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent) and event.start_mark:
            raise SyntaxMistakeError(event.start_mark.line + 1, "an alias: write the value out")


def _value(loader: Any, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _table(loader, node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item) for item in node.value]
    try:
        return loader.construct_object(node)
    except ValueError as error:
        raise yaml.MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from None


def _table(loader: Any, node: yaml.MappingNode) -> Table:
    table = Table(node.start_mark.line + 1)
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in table:
            raise yaml.MarkedYAMLError(problem=f"{key} stands twice", problem_mark=key_node.start_mark)
        table.lines[key] = key_node.start_mark.line + 1
        table[key] = _value(loader, value_node)
    return table
