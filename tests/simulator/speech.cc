#include "tests/simulator/speech.h"

#include <espeak-ng/speak_lib.h>
#include <soxr.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/core/audio.h"

namespace voicebridge::simulator {
namespace {

constexpr std::size_t kJobsMax = 10'000;
constexpr std::size_t kCacheMax = 64;
// Fast enough that a reply of two short sentences lasts three to four seconds.
constexpr int kWordsPerMinute = 220;

struct VoiceName {
  std::string_view voice;
  std::string_view espeak;
};
constexpr std::array<VoiceName, 10> kVoices = {{{"alloy", "en-us"},
                                                {"ash", "en-us+m1"},
                                                {"ballad", "en+m3"},
                                                {"coral", "en-us+f2"},
                                                {"echo", "en-us+m4"},
                                                {"sage", "en+f3"},
                                                {"shimmer", "en-us+f4"},
                                                {"verse", "en-us+m7"},
                                                {"marin", "en-us+f5"},
                                                {"cedar", "en+m6"}}};

// espeak's callback has no other way to a caller's object than its event list.
int Collect(short* samples, int count, espeak_EVENT* events) {
  if (samples != nullptr && count > 0) {
    auto* collected = static_cast<std::vector<std::int16_t>*>(events->user_data);
    collected->insert(collected->end(), samples, samples + count);
  }
  return 0;
}

// The sample rate, or a negative number when espeak's data is missing.
int Initialize() {
  const int rate =
      espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, nullptr, espeakINITIALIZE_DONT_EXIT);
  if (rate > 0) {
    espeak_SetSynthCallback(Collect);
    espeak_SetParameter(espeakRATE, kWordsPerMinute, 0);
  }
  return rate;
}

// More syllables of Hangul than Latin letters.
bool IsKorean(std::string_view text) {
  const auto count = [&](auto is_one) { return std::count_if(text.begin(), text.end(), is_one); };
  // U+AC00 to U+D7A3: three bytes, the first from EA to ED.
  const auto hangul = count([](char byte) {
    const auto value = static_cast<unsigned char>(byte);
    return value >= 0xEA && value <= 0xED;
  });
  const auto latin =
      count([](char byte) { return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'); });
  return hangul > latin;
}

std::string Resample(const std::vector<std::int16_t>& samples, int rate) {
  const double ratio = static_cast<double>(kSamplesPerSecond) / rate;
  const auto room =
      static_cast<std::size_t>(std::ceil(static_cast<double>(samples.size()) * ratio));
  std::string pcm(room * kBytesPerSample, '\0');
  const soxr_io_spec_t format = soxr_io_spec(SOXR_INT16_I, SOXR_INT16_I);
  std::size_t written = 0;
  const soxr_error_t error =
      soxr_oneshot(rate, static_cast<double>(kSamplesPerSecond), 1, samples.data(), samples.size(),
                   nullptr, pcm.data(), room, &written, &format, nullptr, nullptr);
  pcm.resize(error == nullptr ? written * kBytesPerSample : 0);
  return pcm;
}

}  // namespace

std::string EspeakVoice(std::string_view voice, std::string_view text) {
  const auto* entry = std::find_if(kVoices.begin(), kVoices.end(),
                                   [&](const VoiceName& one) { return one.voice == voice; });
  const std::string_view name = entry == kVoices.end() ? kVoices.front().espeak : entry->espeak;
  if (!IsKorean(text)) {
    return std::string(name);
  }
  const std::size_t variant = name.find('+');
  return "ko" + std::string(variant == std::string_view::npos ? "" : name.substr(variant));
}

std::string Synthesize(const std::string& text, std::string_view voice) {
  static const int rate = Initialize();
  if (rate <= 0 || espeak_SetVoiceByName(EspeakVoice(voice, text).c_str()) != EE_OK) {
    return {};
  }
  std::vector<std::int16_t> samples;
  if (espeak_Synth(text.c_str(), text.size() + 1, 0, POS_CHARACTER, 0, espeakCHARS_UTF8, nullptr,
                   &samples) != EE_OK) {
    return {};
  }
  // Text without anything to pronounce is a moment of silence.
  samples.resize(std::max(samples.size(), static_cast<std::size_t>(rate / 4)));
  return Resample(samples, rate);
}

SpeechThread::SpeechThread() : thread_(&SpeechThread::Run, this) {}

SpeechThread::~SpeechThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool SpeechThread::Request(std::string text, std::string voice, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= kJobsMax) {
      return false;
    }
    jobs_.push_back(Job{std::move(text), std::move(voice), std::move(done)});
  }
  changed_.notify_one();
  return true;
}

void SpeechThread::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) {
      return;
    }
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job.done(Speak(job));
    lock.lock();
  }
}

const std::string& SpeechThread::Speak(const Job& job) {
  const std::string key = job.voice + '\n' + job.text;
  const auto cached = cache_.find(key);
  if (cached != cache_.end()) {
    return cached->second;
  }
  if (cached_keys_.size() >= kCacheMax) {
    cache_.erase(cached_keys_.front());
    cached_keys_.pop_front();
  }
  cached_keys_.push_back(key);
  return cache_.emplace(key, Synthesize(job.text, job.voice)).first->second;
}

}  // namespace voicebridge::simulator
