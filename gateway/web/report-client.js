// A session's report by HTTP, for when there is no connection that would bring it.

const kAnswerMaxMs = 8000;
const kAskEveryMs = 2000;
// Longer than a queue and an assessment may take. Afterwards the user decides.
const kAskMaxMs = 5 * 60 * 1000;

// {is: found, id, state, content} | {is: missing} | {is: refused} | {is: unreachable}
export async function askForReport(session) {
  const response = await request(session, 'GET', 'report');
  if (!response?.ok) {
    return {is: meaningOf(response)};
  }
  try {
    const {assessment_id: id, state, report: content} = await response.json();
    return {is: 'found', id, state, content};
  } catch {
    return {is: 'unreachable'};
  }
}

// Whether it is being assessed (again), or why not.
export async function retryAssessment(session) {
  const response = await request(session, 'POST', 'assessment/retry');
  const isUnderWay = response?.ok || response?.status === 409;
  return {is: isUnderWay ? 'found' : meaningOf(response)};
}

async function request({sessionId, accessToken}, method, what) {
  const url = new URL(`/v1/sessions/${encodeURIComponent(sessionId)}/${what}`, location.href);
  try {
    return await fetch(url, {method, headers: {Authorization: `Bearer ${accessToken}`}, cache: 'no-store', signal: AbortSignal.timeout(kAnswerMaxMs)});
  } catch {
    return undefined;
  }
}

function meaningOf(response) {
  if (response?.status === 404) {
    return 'missing';
  }
  return response?.status === 401 || response?.status === 403 ? 'refused' : 'unreachable';
}

// Asks again and again, until there is an end or time is over.
export class ReportPoll {
  #ask;
  #on;
  #clock;
  #runs = 0;

  // `on`: {answered(found), gaveUp(name)}; after gaveUp() it has stopped, as after a report or a failure.
  constructor({ask = askForReport, on, clock = kClock}) {
    this.#ask = ask;
    this.#on = on;
    this.#clock = clock;
  }

  // `first`: what is to be asked before all else, as retryAssessment.
  async start(session, first = () => ({is: 'found'})) {
    const run = ++this.#runs;
    const {is: begun} = await first(session);
    if (run !== this.#runs) {
      return;
    }
    if (begun !== 'found') {
      this.#on.gaveUp(begun === 'unreachable' ? 'unreachable' : 'gone');
      return;
    }
    const end = this.#clock.now() + kAskMaxMs;
    for (;;) {
      const answer = await this.#ask(session);
      if (run !== this.#runs || this.#isOver(answer, end)) {
        return;
      }
      await this.#clock.pause(kAskEveryMs);
      if (run !== this.#runs) {
        return;
      }
    }
  }

  stop() {
    this.#runs += 1;
  }

  #isOver(answer, end) {
    if (answer.is === 'found') {
      this.#on.answered(answer);
    }
    const isLate = this.#clock.now() >= end;
    if (answer.is === 'missing' || answer.is === 'refused') {
      this.#on.gaveUp('gone');
      return true;
    }
    if (answer.state === 'completed' || answer.state === 'failed') {
      return true;
    }
    if (isLate) {
      this.#on.gaveUp(answer.is === 'found' ? 'late' : 'unreachable');
    }
    return isLate;
  }
}

const kClock = {
  now: () => performance.now(),
  pause: (ms) => new Promise((resolve) => {
    setTimeout(resolve, ms);
  }),
};
