// Attaches that a worker has been sent and cannot have counted yet.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace voicebridge::gateway {

// Of one gateway to one worker. Copies share the count; any thread may use them.
class UnansweredAttaches {
 public:
  // One of them, until the worker has answered it or it is given up.
  class Place {
   public:
    explicit Place(std::shared_ptr<std::atomic<std::uint32_t>> count) : count_(std::move(count)) {
      ++*count_;
    }
    Place(Place&&) = default;
    Place& operator=(Place&& other) noexcept {
      std::swap(count_, other.count_);
      return *this;
    }
    ~Place() {
      if (count_ != nullptr) {
        --*count_;
      }
    }

   private:
    std::shared_ptr<std::atomic<std::uint32_t>> count_;
  };

  Place Enter() const { return Place(count_); }
  std::uint32_t count() const { return *count_; }

  // What a worker says of itself is the same, however many are under way to it.
  friend bool operator==(const UnansweredAttaches&, const UnansweredAttaches&) { return true; }

 private:
  std::shared_ptr<std::atomic<std::uint32_t>> count_ =
      std::make_shared<std::atomic<std::uint32_t>>(0);
};

}  // namespace voicebridge::gateway
