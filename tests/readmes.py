"""The READMEs as a reader sees them: headings, links, commands, blocks of code."""

from __future__ import annotations

import re
import shlex
from functools import cached_property

FRONT = "README.md"
FOLDERS = ("devices", "runtime", "converter", "benchmarks", "tests")
READMES = (FRONT, *(f"{folder}/README.md" for folder in FOLDERS))

_FENCE = "```"


class Readme:
    """One of them, or a section of one."""

    def __init__(self, path, text=None):
        self.path = path
        self.text = path.read_text("utf-8") if text is None else text

    @cached_property
    def _lines(self):
        """Pairs of a line and the language of the code that it belongs to, or None."""
        pairs, language = [], None
        for line in self.text.splitlines():
            if line.startswith(_FENCE):
                language = line[len(_FENCE) :] if language is None else None
            else:
                pairs.append((line, language))
        assert language is None, f"{self.path}: a block of code has no end"
        return pairs

    @cached_property
    def prose(self):
        """The text without blocks of code."""
        return "\n".join(line for line, language in self._lines if language is None)

    @cached_property
    def titles(self):
        return re.findall(r"^#+ (.*)$", self.prose, re.MULTILINE)

    @cached_property
    def anchors(self):
        """What GitHub makes of the headings."""
        plain = (re.sub(r"[^\w\- ]", "", title.lower()) for title in self.titles)
        return [title.replace(" ", "-") for title in plain]

    @property
    def links(self):
        """The targets of links and pictures."""
        return re.findall(r"\]\(([^)\s]+)\)", self.prose)

    def section(self, title):
        """Return what is under a heading, the headings below it included."""
        body, level, language = [], None, None
        for line in self.text.splitlines():
            if line.startswith(_FENCE):
                language = None if language else _FENCE
            heading = None if language else re.match(r"(#+) (.*)", line)
            if level is None:
                level = len(heading[1]) if heading and heading[2] == title else None
            elif heading and len(heading[1]) <= level:
                break
            else:
                body.append(line)
        assert level is not None, f"{self.path} has no section {title!r}"
        return Readme(self.path, "\n".join(body))

    def blocks(self, language):
        """Return the blocks of code in a language."""
        return [code for _, code in self.titled_blocks(language)]

    def titled_blocks(self, language):
        """Return the nearest heading above each block in a language, and its code."""
        found, title, code = [], None, None
        for line in self.text.splitlines():
            if line == f"{_FENCE}{language}":
                code = []
            elif line == _FENCE and code is not None:
                found.append((title, "\n".join([*code, ""])))
                code = None
            elif code is not None:
                code.append(line)
            elif line.startswith("#"):
                title = line.lstrip("# ")
        return found

    def table(self, *columns):
        """Return the rows of the table with these columns, as tuples of text."""
        rows = [
            tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line[1:-1]))
            for line in self.prose.splitlines()
            if line.startswith("|")
        ]
        start = rows.index(columns) + 2
        body = rows[start:]
        end = next((i for i, row in enumerate(body) if len(row) != len(columns)), None)
        return body[:end]

    @property
    def commands(self):
        """Return the calls of edgeseg in blocks, without comments."""
        found = []
        for block in self.blocks("sh"):
            for line in block.replace("\\\n", " ").splitlines():
                calls = re.split(r"\s#|&&", line)
                found += [call.strip() for call in calls if _is_call(call.strip())]
        return found

    @property
    def mentions(self):
        """Return the calls of edgeseg that stand in the text between back quotes."""
        quoted = re.findall(r"`(edgeseg [^`]+)`", self.prose)
        return [" ".join(call.split()) for call in quoted]


def _is_call(text):
    return text.startswith("edgeseg ")


def words(line):
    """Return what edgeseg gets of a line: nothing of what the shell takes."""
    found = shlex.split(line, comments=True)
    ends = [index for index, word in enumerate(found) if word in ("|", ">", ">>")]
    return found[1 : min(ends, default=None)]
