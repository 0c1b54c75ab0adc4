#include "deploy/ctl/admin.h"

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string_view>

#include "common/core/status.h"
#include "common/json/json.h"
#include "common/process/exit_code.h"
#include "common/rpc/call_deadline.h"
#include "common/rpc/wire_status.h"
#include "common/rpc/wire_time.h"
#include "deploy/ctl/admin_channel.h"
#include "deploy/ctl/message_json.h"
#include "voicebridge/v1/admin.grpc.pb.h"

namespace voicebridge::ctl {
namespace {

// Whole seconds, as in 2h5m0s.
std::string InSeconds(const google::protobuf::Duration& duration) {
  const auto whole = std::chrono::duration_cast<seconds>(FromWire(duration));
  return whole == seconds::zero() ? "0s" : absl::FormatDuration(absl::FromChrono(whole));
}

// Drained: it takes no sessions, and all that it had are over.
std::string DrainText(const v1::ProcessStatus& status) {
  if (!status.draining()) {
    return "";
  }
  const Duration left = FromWire(status.drain_time_left());
  return left > Duration::zero() ? fmt::format(", draining, {:.1f} s left", ToSeconds(left))
                                 : ", drained";
}

// One exchange with the listener.
class Admin {
 public:
  explicit Admin(const AdminOptions& options)
      : options_(options),
        stub_(v1::Admin::NewStub(ConnectToAdmin(options.address, options.peer))) {}

  // The text to be printed.
  absl::StatusOr<std::string> Perform() {
    switch (options_.command) {
      case AdminCommand::kStatus:
        return ShowStatus();
      case AdminCommand::kSessions:
        return ShowSessions();
      case AdminCommand::kEndSession:
        return EndSession();
      case AdminCommand::kDeleteSession:
        return DeleteSession();
      case AdminCommand::kUndrain:
        return Undrain();
    }
    return InvalidArgument("unknown command");
  }

 private:
  template <class Request, class Response>
  absl::Status Call(grpc::Status (v1::Admin::Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Response*),
                    const Request& request, Response& response) {
    grpc::ClientContext context;
    context.set_deadline(CallDeadlineIn(options_.timeout));
    return ExplainFailure(FromGrpc((*stub_.*method)(&context, request, &response)), options_.peer);
  }

  absl::StatusOr<std::string> ShowStatus() {
    v1::ProcessStatus status;
    if (const absl::Status asked =
            Call(&v1::Admin::Stub::GetStatus, v1::GetStatusRequest(), status);
        !asked.ok()) {
      return asked;
    }
    return options_.json ? MessageJson(status) + "\n" : StatusText(status);
  }

  absl::StatusOr<std::string> ShowSessions() {
    v1::ListSessionsResponse sessions;
    if (const absl::Status asked =
            Call(&v1::Admin::Stub::ListSessions, v1::ListSessionsRequest(), sessions);
        !asked.ok()) {
      return asked;
    }
    return options_.json ? MessageJson(sessions) + "\n" : SessionsText(sessions);
  }

  absl::StatusOr<std::string> EndSession() {
    v1::EndSessionRequest request;
    request.set_session_id(options_.session_id);
    v1::EndSessionResponse response;
    const absl::Status asked = Call(&v1::Admin::Stub::EndSession, request, response);
    return Done("ended", "session_id", options_.session_id, asked);
  }

  absl::StatusOr<std::string> DeleteSession() {
    v1::DeleteSessionRequest request;
    request.set_session_id(options_.session_id);
    v1::DeleteSessionResponse response;
    const absl::Status asked = Call(&v1::Admin::Stub::DeleteSession, request, response);
    return Done("deleted", "session_id", options_.session_id, asked);
  }

  absl::StatusOr<std::string> Undrain() {
    v1::UndrainResponse response;
    const absl::Status asked = Call(&v1::Admin::Stub::Undrain, v1::UndrainRequest(), response);
    return Done("undrained", "address", options_.address, asked);
  }

  // `kind` is the name's member in JSON.
  absl::StatusOr<std::string> Done(std::string_view what, std::string_view kind,
                                   const std::string& name, const absl::Status& asked) const {
    if (!asked.ok()) {
      return asked;
    }
    if (!options_.json) {
      return fmt::format("{} {}\n", what, name);
    }
    json::object done;
    done[kind] = json::string(name);
    done[what] = true;
    return json::serialize(done) + "\n";
  }

  const AdminOptions& options_;
  const std::unique_ptr<v1::Admin::Stub> stub_;
};

}  // namespace

std::string StatusText(const v1::ProcessStatus& status) {
  const std::string capacity =
      status.capacity() > 0 ? fmt::format(" of {}", status.capacity()) : "";
  return fmt::format("{} {}{}, up for {}: {}{} sessions, {} tasks\n", status.process(),
                     status.version(), DrainText(status), InSeconds(status.uptime()),
                     status.sessions(), capacity, status.tasks());
}

std::string SessionsText(const v1::ListSessionsResponse& sessions) {
  if (sessions.sessions().empty()) {
    return "no sessions\n";
  }
  std::size_t id_width = 0;
  std::size_t profile_width = 0;
  for (const v1::SessionInfo& session : sessions.sessions()) {
    id_width = std::max(id_width, session.session_id().size());
    profile_width = std::max(profile_width, session.profile().size());
  }
  std::string text;
  for (const v1::SessionInfo& session : sessions.sessions()) {
    text +=
        fmt::format("{:<{}}  {:<{}}  epoch {}  {}\n", session.session_id(), id_width,
                    session.profile(), profile_width, session.epoch(), InSeconds(session.age()));
  }
  return text;
}

int RunAdmin(const AdminOptions& options) {
  const absl::StatusOr<std::string> text = Admin(options).Perform();
  if (!text.ok()) {
    std::fprintf(stderr, "voicebridgectl: %s: %s: %s\n", options.address.c_str(),
                 absl::StatusCodeToString(text.status().code()).c_str(),
                 Message(text.status()).c_str());
    return static_cast<int>(ExitCode::kBadFlags);
  }
  std::fwrite(text->data(), 1, text->size(), stdout);
  return static_cast<int>(ExitCode::kClean);
}

}  // namespace voicebridge::ctl
