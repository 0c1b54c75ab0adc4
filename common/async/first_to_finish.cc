#include "common/async/first_to_finish.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <exception>
#include <utility>

namespace voicebridge {
namespace {

Awaitable<void> WithoutThrowOnCancel(Awaitable<void> work) {
  co_await net::this_coro::reset_cancellation_state(net::enable_terminal_cancellation());
  co_await net::this_coro::throw_if_cancelled(false);
  co_await std::move(work);
}

Awaitable<void> Sleep(Clock& clock, Deadline deadline) { co_await clock.SleepUntil(deadline); }

}  // namespace

Awaitable<int> FirstToFinish(Awaitable<void> first, Awaitable<void> second) {
  const net::any_io_executor executor = co_await net::this_coro::executor;
  auto group = net::experimental::make_parallel_group(
      net::co_spawn(executor, WithoutThrowOnCancel(std::move(first)), net::deferred),
      net::co_spawn(executor, WithoutThrowOnCancel(std::move(second)), net::deferred));
  const auto [order, first_failure, second_failure] =
      co_await group.async_wait(net::experimental::wait_for_one(), net::use_awaitable);
  const std::exception_ptr failure = order[0] == 0 ? first_failure : second_failure;
  if (failure) {
    std::rethrow_exception(failure);
  }
  co_return static_cast<int>(order[0]);
}

Awaitable<bool> RunUntil(Clock& clock, Deadline deadline, Awaitable<void> work) {
  co_return co_await FirstToFinish(std::move(work), Sleep(clock, deadline)) == 0;
}

}  // namespace voicebridge
