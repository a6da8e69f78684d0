"""A template section rendered to data, so that each value keeps its type. Called by `templates`; imports Jinja.

Jinja makes text, and text has no types. So the compiled section does not join what its expressions give into the
text: it hands over each piece with its line, an expression's value as it is. For YAML a placeholder stands in the
place of each value; after the YAML was read, a scalar that is one placeholder becomes the value, and a placeholder
with text around it becomes text. Nothing that a value holds is read as YAML or as a template.
"""

from __future__ import annotations

import functools
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context

from projects.core.configuration.data import described
from projects.core.configuration.document import Document, Place, parse_document
from projects.core.configuration.sections import Section
from projects.core.configuration.undefined import FILTERS, SILENT, Missing
from projects.core.configuration.view import View
from projects.core.values.errors import ConfigError, SecretMissing, TemplateError
from projects.core.values.nearest import did_you_mean

_METHODS = frozenset({"get", "items", "keys", "values"})
_VIEW = "the configuration"  # no name of a template: it holds a space
_PLACEHOLDER = re.compile(r"v[0-9a-f]{32}n\d+v")
_TOP_LEVEL = re.compile(r"'(\w+)' is undefined")
_UNBALANCED = re.compile(r"unknown tag 'end|end of template")
_WHOLE_BLOCKS = "a section holds whole blocks: {% if %} … {% endif %} stand inside of it, not around it"


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression gave."""

    content: Any


class _Generator(CodeGenerator):
    """Makes the compiled section give its pieces: the line with a text, or with the value of an expression."""

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802 - the node's name
        """Write one ``yield`` a piece; in macros and ``{% set %}`` blocks, where text is wanted, do as Jinja does."""
        if frame.buffer is not None:
            super().visit_Output(node, frame)
            return
        for child in node.nodes:
            if isinstance(child, nodes.TemplateData):
                self.writeline(f"yield {child.lineno}, {child.data!r}", child)
            else:
                self.writeline(f"yield {child.lineno}, environment.value(", child)
                self.visit(child, frame)
                self.write(")")

    def start_write(self, frame: Frame, node: nodes.Node | None = None) -> None:
        """Begin a piece that is no ``{{ }}``: a filter block or a call gives a value, a recursive loop gives text."""
        if frame.buffer is not None or node is None:
            super().start_write(frame, node)
            return
        self.writeline(f"yield {node.lineno}, {'str' if isinstance(node, nodes.For) else 'environment.value'}(", node)

    def end_write(self, frame: Frame) -> None:
        """End such a piece."""
        if frame.buffer is not None:
            super().end_write(frame)
        else:
            self.write(")")


class _Context(Context):
    """Looks names up in the configuration when they are used, after what the template set itself."""

    def resolve_or_missing(self, key: str) -> Any:
        if key not in self.vars and key in (view := self.parent[_VIEW]):
            return view[key]
        return super().resolve_or_missing(key)


class _Environment(jinja2.Environment):
    code_generator_class = _Generator
    context_class = _Context
    value = Value

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return what ``obj.attribute`` means: in a mapping its key first, so that a key may be called ``items``."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, View) and attribute not in _METHODS:
            return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return what ``obj[argument]`` means; an error in following a value is not taken for a missing key."""
        if isinstance(obj, View):
            return obj[argument] if argument in obj else self.undefined(obj=obj, name=str(argument))
        return super().getitem(obj, argument)


@functools.cache
def _environment() -> _Environment:
    environment = _Environment(undefined=Missing, keep_trailing_newline=True, autoescape=False)
    environment.filters |= FILTERS
    environment.policies["json.dumps_kwargs"] = {"default": _data}  # `tojson` of a View
    return environment


@functools.lru_cache(maxsize=256)
def _compiled(source: str, file: str) -> jinja2.Template:
    environment = _environment()
    return jinja2.Template.from_code(
        environment, environment.compile(source, file, file), environment.make_globals(None)
    )


def render(section: Section, configuration: View) -> dict[str, Any]:
    """Render a section; see `render_with_places`, whose first result this is."""
    return render_with_places(section, configuration)[0]


