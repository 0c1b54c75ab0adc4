// What the operator learns of a session's frames: audio that passed, how long it took, how long the
// user waited for an answer.
#include "gateway/relay/relay_driver.h"

namespace voicebridge::gateway {

void RelayDriver::ObserveClientEvent(const v1::ClientEvent& event) {
  if (event.type() == "input_audio_buffer.commit") {
    answer_.TurnEnded(shard_.clock().Now());
  } else if (event.type() == "response.cancel") {
    answer_.Forget();
  }
}

void RelayDriver::ObserveServerEvent(const v1::ServerEvent& event) {
  if (event.type() == "input_audio_buffer.speech_stopped") {
    answer_.TurnEnded(shard_.clock().Now());
  } else if (event.type() == "input_audio_buffer.speech_started" ||
             event.type() == "voicebridge.assessment.started") {
    answer_.Forget();
  }
}

// To the worker; `number` is the first sample of a frame of audio.
void RelayDriver::ObserveWritten(std::uint64_t number) {
  if (const auto read = probe_up_.Written(number)) {
    shard_.meter().way(Way::kUp).relay.Observe(shard_.clock().Now() - *read);
  }
}

// To the client.
void RelayDriver::ObserveWritten(const v1::ServerAudio& audio) {
  meter_->CountAudio(Way::kDown, audio.pcm().size());
  if (const auto read = probe_down_.Written(audio.seq())) {
    shard_.meter().way(Way::kDown).relay.Observe(shard_.clock().Now() - *read);
  }
  if (const auto turn_ended = answer_.Heard(audio.response_id())) {
    environment_.metrics.first_audio_seconds.Observe(ToSeconds(shard_.clock().Now() - *turn_ended));
  }
}

}  // namespace voicebridge::gateway
