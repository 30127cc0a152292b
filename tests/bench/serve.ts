/**
 * npm run bench:serve: `dermlet serve` beside a FastAPI server of the same network on this machine.
 *   npm run bench:serve -- [--requests N] [--at-once N] [--jobs N] [--json FILE] [--no-fastapi]
 * First good pictures alone: requests a second, p50 and p99. Then, `dermlet serve` alone, a mixture of good, broken,
 * slow and aborted requests: each must have its own answer, and memory must stay flat. The client runs on the same
 * cores, so only ratios within one run are worth comparing. FastAPI's packages (0.2 GB) are installed once.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const cache = join(root, '.cache', 'bench', 'fastapi');
const model = join(root, 'models', 'skin-8');
const picture = (name: string): Buffer => readFileSync(join(root, 'tests', 'pictures', name));

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000' },
    'at-once': { type: 'string', default: '8' },
    jobs: { type: 'string', default: '1' },
    json: { type: 'string' },
    'no-fastapi': { type: 'boolean', default: false },
  },
});
const requests = Number(values.requests);
const atOnce = Number(values['at-once']);

const tell = (text: string): void => void process.stderr.write(`${text}\n`);

function multipart(file: Buffer): Buffer {
  const head =
    '--------------------------bench\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n';
  return Buffer.concat([
    Buffer.from(`${head}Content-Type: image/jpeg\r\n\r\n`),
    file,
    Buffer.from('\r\n--------------------------bench--\r\n'),
  ]);
}

/** Aborted by the client; -1: no answer came although it waited for one. */
const ABORTED = 0;
const LOST = -1;

interface Sending {
  /** Milliseconds between the halves of the body. */
  pause?: number;
  /** Milliseconds after which the client leaves. */
  leave?: number;
}

/** @returns the status */
function post(port: number, agent: Agent, body: Buffer, { pause = 0, leave }: Sending = {}): Promise<number> {
  return new Promise((resolve) => {
    const asking = request(
      {
        port,
        host: '127.0.0.1',
        path: '/predict',
        method: 'POST',
        agent,
        headers: {
          'content-type': 'multipart/form-data; boundary=------------------------bench',
          'content-length': body.length,
        },
      },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode!));
        response.on('error', () => resolve(leave === undefined ? LOST : ABORTED));
      },
    );
    asking.on('error', () => resolve(leave === undefined ? LOST : ABORTED));
    asking.setTimeout(120_000, () => asking.destroy());
    if (leave !== undefined) setTimeout(() => asking.destroy(), leave);
    if (pause === 0) return void asking.end(body);
    asking.write(body.subarray(0, body.length / 2));
    setTimeout(() => asking.end(body.subarray(body.length / 2)), pause);
  });
}

/** Runs `count` pieces of work, so many at a time. */
async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

const rank = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;

interface Speed {
  requestsPerSecond: number;
  p50: number;
  p99: number;
  failed: number;
}

async function speed(port: number): Promise<Speed> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const body = multipart(picture('spot.jpg'));
  await inParallel(2 * atOnce, async () => void (await post(port, agent, body)));
  const times: number[] = [];
  let failed = 0;
  const began = performance.now();
  await inParallel(requests, async () => {
    const own = performance.now();
    if ((await post(port, agent, body)) !== 200) failed++;
    times.push(performance.now() - own);
  });
  const seconds = (performance.now() - began) / 1000;
  agent.destroy();
  times.sort((a, b) => a - b);
  return { requestsPerSecond: requests / seconds, p50: rank(times, 0.5), p99: rank(times, 0.99), failed };
}

/** Megabytes that a process has in memory; 0 where the system does not say. */
function megabytes({ pid }: ChildProcess): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

interface Mixed {
  statuses: Record<string, number>;
  wrong: number;
  lost: number;
  megabytes: number[];
  logged: number;
}

