#include "deploy/ctl/talk.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>
#include <variant>

#include "common/core/audio.h"
#include "common/core/base64.h"
#include "common/core/limits.h"
#include "common/core/status.h"
#include "common/json/json.h"
#include "deploy/ctl/wav.h"

namespace voicebridge::ctl {
namespace {

using Speaker = Captions::Speaker;

constexpr std::size_t kFrameBytes = SamplesOfMilliseconds(40) * kBytesPerSample;
constexpr Duration kFrameTime = milliseconds(40);
constexpr std::size_t kOutgoingBytesMax = 64U << 10U;  // The machine sends a few small events.

Duration TimeOf(std::size_t pcm_bytes) {
  return microseconds(SamplesOfBytes(pcm_bytes) * 1'000'000 / kSamplesPerSecond);
}

std::int64_t Milliseconds(Duration duration) {
  return std::chrono::duration_cast<milliseconds>(duration).count();
}

std::string Sha256Hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += fmt::format("{:02x}", digest[i]);
  }
  return hex;
}

json::array ToArray(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) {
    array.emplace_back(text);
  }
  return array;
}

std::string AdviceFor(const ConnectFailure& failure, const Url& url) {
  switch (failure.http_status) {
    case 0:
      break;
    case 401:
      return "The gateway wants a valid key: give one with --key or VOICEBRIDGE_KEY.";
    case 403:
      return "The key is not good for this; check --key and --profile.";
    case 404:
      return "Nothing is there; a gateway's URL ends in /v1/realtime.";
    case 429:
    case 503:
      return "It takes no conversation now: no worker serves, it is full or being drained. Try "
             "again.";
    default:
      return "Is this the URL of a voicebridge gateway?";
  }
  const std::string message = Message(failure.status);
  if (message.find("ertificate") != std::string::npos) {
    return "Give the certificate of its authority with --ca=FILE.";
  }
  if (message.find("TLS") != std::string::npos) {
    return "Does this port speak TLS? For a plain gateway the URL begins with ws://";
  }
  if (!url.IsSecure() && message.find("upgrade failed") != std::string::npos) {
    return "Does this port speak TLS? For a TLS gateway the URL begins with wss://";
  }
  return fmt::format("Is the gateway running at {}:{}? deploy/demo starts one.", url.host,
                     url.port);
}

absl::Status DescribeFailure(const ConnectFailure& failure, const Url& url) {
  return MakeStatus(failure.status.code(), "{}\n{}", Message(failure.status),
                    AdviceFor(failure, url));
}

void Complain(const absl::Status& status) {
  std::fprintf(stderr, "voicebridgectl: %s\n", Message(status).c_str());
}

void OnBug(std::string_view task, const std::string& what) {
  Complain(MakeStatus(absl::StatusCode::kInternal, "internal error in {}: {}", task, what));
}

}  // namespace

Talk::Talk(const TalkOptions& options, std::string pcm, Clock& clock,
           const net::any_io_executor& executor)
    : options_(options),
      pcm_(std::move(pcm)),
      clock_(clock),
      begun_(clock.Now()),
      deadline_(Deadline::After(begun_, options.timeout)),
      ended_(begun_),
      machine_(TimeOf(pcm_.size())),
      changed_(executor),
      outgoing_(executor, kOutgoingBytesMax, kOutgoingBytesMax / 2),
      tasks_(executor, live_tasks_, OnBug) {}

Awaitable<void> Talk::Run() {
  const bool connected = co_await Connect();
  if (connected) {
    tasks_.TrySpawn("read", Read());
    tasks_.TrySpawn("write", Write());
    co_await Converse();
    co_await Hang();
  }
  ended_ = clock_.Now();
}

