#!/usr/bin/env python3
"""Reads our sources and reports what the house style forbids; first proves that it would find it.

    tests/rules/check.py [ROOT]     one line per rule; the last line counts them; exit code 1 on a violation
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # Nothing but results comes out of a check.

import catalogue
import planted
import rules
import waits


ALL = rules.ALL + waits.ALL + catalogue.ALL


def source_files(root):
    """Tracked and new files, without what .gitignore names."""
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=True).stdout.decode().split("\0")
    return sorted({path for path in listed if path and os.path.isfile(os.path.join(root, path))})


def read_tree(root, paths):
    """The text of each file; what is no text is there by its name only."""
    tree = {}
    for path in paths:
        if not rules.is_text(path):
            tree[path] = ""
            continue
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            tree[path] = file.read()
    return tree


def check_tree(tree):
    return [(rule.__name__, rule.__doc__.strip(), list(rule(tree))) for rule in ALL]


def check_format(root, paths):
    """clang-format finds nothing to change."""
    cpp = [path for path in paths if rules.is_cpp(path)]
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        return [("", 0, "clang-format is not installed")]
    if not cpp:
        return []
    result = subprocess.run([tool, "--dry-run", "-Werror", *cpp], cwd=root, capture_output=True, text=True)
    found = re.findall(r"^(\S+?):(\d+):\d+: error: (.*)$", result.stderr, re.MULTILINE)
    if result.returncode != 0 and not found:
        return [("", 0, result.stderr.strip())]
    return sorted({(path, int(line), message) for path, line, message in found})


def self_test():
    """Every planted violation is found by its rule and by no other; the clean tree is clean."""
    problems = []
    for name, _, found in check_tree(planted.CLEAN):
        problems += [("clean tree", 0, f"{name} reports {path}:{line} {text}") for path, line, text in found]
    for rule, path, text in planted.VIOLATIONS:
        hits = {name for name, _, found in check_tree({**planted.CLEAN, path: text})
                if any(hit[0] == path for hit in found)}
        if hits != {rule}:
            problems.append((path, 0, f"planted for {rule}, found by {sorted(hits) or 'none'}: {text!r}"))
    untested = {rule.__name__ for rule in ALL} - {rule for rule, _, _ in planted.VIOLATIONS}
    problems += [("planted.py", 0, f"nothing is planted for {name}") for name in sorted(untested)]
    return problems


def format_self_test():
    """clang-format objects to a file that is not formatted."""
    root = tempfile.mkdtemp(prefix="voicebridge-rules-")
    try:
        with open(os.path.join(root, ".clang-format"), "w", encoding="utf-8") as file:
            file.write("BasedOnStyle: Google\n")
        with open(os.path.join(root, "bad.cc"), "w", encoding="utf-8") as file:
            file.write("int  Bad( ){return 1 ;}\n")
        found = check_format(root, ["bad.cc"])
        return [] if found and found[0][0] == "bad.cc" else [("bad.cc", 0, "planted, but not found")]
    finally:
        shutil.rmtree(root)


def main():
    root = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../.."))
    paths = source_files(root)
    tree = read_tree(root, paths)
    results = check_tree(tree)
    results.append(("formatted", check_format.__doc__, check_format(root, paths)))
    results.append(("self_test", self_test.__doc__, self_test()))
    results.append(("format_self_test", format_self_test.__doc__, format_self_test()))
    failed = 0
    for name, meaning, found in results:
        print(f"{'FAIL' if found else 'ok  '} {name}: {meaning}")
        failed += bool(found)
        for path, line, text in found[:50]:
            print(f"     {path}:{line}: {text}")
        if len(found) > 50:
            print(f"     and {len(found) - 50} more")
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
