#include "deploy/ctl/arguments.h"

#include <gmock/gmock.h>

#include "common/core/status.h"

namespace voicebridge::ctl {
namespace {

using testing::HasSubstr;

const std::string kUrl = "ws://127.0.0.1:8080/v1/realtime";

absl::StatusOr<TalkOptions> Parse(std::vector<std::string> words, const std::string& key = "") {
  return ParseTalk(words, key);
}

TEST(ParseTalk, NeedsOnlyUrlAndFile) {
  const absl::StatusOr<TalkOptions> options = Parse({kUrl, "hello.wav"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->url.host, "127.0.0.1");
  EXPECT_EQ(options->url.port, "8080");
  EXPECT_EQ(options->url.target, "/v1/realtime");
  EXPECT_EQ(options->speech_path, "hello.wav");
  EXPECT_EQ(options->timeout, seconds(60));
  EXPECT_EQ(options->profile, "");
  EXPECT_EQ(options->out_path, "");
  EXPECT_TRUE(options->key.empty());
  EXPECT_FALSE(options->json);
  EXPECT_FALSE(options->realtime);
}

TEST(ParseTalk, TakesFlagsInBothFormsAndAnywhere) {
  const absl::StatusOr<TalkOptions> options =
      Parse({"--json", kUrl, "--profile", "interview", "hello.wav", "--out=a=b.wav", "--key=k",
             "--ca", "ca.pem", "--timeout=1500ms", "--realtime"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->profile, "interview");
  EXPECT_EQ(options->out_path, "a=b.wav");
  EXPECT_EQ(options->key.Reveal(), "k");
  EXPECT_EQ(options->ca_file, "ca.pem");
  EXPECT_EQ(options->timeout, milliseconds(1500));
  EXPECT_TRUE(options->json);
  EXPECT_TRUE(options->realtime);
}

TEST(ParseTalk, TheKeyOnTheLineWinsOverTheEnvironment) {
  EXPECT_EQ(Parse({kUrl, "a.wav"}, "environment")->key.Reveal(), "environment");
  EXPECT_EQ(Parse({kUrl, "a.wav", "--key=line"}, "environment")->key.Reveal(), "line");
  EXPECT_EQ(Parse({kUrl, "a.wav", "--key="}, "environment")->key.Reveal(), "");
}

TEST(ParseTalk, NamesTheWordThatIsWrong) {
  const auto problem = [](std::vector<std::string> words) {
    return Message(Parse(std::move(words)).status());
  };
  EXPECT_THAT(problem({}), HasSubstr("expected URL and FILE.wav"));
  EXPECT_THAT(problem({kUrl}), HasSubstr("expected URL and FILE.wav"));
  EXPECT_THAT(problem({kUrl, "a.wav", "b.wav"}), HasSubstr("expected URL and FILE.wav"));
  EXPECT_THAT(problem({"http://host/", "a.wav"}), HasSubstr("ws:// or wss://"));
  EXPECT_THAT(problem({"host:1", "a.wav"}), HasSubstr("URL"));
  EXPECT_THAT(problem({kUrl, "a.wav", "--speed=2"}), HasSubstr("unknown flag --speed"));
  EXPECT_THAT(problem({kUrl, "a.wav", "--out"}), HasSubstr("--out needs a value"));
  EXPECT_THAT(problem({kUrl, "a.wav", "--json=1"}), HasSubstr("--json takes no value"));
  for (const char* timeout : {"--timeout=60", "--timeout=0s", "--timeout=-1s", "--timeout=inf",
                              "--timeout=61m", "--timeout="}) {
    EXPECT_THAT(problem({kUrl, "a.wav", timeout}), HasSubstr("expected a duration")) << timeout;
  }
}

absl::StatusOr<AdminOptions> ParseAdminLine(const std::string& command,
                                            const std::vector<std::string>& words) {
  const std::optional<AdminCommand> known = AdminCommandOf(command);
  return known ? ParseAdmin(*known, words) : InvalidArgument("unknown command {}", command);
}

TEST(ParseAdmin, KnowsItsCommands) {
  const absl::StatusOr<AdminOptions> status = ParseAdminLine("status", {"localhost:9090"});
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->command, AdminCommand::kStatus);
  EXPECT_EQ(status->address, "localhost:9090");
  EXPECT_EQ(status->timeout, seconds(10));
  EXPECT_FALSE(status->json);
  EXPECT_EQ(ParseAdminLine("sessions", {"[::1]:1"})->command, AdminCommand::kSessions);
  EXPECT_EQ(ParseAdminLine("end-session", {"a:1", "sess_1"})->command, AdminCommand::kEndSession);
  const absl::StatusOr<AdminOptions> deletion = ParseAdminLine(
      "delete-session", {"--json", "127.0.0.1:9090", "--timeout", "500ms", "sess_1"});
  ASSERT_TRUE(deletion.ok()) << deletion.status();
  EXPECT_EQ(deletion->command, AdminCommand::kDeleteSession);
  EXPECT_EQ(deletion->session_id, "sess_1");
  EXPECT_EQ(deletion->timeout, milliseconds(500));
  EXPECT_TRUE(deletion->json);
  EXPECT_EQ(ParseAdminLine("undrain", {"a:1"})->command, AdminCommand::kUndrain);
  EXPECT_FALSE(AdminCommandOf("talk").has_value());
}

TEST(ParseAdmin, NamesTheWordThatIsWrong) {
  const auto problem = [](const std::string& command, const std::vector<std::string>& words) {
    return Message(ParseAdminLine(command, words).status());
  };
  EXPECT_THAT(problem("status", {}), HasSubstr("expected ADDR, got 0 words"));
  EXPECT_THAT(problem("status", {"a:1", "sess_1"}), HasSubstr("expected ADDR, got 2 words"));
  EXPECT_THAT(problem("end-session", {"a:1"}), HasSubstr("expected ADDR and ID"));
  EXPECT_THAT(problem("delete-session", {"here", "sess_1"}), HasSubstr("HOST:PORT"));
  EXPECT_THAT(problem("status", {"a:1", "--profile=x"}), HasSubstr("unknown flag --profile"));
  EXPECT_THAT(problem("status", {"a:1", "--timeout=2h"}), HasSubstr("expected a duration"));
}

TEST(ParseAdmin, SaysWhichFileOfTheThreeIsWrong) {
  for (const absl::Status& status :
       {ParseAdminLine("status", {"a:1", "--peer_cert=/nonexistent/a.pem", "--peer_ca", "/tmp"})
            .status(),
        ParseDrain({"a:1", "--peer_cert=/nonexistent/a.pem", "--peer_ca", "/tmp"}).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << "usage is not the matter";
    EXPECT_THAT(Message(status), HasSubstr("--peer_cert: cannot read \"/nonexistent/a.pem\""));
    EXPECT_THAT(Message(status), HasSubstr("--peer_key: missing"));
    EXPECT_THAT(Message(status), HasSubstr("--peer_ca: cannot read \"/tmp\""));
  }
  EXPECT_FALSE(ParseAdminLine("status", {"a:1"})->peer.has_value());
}

TEST(ParseDrain, NeedsOnlyAnAddress) {
  const absl::StatusOr<DrainOptions> options = ParseDrain({"localhost:9090"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->address, "localhost:9090");
  EXPECT_EQ(options->request.mode(), v1::DrainRequest::HANDOVER);
  EXPECT_EQ(options->request.scope(), v1::DrainRequest::SELF);
  EXPECT_EQ(options->request.then(), v1::DrainRequest::STAY);
  EXPECT_FALSE(options->request.has_budget()) << "the process's own";
  EXPECT_EQ(options->request.reason(), "");
  EXPECT_EQ(options->timeout, seconds(10));
  EXPECT_FALSE(options->json);
}

TEST(ParseDrain, TakesEveryFlag) {
  const absl::StatusOr<DrainOptions> options =
      ParseDrain({"--fleet", "--mode=finish", "a:1", "--exit", "--budget", "1500ms", "--json",
                  "--reason=an upgrade", "--timeout=2s"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->request.mode(), v1::DrainRequest::FINISH);
  EXPECT_EQ(options->request.scope(), v1::DrainRequest::FLEET);
  EXPECT_EQ(options->request.then(), v1::DrainRequest::EXIT);
  EXPECT_EQ(options->request.budget().seconds(), 1);
  EXPECT_EQ(options->request.budget().nanos(), 500'000'000);
  EXPECT_EQ(options->request.reason(), "an upgrade");
  EXPECT_EQ(options->timeout, seconds(2));
  EXPECT_TRUE(options->json);
}

TEST(ParseDrain, AFleetIsClosedUnlessAnotherModeIsNamed) {
  EXPECT_EQ(ParseDrain({"a:1", "--fleet"})->request.mode(), v1::DrainRequest::CLOSE);
  EXPECT_EQ(ParseDrain({"a:1", "--fleet", "--mode=handover"})->request.mode(),
            v1::DrainRequest::HANDOVER)
      << "which the server refuses, with its reason";
}

TEST(ParseDrain, NamesTheWordThatIsWrong) {
  const auto problem = [](const std::vector<std::string>& words) {
    return Message(ParseDrain(words).status());
  };
  EXPECT_THAT(problem({}), HasSubstr("expected ADDR, got 0 words"));
  EXPECT_THAT(problem({"a:1", "b:1"}), HasSubstr("expected ADDR, got 2 words"));
  EXPECT_THAT(problem({"nowhere"}), HasSubstr("HOST:PORT"));
  EXPECT_THAT(problem({"a:1", "--mode=soft"}), HasSubstr("handover, finish or close"));
  EXPECT_THAT(problem({"a:1", "--budget=3"}), HasSubstr("--budget=3: expected a duration"));
  EXPECT_THAT(problem({"a:1", "--budget=-1s"}), HasSubstr("expected a duration"));
  EXPECT_THAT(problem({"a:1", "--timeout=0s"}), HasSubstr("expected a duration"));
  EXPECT_THAT(problem({"a:1", "--exit=now"}), HasSubstr("--exit takes no value"));
  EXPECT_THAT(problem({"a:1", "--force"}), HasSubstr("unknown flag --force"));
}

}  // namespace
}  // namespace voicebridge::ctl
