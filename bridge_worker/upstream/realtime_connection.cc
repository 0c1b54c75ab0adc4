#include "bridge_worker/upstream/realtime_connection.h"

#include <utility>

#include "bridge_worker/upstream/realtime_protocol.h"
#include "common/core/base64.h"
#include "common/core/limits.h"

namespace voicebridge::worker {
namespace {

// Kept between frames up to this size; a larger one is a rare message that passed alone.
constexpr std::size_t kBufferKept = 64U << 10U;

class WebSocketRealtimeConnection final : public RealtimeConnection {
 public:
  explicit WebSocketRealtimeConnection(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)) {}

  Awaitable<Incoming> ReadUntilStopped() override { return connection_->ReadUntilStopped(); }

  Awaitable<absl::Status> SendEvent(std::string_view json, Deadline deadline) override {
    return connection_->WriteText(json, deadline);
  }

  Awaitable<absl::Status> SendAudio(std::string_view pcm, Deadline deadline) override {
    buffer_.clear();
    buffer_ += R"({"type":"input_audio_buffer.append","audio":")";
    AppendBase64(pcm, buffer_);
    buffer_ += R"("})";
    absl::Status status = co_await connection_->WriteText(buffer_, deadline);
    if (buffer_.capacity() > kBufferKept) {
      buffer_ = std::string();
    }
    co_return status;
  }

  Awaitable<void> Close(Deadline deadline) override {
    return connection_->Close(1000, "", deadline);
  }

  void Abort() override { connection_->Abort(); }

 private:
  std::unique_ptr<Connection> connection_;
  std::string buffer_;
};

class WebSocketRealtimeConnector final : public RealtimeConnector {
 public:
  WebSocketRealtimeConnector(Url url, Secret api_key, std::string ca_file)
      : url_(std::move(url)), api_key_(std::move(api_key)), ca_file_(std::move(ca_file)) {}

  Awaitable<RealtimeConnectResult> Connect(std::string model, Deadline deadline) override {
    ConnectOptions options;
    options.url = url_;
    AddQueryParameter(options.url, "model", model);
    options.user_agent = "voicebridge-worker/" VOICEBRIDGE_VERSION;
    options.bearer = api_key_;
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
  Secret api_key_;
  std::string ca_file_;
};

}  // namespace

std::unique_ptr<RealtimeConnector> MakeRealtimeConnector(Url url, Secret api_key,
                                                         std::string ca_file) {
  return std::make_unique<WebSocketRealtimeConnector>(std::move(url), std::move(api_key),
                                                      std::move(ca_file));
}

}  // namespace voicebridge::worker
