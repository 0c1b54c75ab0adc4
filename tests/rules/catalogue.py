"""Lists of what must hold: each row names tests that show it, and those tests exist."""
import collections
import os
import re

from rules import line_of, without_comments

# `sections`: how many rows each letter has; the lists are closed. `may_be_left_out`: rows that need no test.
List = collections.namedtuple("List", "path sections may_be_left_out")

# How the ancestor failed. A bug of our own gets a test, not a row. What may be left out belongs to a desktop program,
# a survey or a way of packaging that we do not have.
BUGS = List("tests/bug_catalogue.md",
            {"A": 12, "B": 16, "C": 10, "D": 8, "E": 5, "F": 10, "G": 7, "H": 5, "I": 7, "J": 7, "K": 5, "L": 6},
            {"A12", "B13", "J1", "J2", "J4", "J6", "K2"})
# What was asked of this system when it was begun.
FOUNDING = List("tests/founding.md", {"P": 6, "F": 7, "S": 10, "M": 6, "T": 6, "G": 5, "L": 17, "R": 5}, set())
LEFT_OUT = "left out:"


def bug_catalogue(tree):
    """The bug catalogue is complete, and every test that it names exists."""
    return check_list(tree, BUGS)


def founding_list(tree):
    """The list of what was asked at first is complete, and every test that it names exists."""
    return check_list(tree, FOUNDING)


ALL = [bug_catalogue, founding_list]


def ids_of(wanted):
    return [f"{letter}{number}" for letter, count in wanted.sections.items() for number in range(1, count + 1)]


def check_list(tree, wanted):
    text = tree.get(wanted.path)
    if text is None:
        yield wanted.path, 0, "does not exist"
        return
    ids, seen = ids_of(wanted), set()
    for match in re.finditer(r"^\| *([A-Z]\d+) *\|([^|\n]*)\|([^|\n]*)\|$", text, re.MULTILINE):
        row, line = match[1], line_of(text, match.start())
        if row in seen or row not in ids:
            yield wanted.path, line, f"{row} is " + ("there twice" if row in seen else "no row of the list")
        seen.add(row)
        for problem in problems_of(tree, match[2].strip(), match[3].strip(), row in wanted.may_be_left_out):
            yield wanted.path, line, f"{row}: {problem}"
    for row in ids:
        if row not in seen:
            yield wanted.path, 0, f"{row} has no row of three cells"


def problems_of(tree, invariant, shown_by, may_be_left_out):
    if not invariant:
        yield "does not say what must hold"
    if shown_by.startswith(LEFT_OUT):
        if not may_be_left_out:
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
            exists = tests_of(path, tree)
            yield from (f'{path} has no test "{name}"' for name in names if not exists(name))


def named_tests(cell):
    """(path, names): a file in backquotes, and the names that follow it up to the next file."""
    files = list(re.finditer(r"`(tests/[^`]+)`", cell))
    ends = [file.start() for file in files[1:]] + [len(cell)]
    for file, end in zip(files, ends):
        words = r"\b[A-Z]\w*\.[A-Z]\w*" if file[1].endswith(".cc") else r"\b[a-z]+(?:_[a-z]+)+\b" if file[1].endswith(".py") else r'"([^"]+)"'
        yield file[1], re.findall(words, cell[file.end():end])


def tests_of(path, tree):
    """A function that knows whether a file has a test of this name."""
    text = tree[path]
    if path.endswith(".cc"):
        found = {f"{suite}.{name}" for suite, name in
                 re.findall(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST)\(\s*(\w+),\s*(\w+)\s*\)", without_comments(text), re.MULTILINE)}
        return found.__contains__
    if path.endswith(".py"):
        return set(re.findall(r"^def (\w+)\(tree\)", text, re.MULTILINE)).__contains__
    titles = [pattern_of(title) for title in titles_of(text)]
    words = "\n".join([text, *imported_by(path, tree)])
    return lambda name: any(is_title(pattern, name, words) for pattern in titles)


def imported_by(path, tree):
    """The texts of the files of ours that it imports itself."""
    for name in re.findall(r"^import .* from '(\.[^']+)';$", tree[path], re.MULTILINE):
        yield tree.get(os.path.normpath(os.path.join(os.path.dirname(path), name)), "")


QUOTED = r"""(?:'((?:\\.|[^'\\\n])*)'|"((?:\\.|[^"\\\n])*)"|`((?:\\.|[^`\\])*)`)"""


def titles_of(text):
    """Titles as they are written. A test of a fault is called by the fault and what happens; a function may write the title."""
    for match in re.finditer(rf"^[ \t]*(?:test|describe)\(\s*{QUOTED}", text, re.MULTILINE):
        yield unescaped(match.groups())
    for match in re.finditer(rf"^[ \t]*faultTest\(\s*{QUOTED}, {QUOTED}", text, re.MULTILINE):
        yield f"{unescaped(match.groups()[:3])}: {unescaped(match.groups()[3:])}"
    for function in set(re.findall(r"^[ \t]*test\(([a-z]\w*)\(", text, re.MULTILINE)):
        for match in re.finditer(rf"^function {function}\([^)]*\) {{\n *return {QUOTED};\n", text, re.MULTILINE):
            yield unescaped(match.groups())


def unescaped(groups):
    return re.sub(r"\\(.)", r"\1", next(group for group in groups if group is not None))


def pattern_of(title):
    """What a template puts in may be anything; is_title() wants it to stand elsewhere in the file or in what it imports."""
    return re.compile("(.+?)".join(re.escape(part) for part in re.split(r"\$\{[^}]*\}", title)), re.DOTALL)


def is_title(pattern, name, words):
    match = pattern.fullmatch(name)
    return match is not None and all(re.search(rf"(?<!\w){re.escape(part)}(?!\w)", words) for part in match.groups())
