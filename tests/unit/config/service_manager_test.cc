// What a service manager hears, with a real socket in its place.
#include "common/process/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <string>

namespace voicebridge {
namespace {

constexpr Duration kPatience = seconds(5);

// A manager that listens at an address, and reads only when it is asked what it heard.
class Manager {
 public:
  explicit Manager(const std::string& address) : address_(address) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::copy(address.begin(), address.end(), name.sun_path);
    const bool abstract = address.front() == '@';
    if (abstract) {
      name.sun_path[0] = '\0';
    }
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size() +
                                               (abstract ? 0U : 1U));
    bound_ = bind(socket_, reinterpret_cast<const sockaddr*>(&name), length) == 0;
  }
  ~Manager() {
    close(socket_);
    if (address_.front() == '/') {
      unlink(address_.c_str());
    }
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  bool bound() const { return bound_; }

  // Empty: nothing.
  std::string Heard() {
    char text[256];
    const ssize_t size = recv(socket_, text, sizeof(text), MSG_DONTWAIT);
    return size < 0 ? "" : std::string(text, static_cast<std::size_t>(size));
  }

 private:
  const std::string address_;
  const int socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  bool bound_ = false;
};

std::string PathOf(const std::string& name) {
  return testing::TempDir() + name + "." + std::to_string(getpid());
}

TEST(ServiceManager, HearsEachMessageAtAPath) {
  Manager manager(PathOf("notify"));
  ASSERT_TRUE(manager.bound());
  const ServiceManager told(PathOf("notify"));
  EXPECT_TRUE(told.Tell("READY=1\nSTATUS=serving", kPatience).ok());
  EXPECT_TRUE(told.Tell("STOPPING=1", Duration::zero()).ok());
  EXPECT_EQ(manager.Heard(), "READY=1\nSTATUS=serving");
  EXPECT_EQ(manager.Heard(), "STOPPING=1");
  EXPECT_EQ(manager.Heard(), "");
}

TEST(ServiceManager, HearsAtAnAbstractName) {
  const std::string name = "@voicebridge.notify." + std::to_string(getpid());
  Manager manager(name);
  ASSERT_TRUE(manager.bound());
  EXPECT_TRUE(ServiceManager(name).Tell("READY=1", kPatience).ok());
  EXPECT_EQ(manager.Heard(), "READY=1");
}

TEST(ServiceManager, IsNamedByTheEnvironment) {
  Manager manager(PathOf("environment"));
  ASSERT_TRUE(manager.bound());
  setenv("NOTIFY_SOCKET", PathOf("environment").c_str(), 1);
  EXPECT_TRUE(ServiceManager::FromEnvironment().Tell("READY=1", kPatience).ok());
  unsetenv("NOTIFY_SOCKET");
  EXPECT_EQ(manager.Heard(), "READY=1");
  EXPECT_TRUE(ServiceManager::FromEnvironment().Tell("READY=1", kPatience).ok());
  EXPECT_EQ(manager.Heard(), "") << "without the variable there is nobody to tell";
}

TEST(ServiceManager, SaysWhyItWasNotTold) {
  const absl::Status gone = ServiceManager(PathOf("gone")).Tell("READY=1", kPatience);
  EXPECT_EQ(gone.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(gone.ToString().find("No such file"), std::string::npos) << gone;
  for (const std::string& address : {std::string("relative"), std::string("@"), std::string("/"),
                                     "/" + std::string(sizeof(sockaddr_un::sun_path), 'a')}) {
    const absl::Status bad = ServiceManager(address).Tell("READY=1", kPatience);
    EXPECT_EQ(bad.code(), absl::StatusCode::kInvalidArgument) << address;
  }
}

TEST(ServiceManager, KeepsNobodyWaitingWhenItDoesNotRead) {
  Manager manager(PathOf("deaf"));
  ASSERT_TRUE(manager.bound());
  const ServiceManager told(PathOf("deaf"));
  absl::Status status;
  for (int i = 0; i < 10'000 && status.ok(); ++i) {
    status = told.Tell("STATUS=again", Duration::zero());
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(told.Tell("STATUS=again", milliseconds(20)).ok());
  const auto waited = std::chrono::steady_clock::now() - before;
  EXPECT_GE(waited, milliseconds(20));
  EXPECT_LT(waited, seconds(5));
}

}  // namespace
}  // namespace voicebridge
