// Text to speech: espeak-ng, resampled to 24 kHz.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace voicebridge::simulator {

// The voice of espeak for a voice of the API: "en-us+f5", or the same variant in Korean, "ko+f5",
// for text that is mostly Hangul.
std::string EspeakVoice(std::string_view voice, std::string_view text);

// PCM16, mono, 24 kHz; empty when espeak cannot be used. One call at a time per process: espeak
// keeps its state in globals.
std::string Synthesize(const std::string& text, std::string_view voice);

// A thread of its own, because synthesis takes milliseconds. Owned by the composition root. Request
// comes from any thread; destruction waits for the synthesis in progress and drops the others.
class SpeechThread {
 public:
  // Called on the speech thread; it should post and return.
  using Done = std::function<void(std::string pcm)>;

  SpeechThread();
  ~SpeechThread();
  SpeechThread(const SpeechThread&) = delete;
  SpeechThread& operator=(const SpeechThread&) = delete;

  // False, and `done` is never called: too many wait.
  bool Request(std::string text, std::string voice, Done done);

 private:
  struct Job {
    std::string text;
    std::string voice;
    Done done;
  };

  void Run();
  const std::string& Speak(const Job& job);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;  // Guarded by mutex_, like stopping_.
  bool stopping_ = false;
  std::map<std::string, std::string, std::less<>> cache_;  // Of the thread alone, like the next.
  std::deque<std::string> cached_keys_;                    // Oldest first.
  std::thread thread_;
};

}  // namespace voicebridge::simulator
