#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge_worker/interview/assessment.h"
#include "common/core/status.h"
#include "common/json/json.h"

namespace voicebridge::worker {
namespace {

// As part of a sentence: enumerators such as `level_up` become words.
std::string Words(std::string_view text) {
  std::string words(text);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool EndsSentence(std::string_view text) {
  constexpr std::string_view kFullStop = "\xE3\x80\x82";  // The ideographic one.
  return text.ends_with('.') || text.ends_with('!') || text.ends_with('?') ||
         text.ends_with(kFullStop);
}

// Collects sentences, each closed by a full stop.
class Speech {
 public:
  void Say(std::string_view sentence) {
    const std::string_view trimmed = Trimmed(sentence);
    if (trimmed.empty()) {
      return;
    }
    text_ += text_.empty() ? "" : " ";
    text_ += trimmed;
    text_ += EndsSentence(trimmed) ? "" : ".";
  }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

struct Domain {
  std::string name;
  std::int64_t rating = 0;
  std::string_view observation;  // Inside of the report.
};

std::vector<Domain> DomainsOf(const json::object& report) {
  std::vector<Domain> domains;
  const json::array* analyses = FindArray(report, "domain_analyses");
  if (analyses == nullptr) {
    return domains;
  }
  for (const json::value& value : *analyses) {
    const json::object* analysis = value.if_object();
    const std::optional<std::int64_t> rating =
        analysis == nullptr ? std::nullopt : FindInteger(*analysis, "rating");
    if (rating) {
      domains.push_back(
          {Words(StringOr(*analysis, "domain")), *rating, StringOr(*analysis, "observation")});
    }
  }
  return domains;
}

void SayDomain(std::string_view introduction, const Domain& domain, Speech& speech) {
  speech.Say(fmt::format("{} is {}, rated {} out of 10", introduction, domain.name, domain.rating));
  speech.Say(domain.observation);
}

// The first of the best and the last of the worst; one domain is not both.
void SayDomains(const std::vector<Domain>& domains, Speech& speech) {
  if (domains.empty()) {
    return;
  }
  const auto by_rating = [](const Domain& left, const Domain& right) {
    return left.rating < right.rating;
  };
  const auto strongest = std::max_element(domains.begin(), domains.end(), by_rating);
  const auto weakest = std::min_element(domains.rbegin(), domains.rend(), by_rating);
  SayDomain("Your strongest area", *strongest, speech);
  if (&*weakest != &*strongest) {
    SayDomain("The area with the most room to grow", *weakest, speech);
  }
}

void SayErrors(const json::object& report, Speech& speech) {
  const json::array* errors = FindArray(report, "logic_errors_to_debug");
  if (errors == nullptr || errors->empty()) {
    return;
  }
  speech.Say(errors->size() == 1 ? std::string("There is one thing to work on")
                                 : fmt::format("There are {} things to work on", errors->size()));
  int number = 0;
  for (const json::value& error : *errors) {
    const std::string_view text =
        error.is_string() ? Trimmed(View(error.get_string())) : std::string_view();
    if (!text.empty()) {
      ++number;
      speech.Say(fmt::format("Number {}: {}", number, text));
    }
  }
}

void SayIfPresent(const json::object& report, std::string_view key, std::string_view introduction,
                  Speech& speech) {
  const std::string_view text = Trimmed(StringOr(report, key));
  if (!text.empty()) {
    speech.Say(fmt::format("{}{}", introduction, text));
  }
}

}  // namespace

std::string SpokenSummary(std::string_view report_json) {
  const absl::StatusOr<json::object> report = ParseObject(report_json);
  Speech speech;
  speech.Say("Thank you for the conversation");
  if (!report.ok()) {
    return speech.text();
  }
  SayIfPresent(*report, "proficiency_level", "Your level is ", speech);
  const std::string phase = Words(Trimmed(StringOr(*report, "ceiling_phase")));
  if (!phase.empty()) {
    speech.Say(fmt::format("You reached your limit in the part called {}", phase));
  }
  SayIfPresent(*report, "ceiling_analysis", "", speech);
  SayDomains(DomainsOf(*report), speech);
  const std::string module = Words(Trimmed(StringOr(*report, "starting_module")));
  if (!module.empty()) {
    speech.Say(fmt::format("A good place to start is {}", module));
  }
  SayErrors(*report, speech);
  SayIfPresent(*report, "optimization_strategy", "As an exercise: ", speech);
  speech.Say("You can read all of this in your report. Keep going!");
  return speech.text();
}

}  // namespace voicebridge::worker
