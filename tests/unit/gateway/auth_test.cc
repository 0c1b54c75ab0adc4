#include "gateway/client/auth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <jwt.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <variant>

#include "common/core/base64.h"
#include "common/core/status.h"
#include "common/json/json.h"

namespace voicebridge::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::string_view kKey = "sk-test-key";
// SHA-256 of kKey.
constexpr std::string_view kDigest =
    "0d62f396c1317066f55a96086517047c737087c61eb2bf016b72e6298927b15b";

std::string SecretOf(char filler, std::size_t size = 32) {
  std::string base64;
  AppendBase64(std::string(size, filler), base64);
  return base64;
}

SigningKeys Keys(const std::string& text) {
  auto keys = SigningKeys::Parse(text);
  EXPECT_TRUE(keys.ok()) << keys.status();
  return *keys;
}

AuthPolicy Policy() {
  auto keys = ApiKeys::Parse("# servers\n\nbackend " + std::string(kDigest) + "  # the backend\n");
  EXPECT_TRUE(keys.ok()) << keys.status();
  return {.api_keys = *keys,
          .signing_keys = Keys("k1 " + SecretOf('a') + "\n"),
          .insecure_no_auth = false};
}

HttpRequest WithHeader(const std::string& name, const std::string& value) {
  HttpRequest request;
  request.headers.emplace_back(name, value);
  return request;
}

ClientSecretClaims Claims() {
  return {.id = "secret_1",
          .issued_to = "backend",
          .profile = "interview",
          .session_json = R"({"type":"realtime","instructions":"Say \"hé\""})",
          .expires_at = kNow + 600,
          .limits = {.max_sessions = 3, .session_seconds = 900}};
}

// A token as an attacker would make it, with a key and an algorithm of choice.
std::string Forge(const std::string& key_id, const std::string& key, jwt_alg_t algorithm) {
  jwt_t* jwt = nullptr;
  EXPECT_EQ(jwt_new(&jwt), 0);
  jwt_set_alg(jwt, algorithm, reinterpret_cast<const unsigned char*>(key.data()),
              static_cast<int>(key.size()));
  jwt_add_header(jwt, "kid", key_id.c_str());
  jwt_add_grant(jwt, "aud", "voicebridge.client_secret");
  jwt_add_grant(jwt, "sub", "backend");
  jwt_add_grant_int(jwt, "exp", kNow + 600);
  const std::unique_ptr<char, decltype(&std::free)> text(jwt_encode_str(jwt), &std::free);
  jwt_free(jwt);
  return std::string("ek_") + text.get();
}

TEST(ApiKeys, FindsAKeyByItsDigestOnly) {
  const AuthPolicy policy = Policy();
  ASSERT_NE(policy.api_keys.Find(kKey), nullptr);
  EXPECT_EQ(*policy.api_keys.Find(kKey), "backend");
  EXPECT_EQ(policy.api_keys.Find("sk-test-keyx"), nullptr);
  EXPECT_EQ(policy.api_keys.Find(kDigest), nullptr);
  EXPECT_EQ(policy.api_keys.Find(""), nullptr);
}

TEST(ApiKeys, NamesTheLineThatIsWrongAndNothingOfIt) {
  const std::string digest(kDigest);
  for (const std::string& line :
       {std::string("backend sk-live-plain-key"), std::string("sk-live-plain-key"),
        "backend " + digest + " sk-live-plain-key", "back/end " + digest,
        "backend " + digest.substr(1), "backend g" + digest.substr(1), "first " + digest}) {
    const auto keys = ApiKeys::Parse("first " + digest + "\n# two\n" + line + "\n");
    ASSERT_FALSE(keys.ok()) << line;
    EXPECT_THAT(Message(keys.status()), StartsWith("line 3: "));
    EXPECT_THAT(Message(keys.status()), Not(HasSubstr("sk-live")));
    EXPECT_THAT(Message(keys.status()), Not(HasSubstr(digest.substr(1))));
  }
}

TEST(SigningKeys, NeedAtLeastOneLongSecret) {
  EXPECT_EQ(Keys("a " + SecretOf('a') + "\nb " + SecretOf('b')).keys().size(), 2U);
  EXPECT_FALSE(SigningKeys::Parse("# nothing\n").ok());
  const std::string short_secret = SecretOf('a', 31);
  const auto refused = SigningKeys::Parse("a " + short_secret);
  EXPECT_THAT(Message(refused.status()), HasSubstr("line 1: expected at least 32 random bytes"));
  EXPECT_THAT(Message(refused.status()), Not(HasSubstr(short_secret)));
  EXPECT_FALSE(SigningKeys::Parse("a not!base64").ok());
}

