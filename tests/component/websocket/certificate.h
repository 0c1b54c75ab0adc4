// Certificates for tests, made on the spot.
#pragma once

#include <string>

#include "common/core/certificate.h"

namespace voicebridge::test {

struct Certificate {
  std::string cert_file;
  std::string key_file;
  KeyPair pair;  // What is in the files.
};

// Self-signed, in a new directory. `subject_names` is the extension's text: `IP:127.0.0.1`,
// `DNS:a.test`.
Certificate MakeCertificate(const std::string& subject_names);

}  // namespace voicebridge::test
