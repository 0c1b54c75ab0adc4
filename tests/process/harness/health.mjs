// The standard gRPC health service, as a monitoring system would use it.
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

import {patience} from './process.mjs';
import {within} from './wait.mjs';

const kStatus = {UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3};
const kHealth = {
  nested: {grpc: {nested: {health: {nested: {v1: {nested: {
    HealthCheckRequest: {fields: {service: {type: 'string', id: 1}}},
    HealthCheckResponse: {fields: {status: {type: 'ServingStatus', id: 1}}, nested: {ServingStatus: {values: kStatus}}},
    Health: {methods: {
      Check: {requestType: 'HealthCheckRequest', responseType: 'HealthCheckResponse'},
      Watch: {requestType: 'HealthCheckRequest', responseType: 'HealthCheckResponse', responseStream: true},
    }},
  }}}}}}},
};

function healthOf(address) {
  const {Health} = grpc.loadPackageDefinition(protoLoader.fromJSON(kHealth, {enums: String})).grpc.health.v1;
  return new Health(address, grpc.credentials.createInsecure());
}

// What one Check answers.
export async function checkHealth(address, service = '') {
  const client = healthOf(address);
  const answer = new Promise((resolve, reject) => {
    client.check({service}, (error, response) => (error ? reject(error) : resolve(response.status)));
  });
  try {
    return await within(answer, 5000 * patience, `the health of ${address}`);
  } finally {
    client.close();
  }
}

// A Watch call that stays open: `statuses` grows, `stop()` ends it.
export async function watchHealth(address, service = '') {
  const client = healthOf(address);
  const call = client.watch({service});
  const watch = {
    statuses: [],
    ended: undefined,
    stop() {
      call.cancel();
      client.close();
    },
  };
  call.on('error', (error) => {
    watch.ended = error;
  });
  call.on('end', () => {
    watch.ended ??= new Error('the call ended');
  });
  const first = new Promise((resolve, reject) => {
    call.on('data', ({status}) => {
      watch.statuses.push(status);
      resolve();
    });
    call.on('error', reject);
  });
  await within(first, 5000 * patience, `the health of ${address}`);
  return watch;
}