Awaitable<bool> Talk::Connect() {
  ConnectOptions connect;
  connect.url = options_.url;
  if (!options_.profile.empty()) {
    AddQueryParameter(connect.url, "profile", options_.profile);
  }
  connect.user_agent = "voicebridgectl/" VOICEBRIDGE_VERSION;
  connect.bearer = options_.key;
  connect.subprotocol = "realtime";
  connect.ca_file = options_.ca_file;
  connect.message_bytes_max = limits::kUpstreamMessageMax;
  connect.ping_interval = limits::kPingInterval;
  ConnectResult result = co_await ConnectWebSocket(std::move(connect), deadline_);
  if (result.connection == nullptr) {
    End(DescribeFailure(result.failure, options_.url));
  }
  connection_ = std::move(result.connection);
  co_return connection_ != nullptr;
}

// Until the machine is finished: waits for the reader's next change or the machine's next deadline.
Awaitable<void> Talk::Converse() {
  while (!finished_) {
    const Deadline step = machine_.NextDeadline().value_or(Deadline::Never());
    const bool changed =
        co_await RunUntil(clock_, step.EarlierOf(deadline_), changed_.WaitUntilNotified());
    if (deadline_.HasPassed(clock_.Now()) && !finished_) {
      End(
          DeadlineExceeded("after {:.3g} s still waiting for {}\n"
                           "Give it longer with --timeout, or see the logs of gateway and worker.",
                           ToSeconds(options_.timeout), machine_.WaitingFor()));
    } else if (!changed) {
      Perform(machine_.OnTime(clock_.Now()));
    }
  }
}

Awaitable<void> Talk::Read() {
  while (!finished_) {
    const Incoming incoming = co_await connection_->ReadUntilStopped();
    if (incoming.kind == Incoming::Kind::kClosed) {
      Perform(machine_.OnClosed(incoming.close_code, incoming.close_reason));
      co_return;
    }
    const absl::StatusOr<json::object> event = ParseObject(incoming.payload);
    if (event.ok()) {
      Perform(machine_.OnEvent(*event, clock_.Now()));
    } else {
      End(
          InvalidArgument("the server sent a message that is no event: {}\n"
                          "Is this the URL of a voicebridge gateway?",
                          Message(event.status())));
    }
  }
  // What comes now is of no interest, but the peer's close frame is read by this task.
  Incoming rest = co_await connection_->ReadUntilStopped();
  while (rest.kind != Incoming::Kind::kClosed) {
    rest = co_await connection_->ReadUntilStopped();
  }
}

Awaitable<void> Talk::Write() {
  bool open = true;
  std::optional<Outgoing> next = co_await outgoing_.Pop();
  while (open && next) {
    if (next->json.empty()) {
      open = co_await WriteSpeech();
    } else {
      open = co_await WriteText(next->json);
    }
    next = co_await outgoing_.Pop();
  }
}

Awaitable<bool> Talk::WriteSpeech() {
  const TimePoint start = clock_.Now();
  std::string message;
  for (std::size_t sent = 0; sent < pcm_.size() && !finished_; sent += kFrameBytes) {
    if (options_.realtime) {
      co_await clock_.SleepUntil(Deadline::After(start, TimeOf(sent) + kFrameTime));
    }
    message = R"({"type":"input_audio_buffer.append","audio":")";
    AppendBase64(std::string_view(pcm_).substr(sent, kFrameBytes), message);
    message += "\"}";
    const bool written = co_await WriteText(message);
    if (!written) {
      co_return false;
    }
  }
  Perform(machine_.OnSpeechSent(clock_.Now()));
  co_return true;
}

// A failed write needs no report: the reader learns why the connection ended.
Awaitable<bool> Talk::WriteText(std::string_view json) {
  const absl::Status status = co_await connection_->WriteText(json, deadline_);
  co_return status.ok();
}

// The writer ends before the close frame is sent, the reader with the peer's.
Awaitable<void> Talk::Hang() {
  outgoing_.Discard();
  tasks_.Close();
  const Deadline limit = Deadline::After(clock_.Now(), limits::kCloseMax);
  co_await connection_->Close(1000, "", limit);
  tasks_.CancelAll();
  const bool joined = co_await tasks_.Join(clock_, limit);
  if (!joined) {
    connection_->Abort();
    co_await tasks_.Join(clock_, Deadline::After(clock_.Now(), limits::kCloseMax));
  }
  connection_.reset();
}

