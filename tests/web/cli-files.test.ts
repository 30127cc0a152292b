/** The command line among files of any kind, long runs that end early, and text that would rather be more than text. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readArchive } from '../../tools/cli/archive.js';
import { distinctRows, readLabels } from '../../tools/cli/labels.js';
import { writeAll } from '../../tools/cli/output.js';
import { findPictures } from '../../tools/cli/pictures.js';
import { plain, plainJson, strangersName } from '../../tools/cli/plain.js';
import { MAX_FILE_BYTES, readPictureFile } from '../../web/src/classifier/node/index.js';
import { expectCode, modelFolder, picturePath, runCli as run, startCli as start } from './support.js';

interface Line {
  run: string;
  file: string;
  outcome?: string;
  error?: { code: string; message: string };
}
const lines = (text: string): Line[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'dermlet-files-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const place = (name: string): string => {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
};
const put = (path: string): void => copyFileSync(picturePath('spot.jpg'), path);
const FORGED = 'x\n  ● mole\u001b[31m\u202egpj.jpg';

describe('files', () => {
  test('what is no picture is named, what is no file is refused at once, and the rest is answered', async () => {
    const pictures = place('mixed');
    put(join(pictures, 'no-extension'));
    put(join(pictures, FORGED));
    put(join(pictures, '.hidden.jpg'));
    writeFileSync(join(pictures, 'notes.jpg'), 'these are notes\n');
    writeFileSync(join(pictures, 'scan.tiff'), 'II*\0\x08\0\0\0\0\0');
    execFileSync('mkfifo', [join(pictures, 'pipe.jpg')]);
    symlinkSync('/dev/zero', join(pictures, 'zero.jpg'));
    mkdirSync(join(pictures, 'folder.jpg'));
    symlinkSync('..', join(pictures, 'folder.jpg', 'loop'));
    put(join(pictures, 'folder.jpg', 'deep.jpg'));
    const { code, out, err } = await run('classify', pictures, '--ndjson', '--jobs', '2');
    expect(code).toBe(1);
    const states = Object.fromEntries(
      lines(out).map(({ file, error }) => [file.slice(pictures.length + 1), error?.message ?? 'answered']),
    );
    expect(states).toEqual({
      'no-extension': 'answered',
      [FORGED]: 'answered',
      'folder.jpg/deep.jpg': 'answered',
      'folder.jpg/loop': expect.stringMatching(/link to a folder/) as string,
      'notes.jpg': expect.stringMatching(/text file/) as string,
      'scan.tiff': expect.stringMatching(/TIFF/) as string,
      'pipe.jpg': 'This is a pipe, not a file.',
      'zero.jpg': 'This is a device, not a file.',
    });
    expect(err).toMatch(/^skipped: .*notes\.jpg: .*text file/m);
    expect(err).toMatch(/3 classified, 2 failed, 3 skipped, 1 hidden one left out\n$/);
    // Nothing that a terminal acts on, in JSON neither.
    expect(out + err).not.toMatch(/[^\P{C}\n]/u);
  });

  test('the same file name for people forges no line', async () => {
    const path = join(folder, FORGED.replace('●', '* '));
    put(path);
    const { code, out } = await run('classify', path);
    expect(code).toBe(0);
    expect(out.split('\n')[0]).toBe(
      path.replace('\n', '\\x0a').replace('\u001b', '\\x1b').replace('\u202e', '\\u{202e}'),
    );
  });

  // Whoever is root reads every folder.
  test.skipIf(process.getuid?.() === 0)('a folder that cannot be read is one entry of many', async () => {
    const pictures = place('locked');
    mkdirSync(join(pictures, 'a'), { mode: 0 });
    put(join(pictures, 'b.jpg'));
    const { code, out } = await run('classify', pictures, '--ndjson');
    chmodSync(join(pictures, 'a'), 0o700);
    expect(code).toBe(1);
    expect(lines(out).map(({ error }) => error?.message.slice(0, 32))).toEqual([
      'This folder could not be read, a',
      undefined,
    ]);
  });

  test('a folder that is gone once it is looked into is an entry, and what comes after it is found', async () => {
    const pictures = place('vanishing');
    mkdirSync(join(pictures, 'b'));
    for (const name of ['a.jpg', 'c.jpg']) put(join(pictures, name));
    const found: [string, string | undefined][] = [];
    for await (const { path, problem } of findPictures([pictures], () => undefined)) {
      found.push([path.slice(pictures.length + 1), problem?.message]);
      // What was a folder when it was listed, and can be entered no more.
      if (path.endsWith('a.jpg')) makeUnreadable(join(pictures, 'b'));
    }
    expect(found.map(([path]) => path)).toEqual(['a.jpg', 'b', 'c.jpg']);
  });

  test('20,000 names in one folder are walked in a few seconds, in the order of their bytes', async () => {
    const pictures = place('flat');
    const names = Array.from({ length: 20_000 }, (_, i) => `${i}.jpg`);
    for (const name of names) closeSync(openSync(join(pictures, name), 'w'));
    const began = process.cpuUsage();
    const found: string[] = [];
    for await (const { path } of findPictures([pictures], () => undefined)) found.push(path);
    const { user, system } = process.cpuUsage(began);
    rmSync(pictures, { recursive: true });
    expect(found).toEqual(names.sort().map((name) => join(pictures, name)));
    // Of the processor, whatever else it does: work for each name that grows with the folder would be minutes.
    expect((user + system) / 1e6).toBeLessThan(10);
  }, 120_000);

  test('names that are not UTF-8', async () => {
    const pictures = place('latin');
    const raw = Buffer.concat([Buffer.from(`${pictures}/caf`), Buffer.of(0xe9), Buffer.from('.jpg')]);
    copyFileSync(picturePath('spot.jpg'), raw);
    const { code, out } = await run('classify', pictures, '--json');
    expect(code).toBe(0);
    expect((JSON.parse(out) as Line[]).map(({ file }) => file)).toEqual([`${pictures}/caf\\xe9.jpg`]);
    // A table whose bytes are those of the name.
    const labels = join(folder, 'latin.csv');
    writeFileSync(
      labels,
      Buffer.concat([Buffer.from('set,image,label\nlatin,caf'), Buffer.of(0xe9), Buffer.from('.jpg,nv\n')]),
    );
    const json = join(folder, 'latin.json');
    const evaluated = await run('evaluate', '--labels', labels, '--images', folder, '--json', json);
    expect(evaluated.code).toBe(0);
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({ counts: { evaluated: 1, unreadable: 0 } });
  });

  test('only regular files are read, and no more than 64 MiB of them', async () => {
    await expectCode(readPictureFile('/dev/zero'), 'UNREADABLE_FILE', /a device/);
    await expectCode(readPictureFile(folder), 'UNREADABLE_FILE', /a folder/);
    await expectCode(readPictureFile(join(folder, 'nowhere')), 'UNREADABLE_FILE', /could not be read/);
    const socket = join(folder, 'socket.jpg');
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(socket, resolve));
    await expectCode(readPictureFile(socket), 'UNREADABLE_FILE', /a socket/);
    server.close();
    const large = join(folder, 'large.jpg');
    writeFileSync(large, '');
    truncateSync(large, MAX_FILE_BYTES + 1);
    await expectCode(readPictureFile(large), 'IMAGE_TOO_LARGE', /67108865 bytes/);
    truncateSync(large, MAX_FILE_BYTES);
    expect((await readPictureFile(large)).length).toBe(MAX_FILE_BYTES);
    rmSync(large);
    // States no size, and has content all the same.
    expect((await readPictureFile('/proc/self/status')).length).toBeGreaterThan(100);
  });

  test('an archive with pipes, devices and endless files in it is read, and they fail as pictures do', async () => {
    const archive = place('archive');
    for (const label of ['a', 'b']) mkdirSync(join(archive, label));
    put(join(archive, 'a', 'spot.jpg'));
    put(join(archive, 'a', 'spot-again.jpg'));
    execFileSync('mkfifo', [join(archive, 'a', 'pipe.jpg')]);
    symlinkSync('/dev/zero', join(archive, 'b', 'zero.jpg'));
    writeFileSync(join(archive, 'b', 'large.jpg'), '');
    truncateSync(join(archive, 'b', 'large.jpg'), MAX_FILE_BYTES + 1);
    const { pictures, repeated } = await readArchive(archive);
    expect(repeated).toBe(1);
    expect(pictures.map(({ path, sha256 }) => [path.slice(archive.length + 1), sha256.length])).toEqual([
      ['a/pipe.jpg', 0],
      ['a/spot-again.jpg', 64],
      ['b/large.jpg', 0],
      ['b/zero.jpg', 0],
    ]);
    // What stands in for an atlas or a head is no longer waited for either.
    for (const trap of [join(archive, 'a', 'pipe.jpg'), '/dev/zero']) {
      for (const option of ['--head', '--atlas']) {
        const { code, err } = await run('classify', picturePath('spot.jpg'), option, trap);
        expect({ option, code }).toEqual({ option, code: 2 });
        expect(err).toContain('cannot be read from');
      }
    }
  });
});

/** Replaces a folder by a link that leads nowhere. */
function makeUnreadable(path: string): void {
  rmSync(path, { recursive: true });
  symlinkSync('/nowhere', path);
}

