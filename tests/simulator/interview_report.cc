#include "tests/simulator/interview_report.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/core/status.h"
#include "tests/simulator/first_bytes.h"
#include "tests/simulator/json_sample.h"

namespace voicebridge::simulator {
namespace {

constexpr std::size_t kQuoteBytes = 240;

struct DomainText {
  std::string_view name;  // As the enumerator begins.
  std::int64_t rating;
  std::string_view observation;
};
constexpr std::array<DomainText, 5> kDomains = {
    {{"fluency", 6, "You answer at once and keep a turn going for two or three sentences."},
     {"grammar", 5, "Past and present are steady; reasons and conditions still cost you effort."},
     {"lexical", 5, "Everyday words are there; for opinions you fall back on the same few verbs."},
     {"coherence", 6, "Your sentences follow each other; the links between them are few."},
     {"pragmatic", 4, "You stay polite, but under pressure the endings become uneven."}}};
constexpr std::string_view kMadeUpQuote = "저는 주말에 친구하고 영화를 봤어요.";

bool IsHangul(std::string_view text) {
  // Syllables are U+AC00 to U+D7A3: three bytes, the first from EA to ED.
  return std::any_of(text.begin(), text.end(), [](char byte) {
    const auto value = static_cast<unsigned char>(byte);
    return value >= 0xEA && value <= 0xED;
  });
}

// What the user said, line by line; the Korean lines only, when there are any.
std::vector<std::string> QuotesIn(std::string_view input) {
  std::vector<std::string> quotes;
  while (!input.empty()) {
    const std::size_t end = input.find('\n');
    const auto line = ParseObject(input.substr(0, end));
    input = end == std::string_view::npos ? "" : input.substr(end + 1);
    const std::string_view text = line.ok() ? StringOr(*line, "text") : "";
    if (!text.empty() && StringOr(*line, "speaker") == "user") {
      quotes.emplace_back(FirstBytes(text, kQuoteBytes));
    }
  }
  if (std::any_of(quotes.begin(), quotes.end(), IsHangul)) {
    std::erase_if(quotes, [](const std::string& quote) { return !IsHangul(quote); });
  }
  if (quotes.empty()) {
    quotes.emplace_back(kMadeUpQuote);
  }
  return quotes;
}

// Sets a text that stands in the schema's enumeration or, where there is none, within its length.
void SetText(json::object& target, const json::object& properties, std::string_view key,
             std::string_view text) {
  const json::object* property = FindObject(properties, key);
  if (property == nullptr) {
    return;
  }
  const json::array* allowed = FindArray(*property, "enum");
  const auto longest = FindInteger(*property, "maxLength");
  const bool fits =
      allowed == nullptr
          ? !longest || static_cast<std::int64_t>(text.size()) <= *longest
          : std::find(allowed->begin(), allowed->end(), json::value(text)) != allowed->end();
  if (fits) {
    target[key] = text;
  }
}

std::vector<std::string> DomainNames(const json::object& item_properties) {
  const json::object* domain = FindObject(item_properties, "domain");
  const json::array* listed = domain == nullptr ? nullptr : FindArray(*domain, "enum");
  std::vector<std::string> names;
  if (listed != nullptr) {
    for (const json::value& name : *listed) {
      names.emplace_back(name.is_string() ? View(name.get_string()) : "");
    }
    return names;
  }
  for (const DomainText& known : kDomains) {
    names.emplace_back(known.name);
  }
  return names;
}

const DomainText& TextOf(std::string_view domain, std::size_t index) {
  const auto* known = std::find_if(kDomains.begin(), kDomains.end(), [&](const DomainText& one) {
    return domain.starts_with(one.name);
  });
  return known == kDomains.end() ? kDomains[index % kDomains.size()] : *known;
}

std::int64_t Within(const json::object& properties, std::string_view key, std::int64_t number) {
  const json::object* property = FindObject(properties, key);
  if (property == nullptr) {
    return number;
  }
  const std::int64_t least = FindInteger(*property, "minimum").value_or(number);
  const std::int64_t most = FindInteger(*property, "maximum").value_or(number);
  return std::clamp(number, std::min(least, number), std::max(most, least));
}

json::array Domains(const json::object& list, const std::vector<std::string>& quotes) {
  json::array domains;
  const json::object* item = FindObject(list, "items");
  const json::object* properties = item == nullptr ? nullptr : FindObject(*item, "properties");
  if (properties == nullptr) {
    return domains;
  }
  std::size_t index = 0;
  for (const std::string& name : DomainNames(*properties)) {
    const DomainText& text = TextOf(name, index);
    json::object domain = SampleOf(*item, SampleKind::kPlausible).as_object();
    domain["domain"] = name;
    if (properties->contains("rating")) {
      const std::int64_t rating = Within(*properties, "rating", text.rating);
      const std::int64_t most = Within(*properties, "rating", 10);
      domain["rating"] = std::min(rating, most);
    }
    SetText(domain, *properties, "observation", text.observation);
    SetText(domain, *properties, "evidence", quotes[index % quotes.size()]);
    domains.push_back(std::move(domain));
    ++index;
  }
  return domains;
}

void WriteErrors(json::object& report, const std::vector<std::string>& quotes) {
  json::value* errors = report.if_contains("logic_errors_to_debug");
  if (errors == nullptr || !errors->is_array()) {
    return;
  }
  std::size_t index = 0;
  for (json::value& error : errors->get_array()) {
    if (error.is_string()) {
      const std::string& quote = quotes[(quotes.size() - 1 + index) % quotes.size()];
      error =
          fmt::format("“{}”: {}", quote,
                      index % 2 == 0 ? "say the reason with -기 때문에 instead of a new sentence."
                                     : "keep the polite ending to the last word.");
    }
    ++index;
  }
}

}  // namespace

std::optional<json::object> InterviewReport(const json::object& schema, std::string_view input) {
  const json::object* properties = FindObject(schema, "properties");
  const json::object* domains =
      properties == nullptr ? nullptr : FindObject(*properties, "domain_analyses");
  if (domains == nullptr || FindObject(*properties, "proficiency_level") == nullptr) {
    return std::nullopt;
  }
  const std::vector<std::string> quotes = QuotesIn(input);
  json::object report = SampleOf(schema, SampleKind::kPlausible).as_object();
  report["domain_analyses"] = Domains(*domains, quotes);
  WriteErrors(report, quotes);
  SetText(report, *properties, "proficiency_level", "B1");
  SetText(report, *properties, "ceiling_phase", "level-up");
  SetText(report, *properties, "ceiling_analysis",
          "You tell what happened without help. When asked for an opinion and its reasons, your "
          "answers became short and you looked for words.");
  SetText(report, *properties, "starting_module", "B1-2 Giving reasons");
  SetText(report, *properties, "optimization_strategy",
          "Each day this week, say one opinion aloud in four sentences: the opinion, two reasons, "
          "and what somebody else might say.");
  return report;
}

}  // namespace voicebridge::simulator
