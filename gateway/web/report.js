// A report as it can be shown, read from what the server sent. Every part may be missing, of another kind, too
// long or unknown, because a model wrote it and a later version of the service may have sent it.

export const kLevels = ['A1', 'A2', 'B1', 'B2', 'C1', 'C2'];
export const kRatingMax = 10;
const kTextMax = 4000;
const kDomainsMax = 10;
const kErrorsMax = 10;

// {level, phase, ceiling, domains: [{key, rating: 1..10|null, observation, evidence}], errors: [], exercise,
// module, isEmpty}; texts are empty where there is nothing.
export function readReport(content) {
  const given = objectOf(content);
  const report = {
    level: textOf(given.proficiency_level),
    phase: textOf(given.ceiling_phase),
    ceiling: textOf(given.ceiling_analysis),
    domains: listOf(given.domain_analyses, kDomainsMax).map(readDomain).filter(({key}) => key !== ''),
    errors: listOf(given.logic_errors_to_debug, kErrorsMax).map(textOf).filter((text) => text !== ''),
    exercise: textOf(given.optimization_strategy),
    module: textOf(given.starting_module),
  };
  return {...report, isEmpty: Object.values(report).every((part) => part.length === 0)};
}

function readDomain(value) {
  const {domain, rating, observation, evidence} = objectOf(value);
  const isRating = Number.isFinite(rating) && rating >= 1 && rating <= kRatingMax;
  return {key: textOf(domain), rating: isRating ? Math.round(rating) : null, observation: textOf(observation), evidence: textOf(evidence)};
}

function objectOf(value) {
  return typeof value === 'object' && value !== null ? value : {};
}

function listOf(value, max) {
  return Array.isArray(value) ? value.slice(0, max) : [];
}

function textOf(value) {
  const text = typeof value === 'string' ? value.trim() : '';
  return text.length > kTextMax ? `${text.slice(0, kTextMax)}…` : text;
}
