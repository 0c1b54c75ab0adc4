// A hundred conversations at once.
import test from 'node:test';

import {manySessions, withFleet} from './harness.mjs';

const kSessions = 100;

test(`${kSessions} concurrent sessions with recordings of their own, three turns each`, {timeout: 240000}, () =>
  withFleet({}, (fleet) => manySessions(fleet, kSessions)));
