// Shows a report. All of it is inserted as text: a model wrote it, after listening to anybody.
import {button, element} from './elements.js';
import {kDomainTexts, kInterviewTexts, kLevelTexts, kPhaseTexts, kReportTexts, ratingText} from './interview-messages.js';
import {radarChart} from './radar.js';
import {kLevels, kRatingMax, readReport} from './report.js';

const kShortMax = 12;  // Letters beside the chart.
const kKeptMs = 60000;  // Of what is downloaded; some browsers begin late.

export class ReportView {
  #root;
  #on;
  #shown;
  #voice;

  // `on`: {hush(), startAnew()}.
  constructor(root, on) {
    this.#root = root;
    this.#on = on;
  }

  focus() {
    this.#root.querySelector('h2').focus({preventScroll: true});
    window.scrollTo({top: 0});
  }

  // `date`: of the interview's end.
  show(state, date) {
    this.#root.hidden = state.phase !== 'report';
    if (state.phase !== 'report') {
      return;
    }
    if (this.#shown !== state.report) {
      this.#shown = state.report;
      this.#build(state.report, date);
    }
    this.#voice.hidden = !state.live || !state.playing;
  }

  #build({content, summary}, date) {
    const report = readReport(content);
    this.#voice = element('p', 'voice', element('span', '', kReportTexts.reading), button('quiet', kReportTexts.hush, this.#on.hush));
    this.#voice.id = 'voice';
    const actions = element('div', 'actions',
        button('primary', kReportTexts.print, () => window.print()),
        button('quiet', kReportTexts.download, () => download(content, date)),
        button('quiet', kInterviewTexts.newInterview, this.#on.startAnew));
    this.#root.replaceChildren(
        element('header', 'report-head', heading(report, date), scale(report.level), said(summary, this.#voice), actions),
        report.isEmpty ? element('p', 'card', kReportTexts.empty) : element('div', 'report-grid', overview(report), details(report.domains)),
        next(report));
  }
}

function heading({level}, date) {
  const texts = Object.hasOwn(kLevelTexts, level) ? kLevelTexts[level] : undefined;
  const day = element('time', '', date.toLocaleDateString('en-GB', {day: 'numeric', month: 'long', year: 'numeric'}));
  day.dateTime = date.toISOString().slice(0, 10);
  const title = element('h2', '',
      level ? element('span', 'visually-hidden', `${kReportTexts.level} `) : undefined,
      element('span', texts ? 'level' : 'level other', level || kReportTexts.levelMissing),
      texts && element('span', 'level-name', ` ${texts.name}`));
  title.id = 'report-title';
  title.tabIndex = -1;
  return element('div', 'heading', element('p', 'eyebrow', `${kReportTexts.eyebrow} · `, day), title, texts && element('p', 'level-text', texts.text));
}

// One arch per level, rising; those up to the one reached are built.
function scale(level) {
  const reached = kLevels.indexOf(level);
  const list = element('ol', 'scale', ...kLevels.map((each, i) => {
    const step = element('li', i <= reached ? 'built' : '', element('span', 'arch'), element('span', 'step-name', each));
    if (i === reached) {
      step.setAttribute('aria-current', 'true');
      step.append(element('span', 'visually-hidden', `: ${kReportTexts.reached}`));
    }
    return step;
  }));
  list.setAttribute('aria-label', kReportTexts.scale);
  return list;
}

function said(summary, voice) {
  return summary ? element('section', 'summary', element('h3', '', kReportTexts.summary), element('p', '', summary), voice) : voice;
}

function overview(report) {
  const parts = [];
  if (report.ceiling || report.phase) {
    parts.push(card('ceiling', kReportTexts.ceiling, phaseTag(report.phase), report.ceiling && element('p', '', report.ceiling)));
  }
  if (report.domains.length > 0) {
    parts.push(card('skills', kReportTexts.skills, chart(report.domains), table(report.domains)));
  }
  return element('div', 'column', ...parts);
}

function phaseTag(phase) {
  if (!phase) {
    return undefined;
  }
  const texts = Object.hasOwn(kPhaseTexts, phase) ? kPhaseTexts[phase] : {name: phase};
  return element('p', 'tag', element('b', '', texts.name), texts.text && element('span', '', ` ${texts.text}`));
}

function chart(domains) {
  const axes = domains.filter(({rating}) => rating !== null).map(({key, rating}) => ({label: shortened(domainTexts(key).short), rating}));
  return radarChart(axes, kReportTexts.radar);
}

function table(domains) {
  const rows = domains.map(({key, rating}) => {
    const name = element('th', '', domainTexts(key).name);
    name.scope = 'row';
    return element('tr', '', name, element('td', '', rating === null ? kReportTexts.unrated : String(rating)));
  });
  const columns = [kReportTexts.skill, kReportTexts.rating].map((text) => {
    const column = element('th', '', text);
    column.scope = 'col';
    return column;
  });
  return element('table', 'ratings', element('caption', '', kReportTexts.table), element('thead', '', element('tr', '', ...columns)), element('tbody', '', ...rows));
}

function details(domains) {
  if (domains.length === 0) {
    return undefined;
  }
  return element('section', 'column details', element('h3', '', kReportTexts.details), ...domains.map(domainCard));
}

function domainCard({key, rating, observation, evidence}) {
  const head = element('div', 'domain-head', element('h4', '', domainTexts(key).name), element('p', 'rating', ratingText(rating)));
  return element('article', 'card domain', head, rating === null ? undefined : bar(rating),
      observation ? element('p', '', observation) : undefined, evidence ? quotation(evidence) : undefined);
}

// Beside its number, so nothing for the ear.
function bar(rating) {
  const made = element('div', 'bar10', ...Array.from({length: kRatingMax}, (_, i) => element('span', i < rating ? 'on' : '')));
  made.setAttribute('aria-hidden', 'true');
  return made;
}

function quotation(evidence) {
  const words = element('blockquote', '', evidence);
  words.lang = 'ko';
  return element('figure', 'evidence', element('figcaption', '', kReportTexts.evidence), words);
}

function next({errors, exercise, module}) {
  if (errors.length === 0 && !exercise && !module) {
    return undefined;
  }
  const parts = [];
  if (errors.length > 0) {
    parts.push(card('errors', kReportTexts.errors, element('ol', '', ...errors.map((error) => element('li', '', error)))));
  }
  if (exercise) {
    parts.push(card('exercise', kReportTexts.exercise, element('p', '', exercise)));
  }
  if (module) {
    parts.push(card('module', kReportTexts.module, element('p', 'module-name', module)));
  }
  return element('section', 'next', element('h3', '', kReportTexts.next), element('div', 'next-cards', ...parts));
}

function card(className, title, ...content) {
  const isInNext = className === 'errors' || className === 'exercise' || className === 'module';
  return element('section', `card ${className}`, element(isInNext ? 'h4' : 'h3', '', title), ...content.filter(Boolean));
}

function domainTexts(key) {
  if (Object.hasOwn(kDomainTexts, key)) {
    return kDomainTexts[key];
  }
  const name = key.replaceAll('_', ' ');
  return {name, short: name};
}

function shortened(text) {
  return text.length > kShortMax ? `${text.slice(0, kShortMax - 1)}…` : text;
}

// What was received, whole, whatever of it the page can show.
function download(content, date) {
  const url = URL.createObjectURL(new Blob([`${JSON.stringify(content, null, 2)}\n`], {type: 'application/json'}));
  const link = element('a');
  link.href = url;
  link.download = `interview-report-${date.toISOString().slice(0, 10)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), kKeptMs);
}