TEST(ClientSecret, CarriesItsClaims) {
  const SigningKeys keys = SigningKeys::Random();
  const std::string secret = MintClientSecret(keys, Claims());
  EXPECT_THAT(secret, StartsWith("ek_"));
  EXPECT_EQ(secret.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-_."),
            std::string::npos);
  const auto claims = VerifyClientSecret(keys, secret, kNow + 599);
  ASSERT_TRUE(claims.ok()) << claims.status();
  EXPECT_EQ(claims->id, "secret_1");
  EXPECT_EQ(claims->issued_to, "backend");
  EXPECT_EQ(claims->profile, "interview");
  EXPECT_EQ(claims->session_json, Claims().session_json);
  EXPECT_EQ(claims->expires_at, kNow + 600);
  EXPECT_EQ(claims->limits.max_sessions, 3);
  EXPECT_EQ(claims->limits.session_seconds, 900);
}

TEST(ClientSecret, EndsAtItsExpiry) {
  const SigningKeys keys = SigningKeys::Random();
  const auto claims = VerifyClientSecret(keys, MintClientSecret(keys, Claims()), kNow + 600);
  EXPECT_EQ(claims.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(Message(claims.status()), HasSubstr("expired"));
}

TEST(ClientSecret, IsRefusedWhenAnyCharacterIsChanged) {
  const SigningKeys keys = SigningKeys::Random();
  const std::string secret = MintClientSecret(keys, Claims());
  for (std::size_t i = 0; i < secret.size(); ++i) {
    std::string changed = secret;
    changed[i] = changed[i] == 'A' ? 'Q' : 'A';
    EXPECT_FALSE(VerifyClientSecret(keys, changed, kNow).ok()) << i;
    EXPECT_FALSE(VerifyClientSecret(keys, secret.substr(0, i), kNow).ok()) << i;
  }
}

TEST(ClientSecret, IsRefusedWithoutAGoodSignature) {
  const std::string key(32, 'a');
  const SigningKeys keys = Keys("k1 " + SecretOf('a'));
  EXPECT_TRUE(VerifyClientSecret(keys, Forge("k1", key, JWT_ALG_HS256), kNow).ok());
  EXPECT_FALSE(VerifyClientSecret(keys, Forge("k1", "", JWT_ALG_NONE), kNow).ok());
  EXPECT_FALSE(VerifyClientSecret(keys, Forge("k1", key, JWT_ALG_HS512), kNow).ok());
  EXPECT_FALSE(VerifyClientSecret(keys, Forge("k2", key, JWT_ALG_HS256), kNow).ok());
  EXPECT_FALSE(
      VerifyClientSecret(keys, Forge("k1", std::string(32, 'b'), JWT_ALG_HS256), kNow).ok());
  for (const char* garbage : {"", "ek_", "ek_.", "ek_..", "ek_a.b.c", "ek_{}.{}.{}"}) {
    EXPECT_FALSE(VerifyClientSecret(keys, garbage, kNow).ok()) << garbage;
  }
}

TEST(ClientSecret, OutlivesTheRotationOfItsKeyUntilTheOldOneGoes) {
  const std::string old_line = "old " + SecretOf('a') + "\n";
  const std::string new_line = "new " + SecretOf('b') + "\n";
  const std::string secret = MintClientSecret(Keys(old_line), Claims());
  EXPECT_TRUE(VerifyClientSecret(Keys(new_line + old_line), secret, kNow).ok());
  EXPECT_FALSE(VerifyClientSecret(Keys(new_line), secret, kNow).ok());
  EXPECT_TRUE(VerifyClientSecret(Keys(new_line),
                                 MintClientSecret(Keys(new_line + old_line), Claims()), kNow)
                  .ok());
}

TEST(AccessToken, IsGoodForOneSessionUntilItExpires) {
  const SigningKeys keys = SigningKeys::Random();
  const std::string token = MintAccessToken(keys, "sess_1", kNow + 60);
  EXPECT_TRUE(VerifyAccessToken(keys, token, "sess_1", kNow).ok());
  EXPECT_EQ(VerifyAccessToken(keys, token, "sess_2", kNow).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(VerifyAccessToken(keys, token, "sess_1", kNow + 60).code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(VerifyAccessToken(SigningKeys::Random(), token, "sess_1", kNow).code(),
            absl::StatusCode::kUnauthenticated);
}

TEST(AccessToken, IsNoClientSecretAndTheOtherWayRound) {
  const SigningKeys keys = SigningKeys::Random();
  const std::string token = MintAccessToken(keys, "backend", kNow + 60);
  EXPECT_FALSE(VerifyClientSecret(keys, "ek_" + token, kNow).ok());
  const std::string secret = MintClientSecret(keys, Claims());
  EXPECT_FALSE(VerifyAccessToken(keys, secret.substr(3), "backend", kNow).ok());
}

TEST(Credential, ComesFromTheHeaderElseFromTheSubprotocol) {
  EXPECT_EQ(CredentialOf(WithHeader("authorization", "bearer  abc")).Reveal(), "abc");
  EXPECT_EQ(CredentialOf(
                WithHeader("Sec-WebSocket-Protocol", "realtime, openai-insecure-api-key.ek_1.2.3"))
                .Reveal(),
            "ek_1.2.3");
  EXPECT_TRUE(CredentialOf(WithHeader("Authorization", "Basic abc")).empty());
  EXPECT_TRUE(CredentialOf(WithHeader("Sec-WebSocket-Protocol", "realtime")).empty());
  EXPECT_TRUE(CredentialOf(HttpRequest{}).empty());
}

std::variant<Caller, Refusal> With(const AuthPolicy& policy, const std::string& credential,
                                   std::int64_t now = kNow) {
  return Authenticate(policy, WithHeader("Authorization", "Bearer " + credential), now);
}

TEST(Authenticate, TellsServersFromBrowsers) {
  const AuthPolicy policy = Policy();
  const auto server = With(policy, std::string(kKey));
  ASSERT_TRUE(std::holds_alternative<Caller>(server));
  EXPECT_EQ(std::get<Caller>(server).name, "backend");
  EXPECT_EQ(std::get<Caller>(server).claims.id, "");
  EXPECT_TRUE(std::get<Caller>(server).may_mint);
  const std::string secret = MintClientSecret(policy.signing_keys, Claims());
  const auto browser = Authenticate(
      policy, WithHeader("Sec-WebSocket-Protocol", "realtime,openai-insecure-api-key." + secret),
      kNow);
  ASSERT_TRUE(std::holds_alternative<Caller>(browser));
  EXPECT_EQ(std::get<Caller>(browser).name, "backend");
  EXPECT_EQ(std::get<Caller>(browser).claims.profile, "interview");
  EXPECT_EQ(std::get<Caller>(browser).claims.id, "secret_1");
  EXPECT_FALSE(std::get<Caller>(browser).may_mint);
}

TEST(Authenticate, SaysWhatIsWrongWithoutRepeatingTheCredential) {
  const AuthPolicy policy = Policy();
  const auto refused = [&](const std::string& credential, std::int64_t now) {
    const auto caller = With(policy, credential, now);
    EXPECT_TRUE(std::holds_alternative<Refusal>(caller)) << credential;
    Refusal refusal = std::get<Refusal>(caller);
    if (!credential.empty()) {
      EXPECT_THAT(refusal.message, Not(HasSubstr(credential)));
    }
    return refusal;
  };
  const std::string secret = MintClientSecret(policy.signing_keys, Claims());
  EXPECT_EQ(refused("", kNow).reason, RefusalReason::kNoCredential);
  EXPECT_EQ(refused("sk-wrong-key", kNow).reason, RefusalReason::kWrongKey);
  EXPECT_EQ(refused("ek_garbage", kNow).reason, RefusalReason::kForged);
  EXPECT_THAT(refused("ek_garbage", kNow).message, HasSubstr("malformed"));
  EXPECT_EQ(refused(secret, kNow + 600).reason, RefusalReason::kExpired);
  const std::string forged = MintClientSecret(SigningKeys::Random(), Claims());
  EXPECT_EQ(refused(forged, kNow).reason, RefusalReason::kForged);
  EXPECT_THAT(refused(forged, kNow).message, HasSubstr("not one of this service"));
}

TEST(Authenticate, NamesWhoseSecretHasExpiredAndBelievesNoForgedOne) {
  const AuthPolicy policy = Policy();
  const std::string secret = MintClientSecret(policy.signing_keys, Claims());
  const auto expired = With(policy, secret, kNow + 600);
  ASSERT_TRUE(std::holds_alternative<Refusal>(expired));
  EXPECT_EQ(std::get<Refusal>(expired).key, "backend");
  EXPECT_EQ(std::get<Refusal>(expired).secret_id, "secret_1");
  for (const std::int64_t now : {kNow, kNow + 600}) {
    const auto forged = With(policy, MintClientSecret(SigningKeys::Random(), Claims()), now);
    ASSERT_TRUE(std::holds_alternative<Refusal>(forged));
    EXPECT_EQ(std::get<Refusal>(forged).reason, RefusalReason::kForged);
    EXPECT_EQ(std::get<Refusal>(forged).key + std::get<Refusal>(forged).secret_id, "");
  }
}

TEST(Authenticate, LetsAnybodyInWhenToldToAndStillReadsClientSecrets) {
  AuthPolicy policy = Policy();
  policy.insecure_no_auth = true;
  const auto anybody = Authenticate(policy, HttpRequest{}, kNow);
  ASSERT_TRUE(std::holds_alternative<Caller>(anybody));
  EXPECT_EQ(std::get<Caller>(anybody).name, "anonymous");
  EXPECT_TRUE(std::get<Caller>(anybody).may_mint);
  EXPECT_TRUE(std::holds_alternative<Caller>(With(policy, "sk-any")));
  const auto browser = With(policy, MintClientSecret(policy.signing_keys, Claims()));
  ASSERT_TRUE(std::holds_alternative<Caller>(browser));
  EXPECT_EQ(std::get<Caller>(browser).claims.profile, "interview");
  EXPECT_EQ(std::get<Caller>(browser).claims.limits.max_sessions, 3);
}

class ClientSecrets : public testing::Test {
 protected:
  HttpResponse Ask(std::string_view body) {
    return RespondClientSecret(policy_, caller_, body, kNow).response;
  }

  void ExpectRefused(std::string_view body, std::string_view code, std::string_view param) {
    const HttpResponse response = Ask(body);
    EXPECT_EQ(response.status, 400U) << body;
    const auto object = ParseObject(response.body);
    ASSERT_TRUE(object.ok()) << response.body;
    const json::object* error = FindObject(*object, "error");
    ASSERT_NE(error, nullptr) << response.body;
    EXPECT_EQ(StringOr(*error, "type"), "invalid_request_error");
    EXPECT_EQ(StringOr(*error, "code"), code) << body;
    EXPECT_EQ(StringOr(*error, "param"), param) << body;
    EXPECT_FALSE(StringOr(*error, "message").empty());
  }

  AuthPolicy policy_ = Policy();
  Caller caller_{.name = "backend", .claims = {}, .may_mint = true};
};

TEST_F(ClientSecrets, AreMintedFromAnEmptyRequest) {
  for (const char* body : {"", " \n", "{}", R"({"session":null,"expires_after":null})"}) {
    const HttpResponse response = Ask(body);
    EXPECT_EQ(response.status, 200U) << response.body;
    EXPECT_EQ(response.content_type, "application/json");
    const auto object = ParseObject(response.body);
    ASSERT_TRUE(object.ok()) << response.body;
    EXPECT_EQ(FindInteger(*object, "expires_at"), kNow + 600);
    const json::object* session = FindObject(*object, "session");
    ASSERT_NE(session, nullptr);
    EXPECT_EQ(StringOr(*session, "type"), "realtime");
    EXPECT_EQ(StringOr(*session, "object"), "realtime.session");
    EXPECT_THAT(std::string(StringOr(*session, "id")), StartsWith("sess_"));
    const auto claims = VerifyClientSecret(policy_.signing_keys, StringOr(*object, "value"), kNow);
    ASSERT_TRUE(claims.ok()) << claims.status();
    EXPECT_EQ(claims->issued_to, "backend");
    EXPECT_EQ(claims->session_json, "");
    EXPECT_EQ(claims->expires_at, kNow + 600);
  }
}

TEST_F(ClientSecrets, KeepTheSessionTheProfileAndTheExpiryThatWereAskedFor) {
  const HttpResponse response =
      Ask(R"({"expires_after":{"anchor":"created_at","seconds":7200},"profile":"interview",)"
          R"("session":{"type":"realtime","audio":{"output":{"voice":"marin"}}}})");
  ASSERT_EQ(response.status, 200U) << response.body;
  const auto object = ParseObject(response.body);
  ASSERT_TRUE(object.ok());
  const json::value* voice = FindPath(*object, "session.audio.output.voice");
  ASSERT_NE(voice, nullptr);
  EXPECT_EQ(*voice, "marin");
  const auto claims = VerifyClientSecret(policy_.signing_keys, StringOr(*object, "value"), kNow);
  ASSERT_TRUE(claims.ok()) << claims.status();
  EXPECT_EQ(claims->profile, "interview");
  EXPECT_EQ(claims->session_json, R"({"type":"realtime","audio":{"output":{"voice":"marin"}}})");
  EXPECT_EQ(claims->expires_at, kNow + 7200);
}

TEST_F(ClientSecrets, NameTheParameterThatIsWrong) {
  const std::string large(5000, 'x');
  ExpectRefused("[", "invalid_json", "");
  ExpectRefused("[]", "invalid_json", "");
  ExpectRefused(R"({"model":"x"})", "unknown_parameter", "model");
  ExpectRefused(R"({"expires_after":600})", "invalid_type", "expires_after");
  ExpectRefused(R"({"expires_after":{"anchor":"now"}})", "invalid_value", "expires_after.anchor");
  ExpectRefused(R"({"expires_after":{"anchor":1}})", "invalid_value", "expires_after.anchor");
  ExpectRefused(R"({"expires_after":{"until":1}})", "unknown_parameter", "expires_after.until");
  ExpectRefused(R"({"expires_after":{"seconds":9}})", "invalid_value", "expires_after.seconds");
  ExpectRefused(R"({"expires_after":{"seconds":7201}})", "invalid_value", "expires_after.seconds");
  ExpectRefused(R"({"expires_after":{"seconds":60.5}})", "invalid_type", "expires_after.seconds");
  ExpectRefused(R"({"expires_after":{"seconds":"60"}})", "invalid_type", "expires_after.seconds");
  ExpectRefused(R"({"session":"x"})", "invalid_type", "session");
  ExpectRefused(R"({"session":{}})", "missing_required_parameter", "session.type");
  ExpectRefused(R"({"session":{"type":1}})", "invalid_type", "session.type");
  ExpectRefused(R"({"session":{"type":"transcription"}})", "invalid_value", "session.type");
  ExpectRefused(R"({"session":{"type":"realtime","instructions":")" + large + "\"}}",
                "invalid_value", "session");
  ExpectRefused(R"({"profile":1})", "invalid_type", "profile");
  ExpectRefused(R"({"profile":""})", "invalid_value", "profile");
  ExpectRefused(R"({"profile":"../etc"})", "invalid_value", "profile");
  ExpectRefused(R"({"profile":"a\u0000b"})", "invalid_value", "profile");
}

TEST_F(ClientSecrets, CarryAnIdAndTheLimitsThatWereAskedFor) {
  const MintedSecret minted =
      RespondClientSecret(policy_, caller_, R"({"limits":{"max_sessions":1}})", kNow);
  const auto object = ParseObject(minted.response.body);
  ASSERT_TRUE(object.ok()) << minted.response.body;
  const auto claims = VerifyClientSecret(policy_.signing_keys, StringOr(*object, "value"), kNow);
  ASSERT_TRUE(claims.ok()) << claims.status();
  EXPECT_THAT(claims->id, StartsWith("secret_"));
  EXPECT_EQ(claims->id, minted.secret_id);
  EXPECT_EQ(claims->limits.max_sessions, 1);
  EXPECT_EQ(claims->limits.session_seconds, 0) << "not limited";
  const MintedSecret other =
      RespondClientSecret(policy_, caller_, R"({"limits":{"session_seconds":86400}})", kNow);
  EXPECT_EQ(other.response.status, 200U) << other.response.body;
  EXPECT_NE(other.secret_id, minted.secret_id);
  EXPECT_EQ(RespondClientSecret(policy_, caller_, "[", kNow).secret_id, "") << "none was minted";
}

TEST_F(ClientSecrets, NameTheLimitThatIsWrong) {
  ExpectRefused(R"({"limits":3})", "invalid_type", "limits");
  ExpectRefused(R"({"limits":{"sessions":3}})", "unknown_parameter", "limits.sessions");
  ExpectRefused(R"({"limits":{"max_sessions":0}})", "invalid_value", "limits.max_sessions");
  ExpectRefused(R"({"limits":{"max_sessions":-1}})", "invalid_value", "limits.max_sessions");
  ExpectRefused(R"({"limits":{"max_sessions":1.5}})", "invalid_type", "limits.max_sessions");
  ExpectRefused(R"({"limits":{"max_sessions":"2"}})", "invalid_type", "limits.max_sessions");
  ExpectRefused(R"({"limits":{"session_seconds":0}})", "invalid_value", "limits.session_seconds");
  ExpectRefused(R"({"limits":{"session_seconds":86401}})", "invalid_value",
                "limits.session_seconds");
  ExpectRefused(R"({"limits":{"max_sessions":1,"session_seconds":[]}})", "invalid_type",
                "limits.session_seconds");
}

TEST_F(ClientSecrets, NeverRepeatASecretInAComplaint) {
  const HttpResponse response =
      Ask(R"({"profile":"sk-live secret","session":{"type":"realtime"}})");
  EXPECT_EQ(response.status, 400U);
  EXPECT_THAT(response.body, Not(HasSubstr("sk-live")));
}

}  // namespace
}  // namespace voicebridge::gateway
