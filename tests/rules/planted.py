"""What the rules must find, and a tree in which they must find nothing."""
from catalogue import BUGS, FOUNDING, LEFT_OUT, ids_of

SHOWN = ("`tests/unit/gateway/relay_test.cc` Relay.Turns and Relay.Ends; `tests/process/a.test.mjs` \"it's a turn; and more\", \"drop: 5 of it\", "
         "\"a fault: told\", \"asleep; 5 times\"; `tests/rules/rules.py` file_length")


def row_of(row, shown_by=SHOWN, what="it holds"):
    return f"| {row} | {what} | {shown_by} |\n"


# A list with these rows changed.
def list_of(wanted, rows=None):
    written = {row: row_of(row) for row in ids_of(wanted)}
    return "# Of rows\n\n| id | what | shown by |\n|---|---|---|\n" + "".join({**written, **(rows or {})}.values())


# Each way in which a list can be wrong.
def broken(wanted):
    first, second = ids_of(wanted)[:2]
    yield list_of(wanted, {second: ""})
    yield list_of(wanted, {second: row_of(first)})
    yield list_of(wanted) + row_of(f"{first[0]}99")
    yield list_of(wanted, {first: row_of(first, what="")})
    for shown_by in [
        f"{LEFT_OUT} nobody likes it", "believe me", "`tests/unit/gateway/relay_test.cc` does", "`tests/unit/gateway/relay_test.cc` Relay.Sings",
        "`tests/unit/gateway/other_test.cc` Relay.Turns", '`tests/process/a.test.mjs` "nothing"', '`tests/process/a.test.mjs` "drop: 6 of it"',
        '`tests/process/a.test.mjs` "another fault: told"', '`tests/process/a.test.mjs` "awake; 5 times"', "`tests/rules/rules.py` file_width",
    ]:
        yield list_of(wanted, {first: row_of(first, shown_by)})


CLEAN = {
    "proto/voicebridge/v1/a.proto": 'import "google/protobuf/duration.proto";\nimport "voicebridge/v1/b.proto";\n',
    "common/core/deadline.h": "// A deadline.\n#pragma once\n\n#include \"common/core/time.h\"\n",
    "common/rpc/stream.h":
        '#pragma once\n\n// Awaitable<bool> Bare() is only spoken of.\n#include "common/core/deadline.h"\n'
        "template <class T>\nclass Stream : Base<T> {\n public:\n  struct Core {\n    T value;\n  };\n"
        "  Awaitable<std::map<int, T>> Write(T message,\n                                    Deadline deadline) {\n    Awaitable<void> later;\n  }\n"
        "  Awaitable<T*> ReadUntilStopped();\n  Awaitable<T> Next() override;\n"
        "  std::function<Awaitable<void>(int)> handler;\n  bool Spawn(Awaitable<void> task);\n\n"
        " private:\n  Awaitable<void> WaitUntilEmpty();\n};\n\n"
        "template <class T>\nAwaitable<bool> Stream<T>::Write(T message) {}\n",
    "common/rpc/completion.h": "#pragma once\nclass Operation {\n public:\n  Awaitable<bool> Wait();\n};\n",
    "common/async/clock.cc": '#include "common/core/time.h"\n#include <boost/asio/steady_timer.hpp>\nusing T = net::steady_timer;\n',
    "gateway/relay/relay_driver.cc":
        '#include "common/rpc/message_stream.h"\n#include "gateway/relay/session_relay.h"\n'
        "// Nothing here is detached; sleep_for is only spoken of.\n"
        'const char* kText = "system_clock::now() detached";\n'
        "Awaitable<void> Run() { co_await Wait(); }\n"
        "const auto is_even = [](int n) { return n % 2 == 0; };\n"
        "int Third(const std::vector<int>& list) { return list[3]; }\n",
    "gateway/gateway.cc": '#include "common/runtime/shard.h"\n',
    "bridge_worker/conversation/conversation.cc": '#include "bridge_worker/conversation/transcript.h"\n#include "common/json/json.h"\n',
    "tests/unit/gateway/relay_test.cc": '#include "gateway/relay/session_relay.h"\n#include "bridge_worker/conversation/conversation.h"\n'
                                        "TEST(Relay, Turns) {}\nTEST_F(Relay,\n       Ends) {}\n// TEST(Relay, Sings) {}\n",
    "tests/process/a.test.mjs": "test('it\\'s a turn; and more', () => {});\nfor (const n of [5]) {\n  test(`drop: ${n} of it`, () => {});\n}\n"
                                "faultTest('a fault', 'told', f);\n// test('nothing', () => {});\n"
                                "import {kStates} from './harness/states.mjs';\n"
                                "function titleOf({state, n}) {\n  return `${state}; ${n} times`;\n}\ntest(titleOf(cell), () => {});\n",
    "tests/process/harness/states.mjs": "export const kStates = ['asleep'];\n",
    "tests/rules/rules.py": "def file_length(tree):\n",
    BUGS.path: list_of(BUGS, {"J1": row_of("J1", f"{LEFT_OUT} there is no survey")}),
    FOUNDING.path: list_of(FOUNDING),
    "tests/package-lock.json": '{"packages": {"node_modules/ws": {"version": "8.0.0"}}}\n',
}

