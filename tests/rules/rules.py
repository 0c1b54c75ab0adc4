"""The rules. Each takes {path: text} and yields (path, line, message)."""
import os
import re

# Which folder may include which; a folder may always include itself, and what is listed for a prefix holds
# for all below it. `voicebridge/v1` are the generated messages.
MESSAGES = "voicebridge/v1"
BASE = ["common/core", "common/async", MESSAGES]
MAY_INCLUDE = {
    "common/core": ["common/json", MESSAGES],  # JSON as a value type: snapshots are cut by its rules.
    "common/json": ["common/core"],
    "common/async": ["common/core"],
    "common/websocket": BASE + ["common/http"],
    "common/http": BASE + ["common/websocket", "common/json"],
    "common/rpc": BASE,
    "common/process": BASE,
    "common/observability": BASE + ["common/http", "common/json"],
    "common/config": BASE + ["common/json", "common/process"],
    "common/admin": BASE + ["common/drain", "common/rpc"],
    "common/runtime": BASE + ["common/rpc"],
    # What the two composition roots share.
    "common/composition": ["common"],
    # The watchdog ends the process with one of our exit codes; the driver logs, and says what time is left.
    "common/drain": BASE + ["common/process", "common/observability", "common/rpc"],
    "gateway": ["common", "gateway", MESSAGES],
    "bridge_worker": ["common", "bridge_worker", MESSAGES],
    "deploy/ctl": ["common", MESSAGES],
    "tests": ["common", "gateway", "bridge_worker", "deploy", "tests", MESSAGES],
}

# Protocol logic without I/O: no event loop, no sockets, no RPC, no logging.
PURE = re.compile(
    r"^(bridge_worker/conversation/|bridge_worker/interview/(assessment|assessment_update|report_schema|schema_node|spoken_summary|report_check)\.|gateway/relay/session_relay|gateway/workers/worker_directory|"
    r"gateway/client/(client_protocol|audio_frame|admission_ledger|ip_address|trusted_proxies|refusal)\.|common/observability/(log_budget|trace_context)\.|"
    r"bridge_worker/upstream/realtime_protocol|common/drain/drain_(plan|machine)|common/core/)")
PURE_PROJECT = ["common/core", "common/json", MESSAGES]
IO_LIBRARIES = re.compile(r"^(boost/(asio|beast)|grpc|spdlog|prometheus|sys/|unistd\.h|thread|mutex)")

# Who knows shards: the compositions, and the shells that run a session or open calls on a shard. All else
# sees an executor, a stream, a connection.
RUNTIME_USERS = re.compile(
    r"^(common/(runtime|composition)/|tests/|gateway/(gateway|main)\.|bridge_worker/(worker|main)\.|"
    r"gateway/(http/gateway_service|relay/relay_driver|workers/worker_(discovery|drains|link|watch))\.|"
    r"bridge_worker/session/(bridge_service|session_driver|session_teardown)\.)")

# Dates that people or other hosts read: log lines, the expiry of secrets.
WALL_CLOCK_USERS = r"^(common/observability/log|common/drain/watchdog|gateway/http/gateway_service|common/core/wall_clock)\."

# Words that do not appear in code, the files in which they may, and why not elsewhere.
FORBIDDEN_WORDS = [
    (r"\bdetached\b", r"^$", "every task has an owner: spawn it into a TaskGroup"),
    (r"\bsystem_clock\s*::\s*now\b", WALL_CLOCK_USERS, "clocks are monotonic and passed in"),
    (r"\bsleep_(for|until)\b", r"^common/runtime/shard\.cc$", "wait for an event with a deadline"),
    (r"\bsteady_timer\b", r"^common/async/", "Clock::SleepUntil is the one way to wait for time"),
]
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
FILE_LINES_MAX = 500


def is_cpp(path):
    return path.endswith((".h", ".cc"))


def is_text(path):
    return path.endswith((".h", ".cc", ".proto", ".mjs", ".js", ".json", ".py", ".sh", ".txt", ".md", ".yml", ".yaml")) \
        or os.path.basename(path) in ("run", "demo", "install-deps", "stop")


def include_directions(tree):
    """A folder includes only what stands below it."""
    for path, line, quoted, name in includes(tree):
        if quoted and not any(covers(prefix, name) for prefix in allowed_for(path)):
            yield path, line, f"may not include {name}"


def pure_files(tree):
    """Protocol logic includes no I/O library and no shell."""
    for path, line, quoted, name in includes(tree):
        if not PURE.match(path):
            continue
        if quoted:
            if not any(covers(prefix, name) for prefix in PURE_PROJECT + [os.path.dirname(path)]) \
                    and not PURE.match(name):
                yield path, line, f"is pure and may not include {name}"
        elif IO_LIBRARIES.match(name):
            yield path, line, f"is pure and may not include <{name}>"


def runtime_users(tree):
    """Only compositions, the shells of sessions and tests know the runtime."""
    for path, line, quoted, name in includes(tree):
        if quoted and covers("common/runtime", name) and not RUNTIME_USERS.match(path):
            yield path, line, f"may not include {name}"


def proto_imports(tree):
    """proto/ imports only its own package and Google's types."""
    for path, text in tree.items():
        if path.endswith(".proto"):
            for match in re.finditer(r'^import\s+(?:public\s+)?"([^"]+)"', text, re.MULTILINE):
                if not match[1].startswith((MESSAGES + "/", "google/protobuf/")):
                    yield path, line_of(text, match.start()), f"may not import {match[1]}"


