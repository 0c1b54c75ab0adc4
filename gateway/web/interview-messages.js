// Every text about an interview's end and its report; the others are in messages.js.

export const kInterviewTexts = {
  finish: 'Finish interview',
  leave: 'Leave',
  finishTitle: 'Finish the interview now?',
  finishText: 'Your report is then written from what was said so far.',
  finishYes: 'Get my report',
  finishNo: 'Go on talking',
  lastReport: 'Show the last report',
  newInterview: 'Start a new interview',
  retry: 'Write the report again',
  askAgain: 'Look again',
  steps: 'How far the report is',
};

export const kReportTexts = {
  eyebrow: 'Interview report',
  levelMissing: 'Your report',
  level: 'Level',
  scale: 'The scale from A1 to C2',
  reached: 'your level',
  summary: 'In short',
  reading: 'Being read aloud',
  hush: 'Stop reading',
  print: 'Print',
  download: 'Download JSON',
  ceiling: 'Where it became hard',
  skills: 'Your skills at a glance',
  radar: 'Radar chart of the ratings; the table below it has the numbers.',
  table: 'Ratings from 1 to 10',
  skill: 'Skill',
  rating: 'Rating',
  unrated: 'not rated',
  details: 'Skill by skill',
  evidence: 'What you said',
  next: 'What to do next',
  errors: 'Errors to fix first',
  exercise: 'Exercise of the week',
  module: 'Start here',
  empty: 'This page cannot show what is in the report. The download has all of it.',
};

export const kLevelTexts = {
  A1: {name: 'Beginner', text: 'You can use familiar words and short phrases.'},
  A2: {name: 'Elementary', text: 'You can talk about yourself and everyday matters in simple exchanges.'},
  B1: {name: 'Intermediate', text: 'You can tell what happened, give reasons and keep a conversation going.'},
  B2: {name: 'Upper intermediate', text: 'You can discuss opinions fluently and react without preparation.'},
  C1: {name: 'Advanced', text: 'You can express yourself precisely, also on abstract and demanding topics.'},
  C2: {name: 'Mastery', text: 'You can say anything, with the finest shades of meaning.'},
};

export const kPhaseTexts = {
  'warm-up': {name: 'Warm-up', text: 'Name, home and hobbies'},
  'level-up': {name: 'Level-up', text: 'From familiar topics to opinions'},
  probe: {name: 'Probe', text: 'Questions that press on what you have said'},
};

// `short`: beside the chart, where room is scarce.
export const kDomainTexts = {
  fluency_interaction: {name: 'Fluency and interaction', short: 'Fluency'},
  grammar: {name: 'Grammar', short: 'Grammar'},
  lexical: {name: 'Vocabulary', short: 'Vocabulary'},
  coherence: {name: 'Coherence', short: 'Coherence'},
  pragmatic: {name: 'Politeness and register', short: 'Register'},
};

export function ratingText(rating) {
  return rating === null ? kReportTexts.unrated : `${rating} of 10`;
}

const kHints = {
  lost: 'The connection is gone, but the report is not: this page asks for it every two seconds.',
  drained: 'The service is being updated. Your report still comes: another part of the service writes it, and this page asks for it every two seconds.',
};

// What is being done, and what to expect.
export function assessmentTexts({assessment, live, drained}) {
  const hint = live ? 'This usually takes less than a minute.' : drained ? kHints.drained : kHints.lost;
  switch (assessment.stage) {
    case 'queued':
      return {name: 'Waiting in the queue', hint};
    case 'writing':
      return {name: 'Writing your report', hint};
    default:
      return {name: 'The interview is over', hint: live ? 'Thank you. Your report comes next.' : hint};
  }
}

export function stepTexts({stage, position, attempt}) {
  return [
    {text: 'Interview finished', done: true},
    {text: stage === 'queued' && position ? `In the queue, place ${position}` : 'In the queue', done: stage === 'writing', now: stage !== 'writing'},
    {text: stage === 'writing' && attempt > 1 ? `Being written, try ${attempt}` : 'Being written', now: stage === 'writing'},
  ];
}

// Why there is no report, and what to do.
export const kFailures = {
  failed: {title: 'The report could not be written', advice: 'Nothing of your interview is lost. It can be written again without a new one.'},
  late: {title: 'The report takes longer than expected', advice: 'It is not lost. Look again in a few minutes; this page remembers your interview while this tab is open.'},
  unreachable: {title: 'The service cannot be reached', advice: 'Your interview is kept there. Check your network, then look again.'},
  gone: {title: 'There is no report of this interview', advice: 'It may not have come to an assessment, or the time to read it is over.'},
};
