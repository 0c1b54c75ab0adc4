#include "deploy/ctl/wav.h"

#include <gmock/gmock.h>
#include <sndfile.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <random>
#include <vector>

#include "common/core/audio.h"
#include "common/core/status.h"

namespace voicebridge::ctl {
namespace {

using testing::HasSubstr;

class WavTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) const {
    return testing::TempDir() + "wav_test_" + name;
  }

  // Interleaved samples from -1 to 1.
  std::string Write(const std::string& name, int format, int rate, int channels,
                    const std::vector<float>& samples) const {
    SF_INFO info{};
    info.samplerate = rate;
    info.channels = channels;
    info.format = format;
    SNDFILE* file = sf_open(Path(name).c_str(), SFM_WRITE, &info);
    EXPECT_NE(file, nullptr) << sf_strerror(nullptr);
    sf_write_float(file, samples.data(), static_cast<sf_count_t>(samples.size()));
    sf_close(file);
    return Path(name);
  }

  static std::vector<float> Tone(int rate, int channels, double seconds) {
    std::vector<float> samples;
    for (int i = 0; i < static_cast<int>(rate * seconds); ++i) {
      const double phase = 2 * std::numbers::pi * 440 * i / rate;
      samples.insert(samples.end(), static_cast<std::size_t>(channels),
                     static_cast<float>(0.5 * std::sin(phase)));
    }
    return samples;
  }

  static std::vector<std::int16_t> Samples(const std::string& pcm) {
    std::vector<std::int16_t> samples(pcm.size() / 2);
    std::memcpy(samples.data(), pcm.data(), samples.size() * 2);
    return samples;
  }

  // 440 Hz at half of full scale: the effective value is 0.35355 of full scale.
  static void ExpectTone(const std::string& pcm, double seconds) {
    const std::vector<std::int16_t> samples = Samples(pcm);
    EXPECT_NEAR(static_cast<double>(samples.size()), seconds * 24000, 2);
    double energy = 0;
    int rises = 0;
    for (std::size_t i = 1; i < samples.size(); ++i) {
      energy += static_cast<double>(samples[i]) * samples[i];
      rises += samples[i - 1] < 0 && samples[i] >= 0 ? 1 : 0;
    }
    const double effective = std::sqrt(energy / static_cast<double>(samples.size())) / 32768;
    EXPECT_NEAR(effective, 0.35355, 0.005);
    EXPECT_NEAR(rises, 440 * seconds, 2);
  }
};

TEST_F(WavTest, OurFormatPassesBitByBitInBothDirections) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> byte(0, 255);
  std::string pcm(48'000, '\0');
  for (char& value : pcm) {
    value = static_cast<char>(byte(random));
  }
  ASSERT_TRUE(WriteWav(Path("exact.wav"), pcm).ok());
  const absl::StatusOr<std::string> read = ReadSpeech(Path("exact.wav"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(*read == pcm);
}

TEST_F(WavTest, ResamplesAndMixesWhateverItIsGiven) {
  struct Case {
    const char* name;
    int format;
    int rate;
    int channels;
  };
  for (const Case& one : {Case{"phone.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1},
                          Case{"cd.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 2},
                          Case{"studio.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 96000, 2},
                          Case{"stereo24.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 24000, 2},
                          Case{"float24.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 24000, 1},
                          Case{"ulaw.wav", SF_FORMAT_WAV | SF_FORMAT_ULAW, 8000, 1},
                          Case{"lossless.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 48000, 1}}) {
    SCOPED_TRACE(one.name);
    const std::string path =
        Write(one.name, one.format, one.rate, one.channels, Tone(one.rate, one.channels, 0.5));
    const absl::StatusOr<std::string> pcm = ReadSpeech(path);
    ASSERT_TRUE(pcm.ok()) << pcm.status();
    ExpectTone(*pcm, 0.5);
  }
}

TEST_F(WavTest, ClipsInsteadOfWrappingAround) {
  const std::string path =
      Write("loud.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 24000, 1, std::vector<float>(2400, 1.5F));
  const absl::StatusOr<std::string> pcm = ReadSpeech(path);
  ASSERT_TRUE(pcm.ok()) << pcm.status();
  EXPECT_THAT(Samples(*pcm), testing::Each(32767));
}

TEST_F(WavTest, NamesWhatIsWrongWithTheFile) {
  EXPECT_THAT(Message(ReadSpeech(Path("absent.wav")).status()), HasSubstr("cannot be read"));

  std::ofstream(Path("text.wav")) << "this is no sound";
  EXPECT_THAT(Message(ReadSpeech(Path("text.wav")).status()), HasSubstr("cannot be read"));

  const int format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  EXPECT_THAT(Message(ReadSpeech(Write("empty.wav", format, 24000, 1, {})).status()),
              HasSubstr("holds no audio"));
  const std::string brief = Write("brief.wav", format, 24000, 1, std::vector<float>(2399));
  EXPECT_THAT(Message(ReadSpeech(brief).status()), HasSubstr("at least 100 ms"));
  const std::string enough = Write("enough.wav", format, 24000, 1, std::vector<float>(2400));
  EXPECT_TRUE(ReadSpeech(enough).ok());
  const std::string lengthy = Write("long.wav", format, 8000, 1, std::vector<float>(8000 * 601));
  EXPECT_THAT(Message(ReadSpeech(lengthy).status()), HasSubstr("at most 600 s"));
  std::filesystem::remove(lengthy);
}

TEST_F(WavTest, SaysWhenTheAnswerCannotBeWritten) {
  EXPECT_THAT(Message(WriteWav(Path("no/such/folder/reply.wav"), "abcd")),
              HasSubstr("cannot be written"));
}

}  // namespace
}  // namespace voicebridge::ctl