def forbidden_words(tree):
    """No detached tasks, wall clocks, sleeps, stray timers."""
    for path, code in code_of(tree):
        for word, where, why in FORBIDDEN_WORDS:
            if not re.match(where, path):
                for match in re.finditer(word, code):
                    yield path, line_of(code, match.start()), f"{match[0]}: {why}"


def unfinished_work(tree):
    """Nothing is marked as to be done later."""
    for path, text in tree.items():
        if path.startswith("tests/rules/") or path.endswith((".md", "-lock.json")):
            continue
        for match in UNFINISHED.finditer(text):
            yield path, line_of(text, match.start()), f"{match[0]}: finish it or file an issue"


def lambda_coroutines(tree):
    """No lambda is a coroutine: its captures die before it does."""
    for path, code in code_of(tree):
        for start, body in lambda_bodies(code):
            if re.search(r"\bco_(await|return|yield)\b", body):
                yield path, line_of(code, start), "name the coroutine as a function"


def awaited_conditions(tree):
    """No co_await stands in a condition: GCC 12.2 may lay out that coroutine's frame wrongly."""
    for path, code in code_of(tree):
        for match in re.finditer(r"\b(?:if|while|switch)\s*\([^;{}]*\bco_await\b", code):
            yield path, line_of(code, match.start()), "name what is awaited, then test it"


def pragma_once(tree):
    """Every header begins with #pragma once."""
    for path, code in code_of(tree):
        if path.endswith(".h"):
            directive = re.search(r"^\s*#.*$", code, re.MULTILINE)
            if directive is None or directive[0].split() != ["#pragma", "once"]:
                yield path, 1, "its first directive is not #pragma once"


def file_length(tree):
    """No file is longer than 500 lines."""
    for path, text in tree.items():
        lines = text.count("\n")
        if lines > FILE_LINES_MAX and not path.endswith(("-lock.json", ".md")):
            yield path, lines, f"{lines} lines"


def portable_lock_file(tree):
    """Lock files name no registry host."""
    for path, text in tree.items():
        if path.endswith("package-lock.json"):
            for match in re.finditer(r'"resolved"\s*:', text):
                yield path, line_of(text, match.start()), "generate it with --omit-lockfile-registry-resolved"


SECRETS = [
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\b(?:sk|ek)[-_](?:proj-)?[A-Za-z0-9]{24,}"), "a key of the OpenAI API, or what looks like one"),
    (re.compile(r"\b[\w.+-]+@(?!(?:[\w-]+\.)*example\b)[\w-]+\.[a-z]{2,}\b"), "an address of a person"),
]
KEPT_ELSEWHERE = re.compile(r"(^|/)\.env$|\.(pem|key|p12|db|sqlite3?|db-wal|log|wav|mp3)$")


def nothing_private(tree):
    """Neither secrets nor what people said are in the repository."""
    for path, text in tree.items():
        if KEPT_ELSEWHERE.search(path):
            yield path, 1, "keys, databases, logs and recordings are made where they are used"
        for pattern, what in SECRETS:
            for match in pattern.finditer(text):
                yield path, line_of(text, match.start()), f"{what} ({len(match[0])} characters)"


ALL = [include_directions, pure_files, runtime_users, proto_imports, forbidden_words, unfinished_work,
       lambda_coroutines, awaited_conditions, pragma_once, file_length, portable_lock_file, nothing_private]


# --- reading C++ ---------------------------------------------------------------------------------


def includes(tree):
    for path, text in tree.items():
        if is_cpp(path):
            for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', text, re.MULTILINE):
                yield path, line_of(text, match.start()), match[1] == '"', match[2]


def allowed_for(path):
    folder = os.path.dirname(path)
    for prefix in sorted(MAY_INCLUDE, key=len, reverse=True):
        if folder == prefix or folder.startswith(prefix + "/"):
            return MAY_INCLUDE[prefix] + [prefix]
    return []


def covers(prefix, name):
    return name.startswith(prefix + "/")


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def code_of(tree):
    for path, text in tree.items():
        if is_cpp(path):
            yield path, without_comments(text)


TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^\s()\\]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)


def without_comments(text):
    """Comments and literals blanked, line breaks kept; include lines keep their names."""
    def blank(match):
        token = match[0]
        start = text.rfind("\n", 0, match.start()) + 1
        if token.startswith('"') and text[start:match.start()].lstrip().startswith("#"):
            return token
        return re.sub(r"[^\n]", " ", token)
    return TOKEN.sub(blank, text)


def lambda_bodies(code):
    """(start, body) of every lambda: `[...]`, an optional parameter list, specifiers, `{...}`."""
    for match in re.finditer(r"\[", code):
        before = code[:match.start()].rstrip()[-1:]
        if before and (before.isalnum() or before in "_)]"):
            if not re.search(r"\b(return|co_return|co_await|co_yield|case)$", code[:match.start()].rstrip()):
                continue  # A subscript or an array.
        end = matching(code, match.start(), "[", "]")
        if end is None or code[match.start():match.start() + 2] == "[[":
            continue
        at = end + 1
        head = re.compile(r"\s*(<[^{};]*?>)?\s*").match(code, at)
        at = head.end()
        if code[at:at + 1] == "(":
            close = matching(code, at, "(", ")")
            if close is None:
                continue
            at = close + 1
        tail = re.compile(r"[^{};,)\]]*").match(code, at)
        at = tail.end()
        if code[at:at + 1] != "{":
            continue
        close = matching(code, at, "{", "}")
        if close is not None:
            yield match.start(), code[at:close]


def matching(code, at, opening, closing):
    depth = 0
    for i in range(at, len(code)):
        if code[i] == opening:
            depth += 1
        elif code[i] == closing:
            depth -= 1
            if depth == 0:
                return i
    return None
