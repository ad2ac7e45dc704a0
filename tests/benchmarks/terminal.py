"""A terminal that understands the few words that the live view says, and nothing else: what it shows is a list of lines."""

import re

_TOKEN = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


class Terminal:
    """Lines as a person sees them; `hidden` says whether the cursor is. Fails on a sequence that it does not know."""

    def __init__(self, width):
        self.width, self.lines, self.row, self.column, self.hidden = width, [""], 0, 0, False
        self.colours = set()

    def feed(self, text):
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            assert found, f"unknown sequence {text[at : at + 10]!r}"
            at = found.end()
            argument, letter, control, words = found.groups()
            if letter:
                self._obey(argument, letter)
            elif control == "\r":
                self.column = 0
            elif control == "\n":
                self.row += 1
                self.lines += [""] * (self.row + 1 - len(self.lines))
            else:
                self._write(words)

    def _obey(self, argument, letter):
        if letter == "A":
            self.row -= int(argument)
            assert self.row >= 0, "it went above its first line"
        elif letter == "K":
            self.lines[self.row] = self.lines[self.row][: self.column]
        elif letter == "m":
            self.colours.add(argument)
        elif argument == "?25":
            self.hidden = letter == "l"
        else:
            raise AssertionError(f"unknown sequence {argument}{letter}")

    def _write(self, words):
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + words + line[self.column + len(words) :]
        self.column += len(words)
        assert self.column <= self.width, f"a line of {self.column} characters wraps in {self.width}"
