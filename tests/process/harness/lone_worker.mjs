// A worker with an upstream of its own, where a fleet's would not do: at another address, or in another network.
import path from 'node:path';

import {binDir, ManagedProcess, root} from './process.mjs';

const kElsewhere = ['--admin_listen=127.0.0.1:0', '--ops_listen=127.0.0.1:0', '--insecure_no_auth'];

export class LoneWorker {
  // `command(program, args)`: how the two processes are started. `flags`: of the worker.
  static async start(listen, command = (program, args) => [program, args], flags = []) {
    const lone = new LoneWorker();
    const run = (name, args) => new ManagedProcess(`${name} at ${listen}`, ...command(path.join(binDir, name), args), {env: {OPENAI_API_KEY: 'test-key'}});
    lone.simulator = run('realtime-simulator', ['--listen=127.0.0.1:0']);
    const upstream = await lone.simulator.listening('simulator');
    lone.worker = run('voicebridge-worker', [
      `--listen=${listen}`, ...kElsewhere, `--upstream_url=ws://${upstream}/v1/realtime`, `--responses_url=http://${upstream}/v1/responses`,
      `--profiles=${path.join(root, 'bridge_worker/profiles')}`,
      ...flags,
    ]);
    lone.address = await lone.worker.listening('grpc');
    return lone;
  }

  async stop() {
    await Promise.all([this.worker, this.simulator].map((each) => each.stop('SIGKILL')));
  }
}

// A turn at an upstream that no fleet knows.
export async function isAnswered(client) {
  const {response} = await client.sendTurn(Buffer.alloc(48000));
  return response.status === 'completed';
}
