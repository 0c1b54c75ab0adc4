#include "bridge_worker/upstream/realtime_connection.h"

#include <utility>

#include "bridge_worker/upstream/realtime_protocol.h"
#include "common/core/limits.h"

namespace voicebridge::worker {
namespace {

class WebSocketRealtimeConnection final : public RealtimeConnection {
 public:
  explicit WebSocketRealtimeConnection(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)) {}

  Awaitable<Incoming> ReadUntilStopped() override { return connection_->ReadUntilStopped(); }

  Awaitable<absl::Status> SendEvent(std::string_view json, Deadline deadline) override {
    return connection_->WriteText(json, deadline);
  }

  Awaitable<absl::Status> SendAudio(std::string_view pcm, Deadline deadline) override {
    const std::string event = InputAudioAppendEvent(pcm);
    co_return co_await connection_->WriteText(event, deadline);
  }

  Awaitable<void> Close(Deadline deadline) override {
    return connection_->Close(1000, "", deadline);
  }

  void Abort() override { connection_->Abort(); }

 private:
  std::unique_ptr<Connection> connection_;
};

class WebSocketRealtimeConnector final : public RealtimeConnector {
 public:
  WebSocketRealtimeConnector(Url url, const ChangingSecret& api_key, std::string ca_file)
      : url_(std::move(url)), api_key_(api_key), ca_file_(std::move(ca_file)) {}

  Awaitable<RealtimeConnectResult> Connect(std::string model, Deadline deadline) override {
    ConnectOptions options;
    options.url = url_;
    AddQueryParameter(options.url, "model", model);
    options.user_agent = "voicebridge-worker/" VOICEBRIDGE_VERSION;
    options.bearer = api_key_.Now();
    options.ca_file = ca_file_;
    options.message_bytes_max = limits::kUpstreamMessageMax;
    options.ping_interval = limits::kPingInterval;
    ConnectResult opened = co_await ConnectWebSocket(std::move(options), deadline);
    RealtimeConnectResult result;
    if (opened.connection != nullptr) {
      result.connection =
          std::make_unique<WebSocketRealtimeConnection>(std::move(opened.connection));
    }
    result.failure = std::move(opened.failure);
    co_return result;
  }

 private:
  Url url_;
  const ChangingSecret& api_key_;
  std::string ca_file_;
};

}  // namespace

std::unique_ptr<RealtimeConnector> MakeRealtimeConnector(Url url, const ChangingSecret& api_key,
                                                         std::string ca_file) {
  return std::make_unique<WebSocketRealtimeConnector>(std::move(url), api_key, std::move(ca_file));
}

}  // namespace voicebridge::worker