VIOLATIONS = [
    ("include_directions", "gateway/relay/a.cc", '#include "bridge_worker/conversation/conversation.h"\n'),
    ("include_directions", "bridge_worker/session/a.cc", '#include "gateway/client/auth.h"\n'),
    ("include_directions", "common/async/a.cc", '#include "common/rpc/client_stream.h"\n'),
    ("include_directions", "common/websocket/a.cc", '#include "gateway/client/auth.h"\n'),
    ("include_directions", "deploy/ctl/a.cc", '#include "gateway/client/auth.h"\n'),
    ("include_directions", "common/rpc/a.cc", '#include "tests/fakes/fake_clock.h"\n'),
    ("pure_files", "bridge_worker/conversation/a.cc", "#include <boost/asio/awaitable.hpp>\n"),
    ("pure_files", "gateway/relay/session_relay.h", "#pragma once\n#include <grpcpp/grpcpp.h>\n"),
    ("pure_files", "bridge_worker/upstream/realtime_protocol.cc", '#include "common/websocket/connection.h"\n'),
    ("runtime_users", "gateway/client/b.cc", '#include "common/runtime/shard.h"\n'),
    ("proto_imports", "proto/voicebridge/v1/c.proto", 'import "grpc/health/v1/health.proto";\n'),
    ("forbidden_words", "gateway/relay/c.cc", "void F() { co_spawn(e, G(), net::detached); }\n"),
    ("forbidden_words", "gateway/relay/d.cc", "auto now = std::chrono::system_clock::now();\n"),
    ("forbidden_words", "tests/unit/core/e.cc", "std::this_thread::sleep_for(10ms);\n"),
    ("forbidden_words", "bridge_worker/session/f.cc", "net::steady_timer timer(executor);\n"),
    ("unfinished_work", "common/rpc/g.cc", "// TODO: later\n"),
    ("unfinished_work", "tests/process/h.test.mjs", "// FIXME\n"),
    ("lambda_coroutines", "common/rpc/i.cc", "auto f = [this]() -> Awaitable<void> { co_await Read(); };\n"),
    ("lambda_coroutines", "common/rpc/j.cc", "Spawn([&stream] { return [] { co_return; }; });\n"),
    ("lambda_coroutines", "common/rpc/k.cc", "return [](int count) mutable -> Task {\n  if (count > 0) {\n    co_return;\n  }\n};\n"),
    ("awaited_conditions", "common/rpc/o.cc", "Task F() {\n  while (!done &&\n         !co_await IsCancelled()) {\n  }\n}\n"),
    ("pragma_once", "common/rpc/l.h", "#ifndef L_H\n#define L_H\n#endif\n"),
    ("pragma_once", "common/rpc/m.h", "// Only a comment: #pragma once\n"),
    ("file_length", "common/rpc/n.cc", "int n;\n" * 501),
    ("awaiting_primitives", "common/rpc/a.h", "#pragma once\nAwaitable<void> Connect(std::string host);\n"),
    ("awaiting_primitives", "common/rpc/b.h", "#pragma once\ntemplate <class T, class U>\nstruct A {\n  virtual Awaitable<int> Read() = 0;\n};\n"),
    ("awaiting_primitives", "common/rpc/c.h", "#pragma once\nclass A {\n  int Size();\n\n public:\n  Awaitable<int> Read() { co_return 1; }\n};\n"),
    ("awaiting_primitives", "common/rpc/d.h", "#pragma once\nAwaitable<void> Connect(Deadline deadline = Deadline::Never());\n"),
    ("awaiting_primitives", "common/rpc/e.h", "#pragma once\nclass A {\n public:\n  template <class T>\n  static Awaitable<std::optional<T>> Take(T DeadlineOf);\n};\n"),
    ("awaiting_primitives", "common/rpc/f.h", "#pragma once\nAwaitable<void> StopUntil(int n);\nAwaitable<void> UntilStoppedOrNot();\n"),
    ("awaiting_primitives", "common/rpc/completion.h", "#pragma once\nAwaitable<void> Wait(Deadline deadline);\n"),
    ("awaiting_primitives", "common/rpc/completion.h", "#pragma once\nAwaitable<void> Wait();\nAwaitable<void> WaitMore();\n"),
    ("awaits_made_elsewhere", "gateway/relay/e.cc", "Awaitable<void> F() { co_await timer.async_wait(token); }\n"),
    ("awaits_made_elsewhere", "bridge_worker/session/g.cc", "Awaitable<void> F() { co_await Post(kNoThrow); }\n"),
    ("nothing_private", "tests/data/key.txt", "-----BEGIN " + "PRIVATE KEY-----\nabc\n"),
    ("nothing_private", "gateway/p.cc", 'constexpr char kKey[] = "sk-' + "a1" * 20 + '";\n'),
    ("nothing_private", "README.md", "Ask somebody" + "@people.com.\n"),
    ("nothing_private", "deploy/server.pem", ""),
    ("nothing_private", "reports/store.db", ""),
    ("portable_lock_file", "tests/other/package-lock.json", '{"resolved": "https://registry.example/ws.tgz"}\n'),
]
VIOLATIONS += [("bug_catalogue", BUGS.path, text) for text in broken(BUGS)]
VIOLATIONS += [("founding_list", FOUNDING.path, text) for text in broken(FOUNDING)]
