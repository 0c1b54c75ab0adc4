// Ports for those who cannot take one from the kernel (port 0): it gives out none of these by itself, so one is still
// free when its process is started again.
import net from 'node:net';

const kFirst = 10000;  // The kernel's own begin at 32768.
const kBlock = 100;    // Of one test process, so that those beside it look elsewhere.
const kBlocks = 200;

let next = 0;

export async function stablePort() {
  for (let tries = 0; tries < kBlock; ++tries) {
    const port = kFirst + (process.pid % kBlocks) * kBlock + next++ % kBlock;
    if (await isFree(port)) {
      return port;
    }
  }
  throw new Error(`none of ${kBlock} ports is free`);
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
