#include "tests/component/async/async_fixture.h"

#include <stdexcept>
#include <utility>

namespace voicebridge::test {

Awaitable<void> PassThrough(Gate& gate) {
  co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
  while (!gate.open) {
    co_await gate.changed.WaitUntilNotified();
  }
}

Awaitable<void> WaitForCancel(ManualClock& clock, bool& saw_cancel) {
  saw_cancel = !co_await clock.SleepUntil(Deadline::Never());
}

Awaitable<void> SleepThenLog(ManualClock& clock, Deadline deadline, std::vector<std::string>& log,
                             std::string name) {
  const bool deadline_came = co_await clock.SleepUntil(deadline);
  log.push_back(deadline_came ? name : name + " cancelled");
}

Awaitable<void> Throw(std::string what) {
  throw std::runtime_error(what);
  co_return;
}

Awaitable<void> SetTrue(bool& flag) {
  flag = true;
  co_return;
}

}  // namespace voicebridge::test