/** Of ten requests: five good ones, two broken, one that is no picture, one slow, one that leaves. */
async function mixed(port: number, child: ChildProcess, logged: () => number): Promise<Mixed> {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  const good = multipart(picture('spot.jpg'));
  const kinds: { body: Buffer; sending?: Sending; answers: number[] }[] = [
    ...Array.from({ length: 5 }, () => ({ body: good, answers: [200] })),
    { body: multipart(picture('cut-off.jpg')), answers: [422] },
    { body: multipart(picture('corrupt.png')), answers: [422] },
    { body: multipart(picture('document.pdf')), answers: [400] },
    { body: good, sending: { pause: 200 }, answers: [200] },
    { body: good, sending: { leave: 15 }, answers: [ABORTED, 200] },
  ];
  await new Promise((resolve) => setTimeout(resolve, 1000)); // lines still on their way
  const before = logged();
  const statuses: Record<string, number> = {};
  const memory: number[] = [];
  let wrong = 0;
  let lost = 0;
  await inParallel(requests, async (index) => {
    const { body, sending, answers } = kinds[index % kinds.length]!;
    const status = await post(port, agent, body, sending);
    const name = status === ABORTED ? 'left' : String(status);
    statuses[name] = (statuses[name] ?? 0) + 1;
    if (status === LOST) lost++;
    else if (!answers.includes(status)) wrong++;
    if (index % Math.max(1, Math.floor(requests / 10)) === 0) memory.push(Math.round(megabytes(child)));
  });
  agent.destroy();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return { statuses, wrong, lost, megabytes: memory, logged: logged() - before };
}

/** Starts a server, and resolves once `health` says that it has its model. */
async function start(command: string, args: string[], port: number, env: NodeJS.ProcessEnv = {}) {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let lines = 0;
  child.stdout.on('data', (data: Buffer) => {
    for (const byte of data) if (byte === 0x0a) lines++;
  });
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
    const status = await fetch(`http://127.0.0.1:${port}/health`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return { child, logged: () => lines };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  child.kill();
  throw new Error(`${command} did not start`);
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.kill('SIGTERM');
  await ended;
}

function run(command: string, args: string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? String(status)}`);
}

/** Its Python, installed where that was not done for this very lock. */
function fastapiPython(): string {
  const locked = join(here, 'fastapi', 'locked.txt');
  const done = join(cache, 'complete');
  const python = join(cache, 'venv', 'bin', 'python');
  const text = readFileSync(locked, 'utf8');
  if (existsSync(done) && readFileSync(done, 'utf8') === text) return python;
  tell('Installing FastAPI and ONNX Runtime ...');
  run('python3', ['-m', 'venv', '--clear', join(cache, 'venv')]);
  const asLocked = ['--require-hashes', '--no-deps', '--only-binary', ':all:', '-r', locked];
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...asLocked]);
  writeFileSync(done, text);
  return python;
}

const PORTS = { dermlet: 18_431, fastapi: 18_432 };

tell(`dermlet serve, ${values.jobs} engine(s), ${atOnce} requests at once ...`);
const own = await start(
  process.execPath,
  [
    '--import',
    'tsx',
    'tools/cli/main.ts',
    'serve',
    '--port',
    String(PORTS.dermlet),
    '--jobs',
    values.jobs,
    '--queue',
    '100',
  ],
  PORTS.dermlet,
);
const dermlet = await speed(PORTS.dermlet);
tell('... good, broken, slow and aborted requests ...');
const mixture = await mixed(PORTS.dermlet, own.child, own.logged);
await stop(own.child);
let fastapi: Speed | null = null;
if (!values['no-fastapi']) {
  const python = fastapiPython();
  tell('FastAPI ...');
  const args = ['-m', 'uvicorn', 'server:app', '--port', String(PORTS.fastapi), '--app-dir', join(here, 'fastapi')];
  const peer = await start(python, args, PORTS.fastapi, { MODEL: model, THREADS: values.jobs });
  fastapi = await speed(PORTS.fastapi);
  await stop(peer.child);
}

const row = (name: string, { requestsPerSecond, p50, p99, failed }: Speed) =>
  `${name.padEnd(22)}${requestsPerSecond.toFixed(1).padStart(12)}${p50.toFixed(0).padStart(10)}${p99.toFixed(0).padStart(10)}${String(failed).padStart(8)}`;
console.log(`${requests} requests, ${atOnce} at once, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})`);
console.log(`${''.padEnd(22)}  requests/s    p50 ms    p99 ms  failed`);
console.log(row('dermlet serve', dermlet));
if (fastapi) console.log(row('FastAPI, onnxruntime', fastapi));
console.log(
  `mixed: ${JSON.stringify(mixture.statuses)}, ${mixture.wrong} wrong, ${mixture.lost} lost, ${mixture.logged} logged`,
);
console.log(`memory while mixed, MB: ${mixture.megabytes.join(' ')}`);
if (values.json)
  writeFileSync(values.json, `${JSON.stringify({ requests, atOnce, dermlet, fastapi, mixed: mixture }, null, 2)}\n`);
// From the fourth of ten on: what a first picture of a kind brings in is no leak.
const [settled = 0] = mixture.megabytes.slice(3);
const grew = (mixture.megabytes.at(-1) ?? 0) - settled;
if (mixture.wrong + mixture.lost > 0 || mixture.logged !== requests || grew > 50) process.exitCode = 1;
