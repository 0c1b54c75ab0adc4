"""No wait without a bound: what common/ offers to wait with takes the deadline, and it is the only one that offers it."""
import re

from rules import line_of, matching, without_comments

# Public functions that return an awaitable and take no Deadline. All else is bounded by an argument or named
# ...UntilStopped; whoever adds a line here says what bounds the wait instead.
BOUNDED_OTHERWISE = {
    "common/async/awaitable.h": ("it does not wait", ["IsCancelled"]),
    "common/async/event.h": ("the building block of the others, which bound it", ["WaitUntilNotified", "WaitUntil"]),
    "common/async/first_to_finish.h": ("lasts as long as the waits that it is handed", ["FirstToFinish"]),
    "common/async/mailbox.h": ("ends when its owner closes the mailbox", ["Pop"]),
    "common/async/teardown.h": ("bounded by TeardownLimits", ["Run"]),
    "common/http/http_client.h": ("the deadline of OpenHttp holds for the whole reply", ["Next"]),
    "common/http/http_message.h": ("an interface: each source has a bound of its own", ["Next"]),
    "common/http/http_server.h": ("an interface: each service has a bound of its own", ["Respond", "PrepareUpgrade", "Converse"]),
    "common/http/http_session.h": ("lasts as long as the connection, whose waits are bounded", ["ServeConnection"]),
    "common/http/request_reader.h": ("bounded by the connection's Bound", ["Read"]),
    "common/rpc/client_unary.h": ("the constructor takes the time, for the server as well", ["Run"]),
    "common/rpc/completion.h": ("gRPC gives every tag back; each call arms a guard for its deadline", ["Wait"]),
    "common/rpc/server_stream.h": ("a server waits for calls until it is shut down", ["WaitAccepted", "Accept"]),
    "common/rpc/server_unary.h": ("a server waits for calls until it is shut down", ["Accept"]),
    "common/runtime/session_index.h": ("a turn on another shard, which waits for nothing", ["Add", "Remove", "List"]),
    "common/websocket/upgradable_connection.h": (
        "Bound(Deadline) holds for all of them", ["HandshakeTls", "ReadSome", "WriteAll", "Finish", "AcceptWebSocket", "OpenWebSocket"]),
}
UNBOUNDED = re.compile(r"UntilStopped$")

# Who makes an awaitable out of something foreign: common/; the one in bridge_worker hops to the shard of its desk.
MAKERS = re.compile(r"^(common/|tests/|bridge_worker/interview/assessment_service\.cc$)")
MAKES = re.compile(r"\b(use_awaitable|kNoThrow|async_[a-z_]+(?=\s*\())")


def awaiting_primitives(tree):
    """What headers of common/ offer to wait with takes a Deadline without a default, says UntilStopped, or is a listed exception."""
    for path, text in tree.items():
        if not (path.startswith("common/") and path.endswith(".h")):
            continue
        code = without_comments(text)
        reason, names = BOUNDED_OTHERWISE.get(path, ("", []))
        assert not names or reason
        unseen = set(names)
        for name, parameters, position in public_awaitables(code):
            deadline = re.search(r"\bDeadline\b[^,]*", parameters)
            if deadline is not None and "=" in deadline[0]:
                yield path, line_of(code, position), f"{name}: its Deadline has a default"
            elif deadline is None and not UNBOUNDED.search(name):
                if name not in names:
                    yield path, line_of(code, position), f"{name} takes no Deadline"
                unseen.discard(name)
        for name in sorted(unseen):
            yield path, 1, f"{name} is a listed exception, but takes a Deadline or does not exist"


def awaits_made_elsewhere(tree):
    """Sockets, calls and timers are awaited through common/ only."""
    for path, text in tree.items():
        if path.endswith((".h", ".cc")) and not MAKERS.match(path):
            code = without_comments(text)
            for match in MAKES.finditer(code):
                yield path, line_of(code, match.start()), f"{match[0]}: common/ has what bounds it"


ALL = [awaiting_primitives, awaits_made_elsewhere]


# --- reading declarations ------------------------------------------------------------------------

SCOPE = re.compile(r"(?<!<)(?<!, )\b(?P<kind>class|struct)\s+\w+[^;{}()]*\{|(?P<open>\{)|(?P<close>\})|\b(?P<access>public|protected|private)\s*:(?!:)|(?P<found>\bAwaitable<)")


def public_awaitables(code):
    """(name, parameters, position) of each declaration, in the header's public part, of a function that returns an awaitable."""
    hidden = [False]  # By scope, innermost last. What overrides is declared where it comes from.
    for match in SCOPE.finditer(code):
        if match["kind"]:
            hidden.append(match["kind"] == "class")
        elif match["open"]:
            hidden.append(hidden[-1])
        elif match["close"]:
            hidden.pop()
        elif match["access"]:
            hidden[-1] = match["access"] != "public"
        elif not any(hidden):
            declared = declaration_at(code, match.end() - 1)
            if declared is not None:
                yield (*declared, match.start())


def declaration_at(code, angle):
    close = matching(code, angle, "<", ">")
    name = re.compile(r"\s*(\w+)\s*(?=\()").match(code, close + 1) if close is not None else None
    if name is None:
        return None  # A parameter, a variable, the definition of a member.
    end = matching(code, name.end(), "(", ")")
    if end is None or re.match(r"[\s\w]*\boverride\b", code[end + 1:]):
        return None
    return name[1], code[name.end() + 1:end]