void Talk::Perform(TalkEffects effects) {
  for (TalkEffect& effect : effects) {
    std::visit([this](auto& one) { Perform(std::move(one)); }, effect);
  }
  changed_.Notify();
}

void Talk::Perform(SendText effect) {
  const std::size_t bytes = effect.json.size();
  outgoing_.Push(Outgoing{std::move(effect.json)}, bytes);
}

void Talk::Perform(SendSpeech) { outgoing_.Push(Outgoing{}, 1); }

void Talk::Perform(const Print& effect) {
  if (!options_.json) {
    std::printf("%s\n", effect.line.c_str());
    std::fflush(stdout);
  }
}

void Talk::Perform(const Finish& effect) { End(effect.status); }

void Talk::End(absl::Status status) {
  if (!finished_) {
    status_ = std::move(status);
    finished_ = true;
    changed_.Notify();
  }
}

std::string Talk::Summary() const {
  const TalkResult& result = machine_.result();
  std::string summary = fmt::format("audio {:.1f} s", ToSeconds(TimeOf(result.pcm.size())));
  if (result.first_audio) {
    summary += fmt::format(", the first after {} ms", Milliseconds(*result.first_audio));
  }
  if (!options_.out_path.empty()) {
    summary += fmt::format(", written to {}", options_.out_path);
  }
  return summary;
}

std::string Talk::JsonSummary() const {
  const TalkResult& result = machine_.result();
  const Captions& captions = machine_.captions();
  json::object summary;
  summary["session_id"] = result.session_id;
  summary["user_item_id"] = result.user_item_id;
  summary["assistant_item_ids"] = ToArray(captions.ItemsOf(Speaker::kAssistant));
  summary["user_transcript"] = captions.TextOf(Speaker::kUser);
  summary["assistant_transcript"] = captions.TextOf(Speaker::kAssistant);
  summary["audio_ms"] = MillisecondsOfSamples(SamplesOfBytes(result.pcm.size()));
  summary["audio_sha256"] = Sha256Hex(result.pcm);
  summary["first_audio_ms"] = nullptr;
  if (result.first_audio) {
    summary["first_audio_ms"] = Milliseconds(*result.first_audio);
  }
  summary["total_ms"] = Milliseconds(ended_ - begun_);
  summary["out"] = options_.out_path;
  return json::serialize(summary);
}

namespace {

absl::Status TalkAndReport(const TalkOptions& options, std::string pcm, net::io_context& io) {
  SystemClock clock;
  LiveTasks live_tasks;
  Talk talk(options, std::move(pcm), clock, io.get_executor());
  TaskGroup tasks(io.get_executor(), live_tasks, OnBug);
  tasks.TrySpawn("talk", talk.Run());
  while (!tasks.empty()) {
    io.run_one();  // Not run(): a name resolution that hangs would count as work.
  }
  if (!talk.status().ok()) {
    return talk.status();
  }
  if (!options.out_path.empty()) {
    if (absl::Status written = WriteWav(options.out_path, talk.reply()); !written.ok()) {
      return written;
    }
  }
  std::printf("%s\n", (options.json ? talk.JsonSummary() : talk.Summary()).c_str());
  return absl::OkStatus();
}

}  // namespace

int RunTalk(const TalkOptions& options, net::io_context& io) {
  absl::StatusOr<std::string> pcm = ReadSpeech(options.speech_path);
  const absl::Status status =
      pcm.ok() ? TalkAndReport(options, *std::move(pcm), io) : absl::Status(pcm.status());
  if (!status.ok()) {
    Complain(status);
  }
  return status.ok() ? 0 : 1;
}

}  // namespace voicebridge::ctl
