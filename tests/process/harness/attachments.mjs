// Where sessions are, by what workers log.
import {logged} from './faults.mjs';

export const attachmentsOf = (worker) => logged(worker, 'session.attached');

// The worker of the fleet that the session was attached to last; undefined when it is none of them.
export function holderOf(fleet, {about}) {
  const all = fleet.workers.flatMap((worker) => attachmentsOf(worker).filter(({session}) => session === about.session_id).map(({epoch}) => ({worker, epoch})));
  return all.sort((a, b) => b.epoch - a.epoch)[0]?.worker;
}
