// A hundred conversations at once, and many short ones.
import test from 'node:test';

import {full, manySessions, shortSessions, withFleet} from './harness.mjs';

const kSessions = 100;
const kShortSessions = full ? 10000 : 300;

test(`${kSessions} concurrent sessions with recordings of their own, three turns each`, {timeout: 240000}, () =>
  withFleet({}, (fleet) => manySessions(fleet, kSessions)));

test(`${kShortSessions} short sessions leave no task, call, thread or descriptor behind`, {timeout: 900000}, () =>
  withFleet({gatewayFlags: ['--max_requests_per_minute_per_address=0']}, (fleet) => shortSessions(fleet, kShortSessions)));