def render_with_places(section: Section, configuration: View) -> tuple[dict[str, Any], dict[str, Place]]:
    """Render a section, and tell where each of its arguments is written.

    Args:
      section: The section.
      configuration: What its expressions can name.

    Returns:
      The arguments, the private ones too, and the line of each.

    Raises:
      TemplateError: it cannot be rendered, or holds no arguments; names file, line, section and variable.
      SecretMissing: it uses a secret that is not there.
    """
    rendered = _Rendered.of(section, configuration)
    document = rendered.read(section)
    if len(document.data) > 1:
        names = ", ".join(map(str, document.data))
        raise _failed(section, section.place.line, f"expected one section once it is rendered, found {names}")
    body = rendered.filled(next(iter(document.data.values()), None), section)
    if body is not None and not isinstance(body, dict):
        raise _failed(section, section.place.line, f"expected arguments, found {described(body)}")
    values = {str(name): value for name, value in (body or {}).items()}
    written = ((path[-1], document.place(path)) for path in document.lines if len(path) == 2)  # noqa: PLR2004 - below the section
    return values, {str(name): place for name, place in written if place}


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A rendered section: text with placeholders, the value of each, and the template's line of each of its lines."""

    text: str
    values: Mapping[str, Any]
    lines: list[int]

    @staticmethod
    def of(section: Section, configuration: View) -> _Rendered:
        nonce = uuid.uuid4().hex
        values: dict[str, Any] = {}
        text = ""
        lines = [1]
        for line, piece in _pieces(section, configuration):
            written = piece if isinstance(piece, str) else f"v{nonce}n{len(values)}v"
            if isinstance(piece, Value):
                values[written] = piece.content
                written = "" if piece.content is SILENT else written
            if not text or text.endswith("\n"):
                lines[-1] = line
            lines += (line + number for number in range(1, written.count("\n") + 1))
            text += written
        return _Rendered(text, values, lines)

    def read(self, section: Section) -> Document:
        """Return the text as YAML."""
        try:
            return parse_document(self.text, section.place.file, lines=self.lines)
        except ConfigError as error:
            what = _PLACEHOLDER.sub("{{…}}", error.message)
            raise TemplateError(
                f"{_where(section)} is no YAML once it is rendered: {what}", place=error.place
            ) from error

    def filled(self, value: Any, section: Section) -> Any:
        """Return what was read with the values in the place of their placeholders."""
        if isinstance(value, str):
            whole = _PLACEHOLDER.fullmatch(value)
            return self.values[value] if whole else _PLACEHOLDER.sub(lambda found: str(self.values[found[0]]), value)
        if isinstance(value, list):
            return [self.filled(element, section) for element in value]
        if not isinstance(value, dict):
            return value
        data: dict[Any, Any] = {}
        for key, member in value.items():
            name = self.filled(key, section)
            if isinstance(name, dict | list) or name in data:
                found = described(name) if isinstance(name, dict | list) else f"{described(name)} twice"
                raise _failed(section, section.place.line, f"expected a name as the key of a mapping, found {found}")
            data[name] = self.filled(member, section)
        return data


def _pieces(section: Section, configuration: View) -> Iterator[tuple[int, str | Value]]:
    """Give the pieces of a section, values as plain data; every error in it with its line."""
    file = str(section.place.file)
    try:
        template = _compiled(section.source, file)
    except jinja2.TemplateSyntaxError as error:
        message = str(error.message)
        raise _failed(section, error.lineno, message, _WHOLE_BLOCKS if _UNBALANCED.search(message) else None) from error
    context = template.new_context({_VIEW: configuration})
    line: int | None = None
    pieces: Iterable[Any] = template.root_render_func(context)
    try:
        for line, piece in pieces:
            yield line, Value(_data(piece.content)) if isinstance(piece, Value) else piece
    except SecretMissing:
        raise
    except Exception as error:
        raise _explained(error, section, _line(error, template, file) or line, configuration) from error


def _data(content: Any) -> Any:
    """Return what an expression gave as data."""
    if isinstance(content, jinja2.Undefined):
        str(content)  # raises
    if content is None or content is SILENT or isinstance(content, bool | int | float):
        return content
    if isinstance(content, str):
        return str.__str__(content)
    if isinstance(content, View):
        return content.resolved()
    if isinstance(content, Mapping):
        return {key: _data(member) for key, member in content.items()}
    if isinstance(content, Iterable):
        return [_data(element) for element in content]
    raise TypeError(f"expected data, found {type(content).__name__}")


def _line(error: BaseException, template: jinja2.Template, file: str) -> int | None:
    """Return the template's line that an error passed through last."""
    line = None
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            line = template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line


def _explained(error: Exception, section: Section, line: int | None, configuration: View) -> TemplateError:
    if isinstance(error, ConfigError):
        return _failed(section, line, error.message, error.hint)
    if not isinstance(error, jinja2.TemplateError):
        return _failed(section, line, f"{type(error).__name__}: {error}")
    name = _TOP_LEVEL.fullmatch(str(error)) if isinstance(error, jinja2.UndefinedError) else None
    return _failed(section, line, str(error), did_you_mean(name[1], map(str, configuration)) if name else None)


def _failed(section: Section, line: int | None, what: str, hint: str | None = None) -> TemplateError:
    place = Place(section.place.file, line) if line else section.place
    return TemplateError(f"{_where(section)} cannot be rendered: {what}", hint=hint, place=str(place))


def _where(section: Section) -> str:
    return f"the section '{section.name}'"