describe('long runs', () => {
  test('--ndjson --output: interrupted, cut off, and gone on with', async () => {
    const pictures = place('many');
    for (let i = 0; i < 40; i++) put(join(pictures, `${String(i).padStart(2, '0')}.jpg`));
    const output = join(folder, 'many.ndjson');
    const args = ['classify', pictures, '--ndjson', '--output', output, '--test-time-augmentation'];
    const { child, ran } = start(args);
    while (!existsSync(output) || readFileSync(output, 'utf8').split('\n').length < 3)
      await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const stopped = await ran;
    expect(stopped.code).toBe(130);
    expect(stopped.err).toMatch(/Stopping: [\s\S]*\d classified\n$/);
    const before = lines(readFileSync(output, 'utf8'));
    expect(before.length).toBeGreaterThanOrEqual(2);
    expect(before.length).toBeLessThan(40);
    // As after a crash in the midst of a line.
    truncateSync(output, Buffer.byteLength(readFileSync(output, 'utf8')) - 7);

    const again = await run(...args);
    expect(again.code).toBe(2);
    expect(again.err).toMatch(/there is a file already; --resume/);
    const other = await run(...args, '--resume', '--crop', 'whole');
    expect(other.code).toBe(2);
    expect(other.err).toMatch(/line 1 is of another model or of other options/);
    for (const name of ['05', '06', '07']) rmSync(join(pictures, `${name}.jpg`), { force: true });
    for (let i = 8; i < 40; i++) rmSync(join(pictures, `${String(i).padStart(2, '0')}.jpg`));
    const resumed = await run(...args, '--resume');
    expect(resumed.code).toBe(0);
    expect(resumed.err).toMatch(new RegExp(`${Math.min(before.length - 1, 5)} answered before\n$`));
    const all = lines(readFileSync(output, 'utf8'));
    const files = all.map(({ file }) => file);
    expect(new Set(files).size).toBe(files.length);
    for (const name of ['00', '01', '02', '03', '04']) expect(files).toContain(join(pictures, `${name}.jpg`));
  }, 120_000);

  test('an interrupted --json is still an array', async () => {
    const paths = Array.from({ length: 30 }, () => picturePath('spot.jpg'));
    const { child, ran } = start(['classify', ...paths, '--json', '--test-time-augmentation']);
    child.stdout!.once('data', () => child.kill('SIGINT'));
    const { code, out } = await ran;
    expect(code).toBe(130);
    const { length } = JSON.parse(out) as Line[];
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThan(30);
  }, 120_000);

  test('time limits', async () => {
    const { code, out, err } = await run('classify', picturePath('spot.jpg'), '--timeout', '0.01');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/BACKEND_FAILED: This took longer than 0\.0 s|BACKEND_FAILED: This took longer than 0 s/);
  });

  test.each([
    [['--resume'], /--resume needs --ndjson and --output/],
    [['--output', 'x'], /--output needs/],
    [['--ndjson', '--output', '/nowhere/x'], /\/nowhere\/x could not be written/],
    [['--timeout', '-1'], /--timeout/],
  ])('%j is wrong use', async (args, message) => {
    const { code, err } = await run('classify', picturePath('spot.jpg'), ...args);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});

describe('a full disk', () => {
  test.each([['--json'], ['--ndjson'], ['--explain']])('classify %s fails loudly', async (option) => {
    const full = openSync('/dev/full', 'w');
    const { code, err } = await start(['classify', picturePath('spot.jpg'), option], full).ran;
    expect(code).toBe(1);
    expect(err).toMatch(/stdout could not be written to the end: .*no space left/);
  });

  test('evaluate keeps its figures elsewhere and says where', async () => {
    const pictures = place('set');
    put(join(pictures, 'a.jpg'));
    const labels = join(folder, 'one.csv');
    writeFileSync(labels, 'set;image;label\nset;a.jpg;nv\nset;a.jpg;nv\n');
    const common = ['evaluate', '--labels', labels, '--images', folder, '--json'];
    const { code, out, err } = await run(...common, '/dev/full');
    expect(code).toBe(1);
    expect(out).toMatch(/1 picture classified/);
    expect(err).toMatch(/left out: 1 row that repeats another/);
    const rescued = /\/dev\/full could not be written: .*Its content lies in (.*) now\./.exec(err)![1]!;
    expect(JSON.parse(readFileSync(rescued, 'utf8'))).toMatchObject({ counts: { rows: 1, repeated: 1, evaluated: 1 } });
    rmSync(join(rescued, '..'), { recursive: true });
    expect(existsSync('/dev/full')).toBe(true);
    for (const path of ['/nowhere/x.json', folder]) {
      const early = await run(...common, path);
      expect(early.code).toBe(2);
      expect(early.err).toContain(`${path} could not be written`);
      expect(early.err).not.toContain('pictures/s');
    }
  }, 60_000);

  test('a pipe whose reader stops is no error', async () => {
    const { child, ran } = start(['classify', picturePath('spot.jpg'), picturePath('spot.jpg'), '--ndjson']);
    child.stdout!.destroy();
    expect((await ran).code).toBe(0);
  });

  test('writes go on until all is written', () => {
    const path = join(folder, 'whole');
    const fd = openSync(path, 'w');
    const text = 'ä'.repeat(3_000_000);
    writeAll(fd, text, path);
    expect(readFileSync(path, 'utf8') === text).toBe(true);
  });
});

describe('tables', () => {
  const table = (content: string | Buffer): string => {
    const path = join(folder, 'table.csv');
    writeFileSync(path, content);
    return path;
  };
  const TEXT = 'set;image;label\ns;"a,b.jpg";nv\n';

  test.each([
    ['semicolons', TEXT],
    ['a byte order mark', `\ufeff${TEXT}`],
    ['UTF-16, little end first', Buffer.from(`\ufeff${TEXT}`, 'utf16le')],
    ['UTF-16, big end first', Buffer.from(`\ufeff${TEXT}`, 'utf16le').swap16()],
    ['UTF-16 without a mark', Buffer.from(TEXT, 'utf16le')],
    ['tabs', 'set\timage\tlabel\ns\ta,b.jpg\tnv\n'],
  ])('%s', async (_name, content) => {
    expect(await readLabels(table(content))).toMatchObject([{ set: 's', image: 'a,b.jpg', label: 'nv' }]);
  });

  test('a picture counts once, and contradictions are named', async () => {
    const rows = await readLabels(table('set,image,label\ns,a.jpg,nv\ns,./a.jpg,nv\ns,b.jpg,mel\n'));
    expect(distinctRows(rows)).toEqual({ rows: [rows[0], rows[2]], repeated: 1 });
    expect(() => distinctRows([...rows, { ...rows[2]!, label: 'nv' }])).toThrow(
      /^1 row contradicts an earlier one of the same picture: s\/b\.jpg: label 'mel' and 'nv'\./,
    );
    expect(() => distinctRows([...rows, { ...rows[2]!, modality: 'photo' }])).toThrow(/modality '' and 'photo'/);
  });
});

describe("strangers' text", () => {
  test('what cannot be seen is written out', () => {
    expect(plain('a\r\nb\u009b1m\u2066c\u2028d\ud800')).toBe('a\\x0d\\x0ab\\x9b1m\\u{2066}c\\u{2028}d\\u{d800}');
    expect(plain('👩‍🔬 نه‌خیر')).toBe('👩‍🔬 نه‌خیر');
    const text = '\u007f\u009b\u202e\u{e0001}\n"\\';
    expect(plainJson([text])).toMatch(/^[ -~]+$/);
    expect(JSON.parse(plainJson([text], 2))).toEqual([text]);
  });
  test('a foreign name is in quotes and ends', () => {
    expect(strangersName('a "b"')).toBe('"a \'b\'"');
    expect([...strangersName('x '.repeat(500))]).toHaveLength(82);
  });

  const foreignModel = (name: string) =>
    modelFolder((shipped) => ({
      ...shipped,
      classes: (shipped.classes as object[]).map((entry) => ({ ...entry, name })),
    }));

  test("a foreign model's names are set apart, and cannot pass for the tool's own", async () => {
    const model = foreignModel('mole", nothing to see a doctor for. "Names in quotes are the tool’s');
    const { code, out } = await run('classify', picturePath('spot.jpg'), '--model', model);
    rmSync(model, { recursive: true });
    expect(code).toBe(0);
    expect(out).toContain('"mole\', nothing to see a doctor for.');
    expect(out).toMatch(/The names in quotes are those of the model/);
  });

  test('names that would act on a terminal are refused, and do not act in the refusal', async () => {
    const name = `mole\n\n${picturePath('spot.jpg')}\n  Nothing to see a doctor for\u001b[2J\u202e${'x'.repeat(5000)}`;
    const model = foreignModel(name);
    const { code, out, err } = await run('classify', picturePath('spot.jpg'), '--model', model);
    rmSync(model, { recursive: true });
    expect(code).not.toBe(0);
    expect(out).toBe('');
    expect(err).not.toMatch(/[^\P{C}\n]/u);
    expect(err).toMatch(/name/);
    expect(err.length).toBeLessThan(5000);
  });
});
