// The coroutine type of the project and the one way its operations report errors.
//
// Rules for every coroutine here (GCC 12.2 miscompiles what breaks the last three):
//   * it is spawned into a TaskGroup, never detached;
//   * errors are values: I/O uses kNoThrow tuples, cancellation does not throw;
//   * no lambda is a coroutine;
//   * an expression with co_await has no aggregate or lambda temporary: name it, then move it;
//   * no co_await stands in the condition of an if, while or switch: name its result first. Without
//     a local variable the frame is laid out wrongly, and the first resumption crashes.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace voicebridge {

namespace net = boost::asio;

template <class T = void>
using Awaitable = net::awaitable<T>;

// `auto [error, n] = co_await socket.async_read_some(buffer, kNoThrow);`
inline constexpr auto kNoThrow = net::as_tuple(net::use_awaitable);

// Whether the forced stop of the calling task has begun. Waits return at once from then on.
inline Awaitable<bool> IsCancelled() {
  const net::cancellation_state state = co_await net::this_coro::cancellation_state;
  co_return state.cancelled() != net::cancellation_type::none;
}

}  // namespace voicebridge
