// Where sessions are, by what workers log; a line may come later than what it tells of.
import {logged} from './faults.mjs';
import {patience} from './process.mjs';
import {waitUntil} from './wait.mjs';

export const attachmentsOf = (worker) => logged(worker, 'session.attached');

// Which of the workers a session was attached to, of one that was not moved.
export function holderOf(workers, {about}) {
  const holds = (worker) => attachmentsOf(worker).some(({session}) => session === about.session_id);
  return waitUntil(() => workers.find(holds), {
    ms: 3000 * patience, what: `${workers.map(({name}) => name).join(' or ')} to log session ${about.session_id}`, got: () => workers.map((worker) => worker.tail(5)).join('\n'),
  });
}

// The sessions were attached to this worker, if to others before.
export async function checkHolds(worker, clients) {
  await Promise.all(clients.map((client) => holderOf([worker], client)));
}
