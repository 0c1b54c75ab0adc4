// Files that change under a running process: what is taken, what is refused, and when.
#include "common/composition/reloader.h"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/async/manual_clock.h"
#include "common/composition/certificates.h"
#include "common/config/certificate_files.h"
#include "common/observability/metrics.h"
#include "tests/component/websocket/certificate.h"
#include "tests/fakes/recording_logger.h"

namespace voicebridge {
namespace {

using test::Certificate;
using test::MakeCertificate;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The time in which a change is noticed and has settled.
constexpr Duration kTwoLooks = 2 * Reloader::kInterval;

class ReloaderTest : public testing::Test {
 protected:
  ReloaderTest() { std::filesystem::create_directory(directory_); }
  ~ReloaderTest() override {
    tasks_.CancelAll();
    clock_.RunReady();
    std::filesystem::remove_all(directory_);
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
  }

  // Watches a file whose content is good if it begins with "good".
  void Watch(const std::string& name) {
    ConfigErrors errors;
    reloader_.Add({*ReadNamedFile("keys", directory_ / name, errors)},
                  [this](const std::vector<NamedFile>& files, ConfigErrors& problems) {
                    const std::string text = files.front().text.Reveal();
                    if (text.starts_with("good")) {
                      taken_.push_back(text);
                    } else {
                      problems.Add(files.front().flag, "expected good");
                    }
                  });
    reloader_.Start(tasks_);
    clock_.RunReady();
  }

  void Pass(Duration time) { clock_.Advance(time); }

  std::filesystem::path directory_ = testing::TempDir() + "voicebridge-reload-" +
                                     testing::UnitTest::GetInstance()->current_test_info()->name();
  net::io_context io_;
  ManualClock clock_{io_};
  LiveTasks live_;
  TaskGroup tasks_{io_.get_executor(), live_, [](std::string_view task, const std::string& what) {
                     ADD_FAILURE() << task << ": " << what;
                   }};
  RecordingLogger logger_;
  prometheus::Counter refused_;
  Reloader reloader_{clock_, refused_, logger_};
  std::vector<std::string> taken_;
};

TEST_F(ReloaderTest, TakesAChangeWithinASecondAndOnce) {
  Write("keys", "good 1");
  Watch("keys");
  Pass(seconds(5));
  EXPECT_THAT(taken_, IsEmpty()) << "it is in force already";
  Write("keys", "good 2");
  Pass(kTwoLooks);
  EXPECT_THAT(taken_, ElementsAre("good 2"));
  Pass(seconds(5));
  EXPECT_THAT(taken_, ElementsAre("good 2"));
  EXPECT_EQ(refused_.Value(), 0);
}

TEST_F(ReloaderTest, WaitsForAFileThatIsBeingWritten) {
  Write("keys", "good 1");
  Watch("keys");
  Write("keys", "goo");
  Pass(Reloader::kInterval);
  Write("keys", "good 2");
  Pass(kTwoLooks);
  EXPECT_THAT(taken_, ElementsAre("good 2"));
  EXPECT_THAT(logger_.lines(), IsEmpty()) << "the half was never tried";
}

TEST_F(ReloaderTest, SaysOnceWhatItDoesNotTakeAndWhy) {
  Write("keys", "good 1");
  Watch("keys");
  Write("keys", "bad");
  Pass(seconds(5));
  EXPECT_THAT(taken_, IsEmpty());
  EXPECT_THAT(logger_.lines(),
              ElementsAre(AllOf(HasSubstr("reload.refused"), HasSubstr("--keys: expected good"),
                                Not(HasSubstr("bad")))));
  EXPECT_EQ(refused_.Value(), 1);
  Write("keys", "good 3");
  Pass(kTwoLooks);
  EXPECT_THAT(taken_, ElementsAre("good 3"));
}

TEST_F(ReloaderTest, AFileThatHasGoneIsRefusedUntilItIsBack) {
  Write("keys", "good 1");
  Watch("keys");
  std::filesystem::remove(directory_ / "keys");
  Pass(seconds(5));
  EXPECT_THAT(logger_.lines(), ElementsAre(HasSubstr("--keys: cannot read")));
  Write("keys", "good 2");
  Pass(kTwoLooks);
  EXPECT_THAT(taken_, ElementsAre("good 2"));
}

TEST_F(ReloaderTest, FollowsALinkThatIsTurned) {
  for (const char* version : {"v1", "v2"}) {
    std::filesystem::create_directory(directory_ / version);
  }
  Write("v1/keys", "good 1");
  Write("v2/keys", "good 2");
  std::filesystem::create_symlink("v1", directory_ / "data");
  std::filesystem::create_symlink("data/keys", directory_ / "keys");
  Watch("keys");
  std::filesystem::create_symlink("v2", directory_ / "next");
  std::filesystem::rename(directory_ / "next", directory_ / "data");
  Pass(kTwoLooks);
  EXPECT_THAT(taken_, ElementsAre("good 2"));
}

TEST_F(ReloaderTest, APairIsTakenOnlyWhenItsHalvesBelongTogether) {
  const Certificate first = MakeCertificate("IP:127.0.0.1");
  const Certificate second = MakeCertificate("IP:127.0.0.1");
  Write("cert", first.pair.chain);
  Write("key", first.pair.key.Reveal());
  ConfigErrors errors;
  std::vector<NamedFile> files = {*ReadNamedFile("tls_cert", directory_ / "cert", errors),
                                  *ReadNamedFile("tls_key", directory_ / "key", errors)};
  reloader_.Add(files, [this](const std::vector<NamedFile>& now, ConfigErrors& problems) {
    if (const auto pair = ParseKeyPair(now, problems)) {
      taken_.push_back(pair->chain);
    }
  });
  reloader_.Start(tasks_);
  clock_.RunReady();
  Write("cert", second.pair.chain);
  Pass(seconds(3));
  EXPECT_THAT(taken_, IsEmpty());
  EXPECT_THAT(logger_.lines(),
              ElementsAre(HasSubstr("expected the private key of the certificate")));
  Write("key", second.pair.key.Reveal());
  Pass(kTwoLooks);
  EXPECT_THAT(taken_, ElementsAre(second.pair.chain));
}

TEST_F(ReloaderTest, HasNoTaskWithoutFiles) {
  reloader_.Start(tasks_);
  EXPECT_EQ(live_.total(), 0);
}

double SecondsLeft(const ProcessRegistry& registry) {
  for (const prometheus::MetricFamily& family : registry.Collect()) {
    if (family.name == "test_certificate_seconds_left") {
      return family.metric.front().gauge.value;
    }
  }
  return 0;
}

TEST(Certificates, SayHowLongTheyAreGoodFor) {
  ProcessRegistry registry;
  RecordingLogger logger;
  Certificates certificates(registry, "test", logger);
  certificates.InForce("certificate.loaded", "peer", {"CN=a", std::time(nullptr) + 1000});
  EXPECT_NEAR(SecondsLeft(registry), 1000, 30);
  certificates.InForce("certificate.reloaded", "peer", {"CN=b", 1'000'000'000});
  EXPECT_LT(SecondsLeft(registry), -1e8) << "it has expired";
  EXPECT_THAT(logger.lines(),
              ElementsAre(AllOf(HasSubstr("info"), HasSubstr("certificate.loaded"),
                                HasSubstr("listener=peer"), HasSubstr("CN=a")),
                          AllOf(HasSubstr("error"), HasSubstr("certificate.reloaded"),
                                HasSubstr("CN=b"), HasSubstr("2001-09-09T01:46:40"))));
}

}  // namespace
}  // namespace voicebridge
