"""tests/bug_catalogue.md names a test for each way in which the ancestor failed, and that test exists."""
import re

from rules import line_of, without_comments

PATH = "tests/bug_catalogue.md"
# Sections and how many rows each has. The list is closed: a bug of our own gets a test, not a row.
SECTIONS = {"A": 12, "B": 16, "C": 10, "D": 8, "E": 5, "F": 10, "G": 7, "H": 5, "I": 7, "J": 7, "K": 5, "L": 6}
IDS = [f"{letter}{number}" for letter, count in SECTIONS.items() for number in range(1, count + 1)]
# What belongs to a desktop program, a survey or a way of packaging that we do not have.
MAY_BE_LEFT_OUT = {"A12", "B13", "J1", "J2", "J4", "J6", "K2"}
LEFT_OUT = "left out:"


def bug_catalogue(tree):
    """The bug catalogue is complete, and every test that it names exists."""
    text = tree.get(PATH)
    if text is None:
        yield PATH, 0, "does not exist"
        return
    seen = set()
    for match in re.finditer(r"^\| *([A-Z]\d+) *\|([^|\n]*)\|([^|\n]*)\|$", text, re.MULTILINE):
        row, line = match[1], line_of(text, match.start())
        if row in seen or row not in IDS:
            yield PATH, line, f"{row} is " + ("there twice" if row in seen else "no row of the list")
        seen.add(row)
        for problem in problems_of(tree, row, match[2].strip(), match[3].strip()):
            yield PATH, line, f"{row}: {problem}"
    for row in IDS:
        if row not in seen:
            yield PATH, 0, f"{row} has no row of three cells"


def problems_of(tree, row, invariant, shown_by):
    if not invariant:
        yield "does not say what must hold"
    if shown_by.startswith(LEFT_OUT):
        if row not in MAY_BE_LEFT_OUT:
            yield "may not be left out"
        return
    named = list(named_tests(shown_by))
    if not named:
        yield "names no test"
    for path, names in named:
        if path not in tree:
            yield f"{path} does not exist"
        elif not names:
            yield f"no test of {path} is named"
        else:
            exists = tests_of(path, tree[path])
            yield from (f'{path} has no test "{name}"' for name in names if not exists(name))


def named_tests(cell):
    """(path, names): a file in backquotes, and the names that follow it up to the next file."""
    files = list(re.finditer(r"`(tests/[^`]+)`", cell))
    ends = [file.start() for file in files[1:]] + [len(cell)]
    for file, end in zip(files, ends):
        words = r"\b[A-Z]\w*\.[A-Z]\w*" if file[1].endswith(".cc") else r"\b[a-z]+(?:_[a-z]+)+\b" if file[1].endswith(".py") else r'"([^"]+)"'
        yield file[1], re.findall(words, cell[file.end():end])


def tests_of(path, text):
    """A function that knows whether a file has a test of this name."""
    if path.endswith(".cc"):
        found = {f"{suite}.{name}" for suite, name in
                 re.findall(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST)\(\s*(\w+),\s*(\w+)\s*\)", without_comments(text), re.MULTILINE)}
        return found.__contains__
    if path.endswith(".py"):
        return set(re.findall(r"^def (\w+)\(tree\)", text, re.MULTILINE)).__contains__
    titles = [pattern_of(title) for title in titles_of(text)]
    return lambda name: any(is_title(pattern, name, text) for pattern in titles)


QUOTED = r"""(?:'((?:\\.|[^'\\\n])*)'|"((?:\\.|[^"\\\n])*)"|`((?:\\.|[^`\\])*)`)"""


def titles_of(text):
    """Titles as they are written. A test of a fault is called by the fault and what happens."""
    for match in re.finditer(rf"^[ \t]*(?:test|describe)\(\s*{QUOTED}", text, re.MULTILINE):
        yield unescaped(match.groups())
    for match in re.finditer(rf"^[ \t]*faultTest\(\s*{QUOTED}, {QUOTED}", text, re.MULTILINE):
        yield f"{unescaped(match.groups()[:3])}: {unescaped(match.groups()[3:])}"


def unescaped(groups):
    return re.sub(r"\\(.)", r"\1", next(group for group in groups if group is not None))


def pattern_of(title):
    """What a template puts in may be anything; is_title() wants it to stand elsewhere in the file."""
    return re.compile("(.+?)".join(re.escape(part) for part in re.split(r"\$\{[^}]*\}", title)), re.DOTALL)


def is_title(pattern, name, text):
    match = pattern.fullmatch(name)
    return match is not None and all(re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text) for part in match.groups())
