#include "common/websocket/name_resolver.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "common/async/clock.h"
#include "common/async/event.h"
#include "common/async/first_to_finish.h"
#include "common/core/status.h"

namespace voicebridge {

using net::ip::tcp;

struct NameResolver::Answer {
  boost::system::error_code error;
  Endpoints endpoints;
};

// What is asked for once, for all who wait.
struct NameResolver::Lookup {
  explicit Lookup(const net::any_io_executor& executor) : answered(executor) {}

  Event answered;
  std::optional<Answer> answer;
};

// How a thread finds its way back; cut when the resolver goes.
struct NameResolver::Link {
  std::mutex mutex;  // Guards both, but reading `resolver` on the executor, where alone it changes.
  NameResolver* resolver = nullptr;
  net::any_io_executor executor;
};

net::execution_context::id NameResolver::id;

NameResolver& NameResolver::Of(const net::any_io_executor& executor) {
  return net::use_service<NameResolver>(net::query(executor, net::execution::context));
}

NameResolver::NameResolver(net::execution_context& context)
    : net::execution_context::service(context), link_(std::make_shared<Link>()) {
  link_->resolver = this;
}

NameResolver::~NameResolver() = default;

void NameResolver::shutdown() {
  lookups_.clear();
  const std::lock_guard lock(link_->mutex);
  link_->resolver = nullptr;
  link_->executor = {};
}

Awaitable<absl::StatusOr<Endpoints>> NameResolver::Resolve(std::string host, std::string port,
                                                           Deadline deadline) {
  const net::any_io_executor executor = co_await net::this_coro::executor;
  const auto joined = Join(Name(host, port), executor);
  if (!joined.ok()) {
    co_return joined.status();
  }
  const std::shared_ptr<Lookup>& lookup = *joined;
  SystemClock clock;
  co_await RunUntil(clock, deadline, WaitForAnswer(lookup));
  if (!lookup->answer) {
    co_return DeadlineExceeded("resolving '{}' took too long", host);
  }
  if (lookup->answer->error) {
    co_return Unavailable("cannot resolve '{}': {}", host, lookup->answer->error.message());
  }
  co_return lookup->answer->endpoints;
}

Awaitable<void> NameResolver::WaitForAnswer(std::shared_ptr<Lookup> lookup) {
  const auto has_answer = [&lookup] { return lookup->answer.has_value(); };
  co_await lookup->answered.WaitUntil(has_answer);
}

absl::StatusOr<std::shared_ptr<NameResolver::Lookup>> NameResolver::Join(
    const Name& name, const net::any_io_executor& its) {
  const auto [found, is_new] = lookups_.try_emplace(name);
  if (!is_new) {
    return found->second;
  }
  link_->executor = its;
  try {
    // Nobody waits for it to end: the process may have to leave it behind.
    std::thread(&NameResolver::LookUp, link_, name, library_calls_).detach();
  } catch (const std::system_error& error) {
    lookups_.erase(found);
    return Unavailable("no thread to resolve '{}' on: {}", name.first, error.what());
  }
  found->second = std::make_shared<Lookup>(its);
  return found->second;
}

void NameResolver::LookUp(const std::shared_ptr<Link>& link, Name name, LiveTasks* library_calls) {
  Answer answer;
  {
    std::optional<ScopedTask> counted;
    if (library_calls != nullptr) {
      counted.emplace(*library_calls, TaskName("getaddrinfo"));
    }
    net::io_context context;
    tcp::resolver resolver(context);
    for (const auto& entry : resolver.resolve(name.first, name.second, answer.error)) {
      answer.endpoints.push_back(entry.endpoint());
    }
  }
  const std::lock_guard lock(link->mutex);
  if (link->resolver != nullptr) {
    net::post(link->executor, [link, name = std::move(name), answer = std::move(answer)]() mutable {
      if (link->resolver != nullptr) {
        link->resolver->OnAnswer(name, std::move(answer));
      }
    });
  }
}

void NameResolver::OnAnswer(const Name& name, Answer answer) {
  const auto found = lookups_.find(name);
  found->second->answer = std::move(answer);
  found->second->answered.Notify();
  lookups_.erase(found);
}

}  // namespace voicebridge
