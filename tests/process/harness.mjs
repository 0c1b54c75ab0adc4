// What process and SDK tests use; the pieces are in harness/.
export * from './harness/audio.mjs';
export * from './harness/client.mjs';
export * from './harness/conversation.mjs';
export * from './harness/fleet.mjs';
export * from './harness/health.mjs';
export * from './harness/http.mjs';
export * from './harness/load.mjs';
export * from './harness/many_sessions.mjs';
export * from './harness/process.mjs';
export * from './harness/proxy.mjs';
export * from './harness/wait.mjs';
