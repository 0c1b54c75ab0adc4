// Several shards per process: what is owned by one shard stays there, what crosses is counted right.
import test from 'node:test';

import {manySessions, withFleet} from './harness.mjs';

test('30 sessions over three shards in each process', {timeout: 240000}, () =>
  withFleet({gatewayFlags: ['--shards=3'], workerFlags: ['--shards=3']}, (fleet) => manySessions(fleet, 30)));
