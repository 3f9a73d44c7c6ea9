"""A rule file as plain values that still know where in the file they stand."""

import re
from dataclasses import dataclass
from typing import Any, Final

import yaml

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Some ten times as fast where PyYAML was built with libyaml."""
_BLOCK_HEADER: Final = re.compile(r"[|>][^\n]*\n")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a file; both count from 1."""

    line: int
    column: int


class Text(str):
    """A YAML text that knows its file's text and where in it it is written."""

    __slots__ = ("_file", "_index")
    _file: str
    _index: int

    @classmethod
    def at(cls, value: str, file: str, index: int) -> "Text":
        """The text that the file has at this index."""
        text = cls(value)
        text._file, text._index = file, index
        return text

    def place(self, offset: int) -> Place:
        """Where the character at this offset stands: as many words' characters into what is written there."""
        before = len("".join(self[:offset].split()))
        if before and not self[offset:].strip():
            last = self._index_after(before - 1)
            return place(self._file, last + 1)
        return place(self._file, self._index_after(before))

    def _index_after(self, left: int) -> int:
        """The index in the file of the character with so many before it, white space apart."""
        index = self._begin()
        while index < len(self._file) - 1 and (left or self._file[index].isspace()):
            left -= not self._file[index].isspace()
            index += 1
        return index

    def _begin(self) -> int:
        """Behind the quotation mark or the header of a block."""
        header = _BLOCK_HEADER.match(self._file, self._index)
        return header.end() if header else self._index + (self._file[self._index : self._index + 1] in {"'", '"'})


class Table(dict[str, Any]):
    """A YAML mapping that knows where its keys stand."""

    def __init__(self, at: Place) -> None:
        super().__init__()
        self.at = at
        self.places: dict[str, Place] = {}

    def place_of(self, key: str) -> Place:
        """Where a key stands, or the table if the key is not there."""
        return self.places.get(key, self.at)


class SyntaxMistakeError(Exception):
    """The text is not the YAML that rule files are written in; the message says why."""

    def __init__(self, at: Place, text: str) -> None:
        super().__init__(text)
        self.at = at


def place(text: str, index: int) -> Place:
    """Where the character at an index of a text stands."""
    return Place(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


def parse(text: str) -> Any:
    """The document's values; mappings are `Table`s, texts are `Text`s.

    Raises:
        SyntaxMistakeError: if it is not one YAML document, or has a key twice or an alias.
    """
    try:
        _refuse_aliases(text)
        loader = _LOADER(text)
        node = loader.get_single_node()
        return None if node is None else _value(loader, text, node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SyntaxMistakeError(_place(mark) if mark else Place(1, 1), str(error.problem or error.context)) from None
    except yaml.YAMLError as error:
        raise SyntaxMistakeError(Place(1, 1), " ".join(str(error).split())) from None
    except RecursionError:
        raise SyntaxMistakeError(Place(1, 1), "nested too deeply") from None


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _refuse_aliases(text: str) -> None:
    """A short file with aliases can stand for one of any size, so none is followed."""
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent) and event.start_mark:
            raise SyntaxMistakeError(_place(event.start_mark), "an alias: write the value out")


def _value(loader: Any, text: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _table(loader, text, node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, text, item) for item in node.value]
    try:
        value = loader.construct_object(node)
    except ValueError as error:
        raise yaml.MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from None
    return Text.at(value, text, node.start_mark.index) if isinstance(value, str) else value


def _table(loader: Any, text: str, node: yaml.MappingNode) -> Table:
    table = Table(_place(node.start_mark))
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in table:
            raise yaml.MarkedYAMLError(problem=f"{key} stands twice", problem_mark=key_node.start_mark)
        table.places[key] = _place(key_node.start_mark)
        table[key] = _value(loader, text, value_node)
    return table
