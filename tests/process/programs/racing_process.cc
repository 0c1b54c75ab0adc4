// Two threads and one counter: what ThreadSanitizer must find, else it finds nothing anywhere.
#include <thread>

namespace {

int counter = 0;

void Count() {
  for (int i = 0; i < 1000; ++i) {
    ++counter;
  }
}

}  // namespace

int main() {
  std::thread other(Count);
  Count();
  other.join();
  return counter < 0 ? 1 : 0;
}
