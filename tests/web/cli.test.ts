/** The command line from outside: processes, exit statuses, what they print. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Result } from '../../web/src/classifier/result.js';
import { modelFolder, picturePath, root, runCli as run, withCombination } from './support.js';

let folder: string;
let combining: string;
beforeAll(() => {
  combining = modelFolder(withCombination);
  folder = mkdtempSync(join(tmpdir(), 'dermlet-cli-'));
  mkdirSync(join(folder, 'images', 'drawn'), { recursive: true });
  mkdirSync(join(folder, 'images', 'empty', '.hidden'), { recursive: true });
  for (const name of ['spot.jpg', 'spot.png', 'orientation-6.jpg', 'flat.png', 'cut-off.jpg'])
    copyFileSync(picturePath(name), join(folder, 'images', 'drawn', name));
  mkdirSync(join(folder, 'images', 'turned'));
  for (const name of ['orientation-1.jpg', 'orientation-3.jpg'])
    copyFileSync(picturePath(name), join(folder, 'images', 'turned', name));
});
afterAll(() => [folder, combining].forEach((path) => rmSync(path, { recursive: true })));

describe('classify', () => {
  test('prints a picture for people', async () => {
    const { code, out, err } = await run('classify', picturePath('spot.jpg'), '--explain');
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toMatch(/Looks most like: .*score \d+ %/);
    expect(out).toMatch(/● .*█.* \d+\.\d %/);
    expect(out).toContain('see a doctor whatever this page shows');
    expect(out).not.toMatch(/\bsafe\b|detects|diagnosis|you have/i);
    for (const line of out.split('\n')) expect([...line].length).toBeLessThanOrEqual(100);
  });

  test('--json: one object for one file, all of a Result in it', async () => {
    const { code, out } = await run(
      'classify',
      picturePath('spot.jpg'),
      '--json',
      '--modality',
      'dermoscopy',
      '--crop',
      '100,50,400,300',
    );
    expect(code).toBe(0);
    const answer = JSON.parse(out) as Result & { file: string };
    expect(answer).toMatchObject({
      file: picturePath('spot.jpg'),
      resultVersion: 2,
      modality: 'dermoscopy',
      runtime: { backend: 'wasm' },
    });
    expect(answer.source.region).toEqual({ x: 150, y: 50, width: 300, height: 300 });
    expect(answer.ranking).toHaveLength(8);
    expect(answer.images).toBeUndefined();
  });

  test('--json of many: each error with its code, the others still done, in order, in threads', async () => {
    const names = [
      'document.pdf',
      'picture.gif',
      'spot.jpg',
      'cut-off.jpg',
      'corrupt.png',
      'huge.png',
      'empty.jpg',
      'missing.jpg',
      'tiny.png',
    ];
    const { code, out, err } = await run('classify', ...names.map(picturePath), '--json', '--jobs', '2');
    expect(code).toBe(1);
    const answers = JSON.parse(out) as { file: string; error?: { code: string }; outcome?: string }[];
    expect(answers.map(({ file }) => file)).toEqual(names.map(picturePath));
    expect(answers.map(({ error, outcome }) => error?.code ?? outcome)).toEqual([
      'UNSUPPORTED_FORMAT',
      'UNSUPPORTED_FORMAT',
      expect.stringMatching(/single|several/),
      'CORRUPT_IMAGE',
      'CORRUPT_IMAGE',
      'IMAGE_TOO_LARGE',
      'CORRUPT_IMAGE',
      'UNREADABLE_FILE',
      'poor-quality',
    ]);
    expect(err.trim().split('\n')).toHaveLength(8);
    expect(err).toMatch(/2 classified, 7 failed\n$/);
    expect(err).toMatch(/document\.pdf: UNSUPPORTED_FORMAT: .*PDF/);
  });

  test('--json: what a decoder logs stays out of the answers', async () => {
    const names = ['corrupt.heic', 'lossy.heic'].map((name) => picturePath(`foreign/${name}`));
    const { out, err } = await run('classify', ...names, '--json');
    const answers = JSON.parse(out) as { file: string; error?: { code: string }; source?: object }[];
    expect(answers).toMatchObject([
      { file: names[0], error: { code: 'CORRUPT_IMAGE' } },
      { file: names[1], source: { decodePath: 'libheif' } },
    ]);
    // It does log: without these words the test would see nothing.
    expect(err).toContain('Decoding image failed');
  });

  test('searches folders, and speaks as the retired servers did', async () => {
    const [predict, diagnosis] = await Promise.all([
      run('classify', join(folder, 'images', 'drawn'), '--format', 'predict'),
      run('classify', picturePath('flat.png'), '--format', 'diagnosis'),
    ]);
    expect(predict.code).toBe(1); // cut-off.jpg
    const answers = JSON.parse(predict.out) as {
      file: string;
      predicted_class?: string | null;
      all_predictions?: unknown[];
    }[];
    expect(answers.map(({ file }) => file.slice(file.lastIndexOf('/') + 1))).toEqual([
      'cut-off.jpg',
      'flat.png',
      'orientation-6.jpg',
      'spot.jpg',
      'spot.png',
    ]);
    expect(answers[3]!.all_predictions).toHaveLength(3);
    expect(answers[1]).toMatchObject({ predicted_class: null, all_predictions: [] });
    expect(JSON.parse(diagnosis.out)).toMatchObject({ label: null, severity: 'Unknown', isSafe: false });
  });

  test('--lesion --json: two pictures, one result', async () => {
    const files = [picturePath('spot.jpg'), picturePath('orientation-6.jpg')];
    const { code, out } = await run(
      'classify',
      ...files,
      '--lesion',
      '--model',
      combining,
      '--modality',
      'dermoscopy,photo',
      '--json',
    );
    expect(code).toBe(0);
    const answer = JSON.parse(out) as Result & { files: string[] };
    expect(answer).toMatchObject({ files, resultVersion: 2, testTimeAugmentation: false, modality: 'dermoscopy' });
    expect(answer.lesion).toMatchObject({
      combined: true,
      primaryIndex: 0,
      perPicture: [{ modality: 'dermoscopy' }, { modality: 'photo' }],
    });
  });

  test('--lesion --test-time-augmentation for people, with what each picture comes to alone', async () => {
    const files = [picturePath('spot.jpg'), picturePath('orientation-6.jpg')];
    const { code, out, err } = await run(
      'classify',
      ...files,
      '--lesion',
      '--model',
      combining,
      '--modality',
      'dermoscopy,photo',
      '--test-time-augmentation',
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`${files.join(' + ')}\n`);
    expect(out).toMatch(
      /Both pictures together; each alone:\n[\s\S]*spot\.jpg \(dermoscopy\): .*\n[\s\S]*orientation-6\.jpg \(photo\): /,
    );
    expect(out).toMatch(/Test-time augmentation: the mean over turns and reflections/);
  });

  test('--lesion leaves out what is not usable, and says so', async () => {
    const { code, out } = await run(
      'classify',
      picturePath('flat.png'),
      picturePath('spot.jpg'),
      '--lesion',
      '--modality',
      'photo',
    );
    expect(code).toBe(0);
    expect(out).toMatch(/Not combined: .*left out/);
    expect(out).toMatch(/flat\.png \(photo\): not usable/);
  });

  test('--test-time-augmentation: each picture, in threads', async () => {
    const { code, out } = await run(
      'classify',
      picturePath('spot.jpg'),
      picturePath('orientation-1.jpg'),
      '--test-time-augmentation',
      '--json',
      '--jobs',
      '2',
    );
    expect(code).toBe(0);
    expect(
      (JSON.parse(out) as Result[]).map(({ testTimeAugmentation, lesion }) => [testTimeAugmentation, lesion]),
    ).toEqual([
      [true, undefined],
      [true, undefined],
    ]);
  });

  test('--lesion with a broken picture says which', async () => {
    const files = [picturePath('spot.jpg'), picturePath('cut-off.jpg')];
    const { code, out, err } = await run('classify', ...files, '--lesion', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      files,
      error: { code: 'CORRUPT_IMAGE', message: expect.stringMatching(/^Picture 2: /) as string },
    });
    expect(err).toMatch(/spot\.jpg \+ .*cut-off\.jpg: CORRUPT_IMAGE: Picture 2/);
  });

  test.each([
    [['classify', 'x.jpg', '--lesion'], /needs two files.*not 1/],
    [['classify', 'a.jpg', 'b.jpg', 'c.jpg', '--lesion'], /not 3/],
    [['classify', 'a.jpg', 'b.jpg', '--lesion', '--crop', '0,0,9,9'], /--crop/],
    [['classify', 'a.jpg', 'b.jpg', '--modality', 'dermoscopy,photo'], /--modality names 2/],
    [['classify', 'a.jpg', 'b.jpg', '--lesion', '--modality', 'dermoscopy,xray'], /'xray'; it knows/],
    [['classify'], /at least one file/],
    [['classify', 'x.jpg', '--format', 'xml'], /predict, diagnosis or fhir/],
    [['classify', 'x.jpg', '--crop', '1,2,3'], /--crop/],
    [['classify', 'x.jpg', '--jobs', '0'], /--jobs/],
    [['classify', 'x.jpg', '--modality', 'xray'], /'xray'; it knows/],
    [['classify', 'x.jpg', '--surprise'], /--surprise/],
    [['detect', 'x.jpg'], /no command 'detect'/],
  ])('%j is wrong use', async (args, message) => {
    const { code, err, out } = await run(...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err).toContain('Use:');
    // What is wrong is not scrolled away: the rest of the help is a command away.
    expect(err.split('\n').length).toBeLessThan(40);
    expect(out).toBe('');
  });

  test('--help tells of one command, or of all', async () => {
    const [all, one] = await Promise.all([run('--help'), run('atlas', '--help')]);
    expect([all.code, one.code]).toEqual([0, 0]);
    for (const command of ['classify', 'evaluate', 'merge', 'serve', 'retrain', 'export-head', 'atlas', 'check-model'])
      expect(all.out).toMatch(new RegExp(`^${command}  `, 'm'));
    expect(one.out).toMatch(/^Use:\n.*atlas.* --images DIR --out FILE/);
    expect(one.out).toMatch(/^ {2}--names/m);
    expect(one.out).toContain('Exit status');
    expect(one.out).not.toMatch(/^(classify|evaluate|serve) {2}/m);
  });

  test('--model takes a folder or a name, and says which names there are', async () => {
    const ask = (model: string) => run('classify', picturePath('spot.jpg'), '--json', '--model', model);
    const [folder, { code, err }] = await Promise.all([ask(join(root, 'models', 'skin-8')), ask('skin-9')]);
    expect(folder.code).toBe(0);
    expect((JSON.parse(folder.out) as Result).model.name).toBe('skin-8');
    expect(code).toBe(2);
    expect(err).toMatch(/^There is no model 'skin-9'; there is .*skin-8/);
  });

  test('no model is an error of its own', async () => {
    const { code, err } = await run('classify', picturePath('spot.jpg'), '--model', join(folder, 'nowhere'));
    expect(code).toBe(1);
    expect(err).toMatch(/^MODEL_UNAVAILABLE: .*manifest\.json/);
  });
});

describe('evaluate', () => {
  const csv = (rows: string[]): string => {
    const path = join(folder, 'labels.csv');
    writeFileSync(path, `${['set,image,label,group,split,modality,source_label,skin_tone', ...rows].join('\n')}\n`);
    return path;
  };

  test('measures, writes both files whole, and drops nothing silently', async () => {
    const labels = csv([
      'drawn,spot.jpg,nv,g1,val,photo,"NV/Nevus, drawn",fitzpatrick:3',
      'drawn,spot.png,scc,g1,val,photo,,',
      'drawn,orientation-6.jpg,wart,g2,val,photo,,',
      'drawn,other-1.jpg,constructor,g2,val,photo,,',
      'drawn,other-2.jpg,__proto__,g2,val,photo,,',
      'drawn,other-3.jpg,__proto__,g2,val,photo,,',
      'drawn,flat.png,none,g3,val,photo,wall,',
      'drawn,cut-off.jpg,nv,g4,val,photo,,',
      'drawn,missing.jpg,nv,g5,val,photo,,',
      'drawn,spot.jpg,nv,g6,train,photo,,',
    ]);
    const [json, predictions] = [join(folder, 'out.json'), join(folder, 'out.csv')];
    const { code, out, err } = await run(
      ...[
        'evaluate',
        '--labels',
        labels,
        '--images',
        join(folder, 'images'),
        '--split',
        'val',
        '--merge',
        'scc:akiec',
        '--part',
        'drawn-8:drawn',
        '--json',
        json,
        '--predictions',
        predictions,
        '--jobs',
        '1',
      ],
    );
    expect(code).toBe(0);
    expect(err).toMatch(/skipped: 1 picture with the label 'wart'/);
    expect(err).toMatch(/skipped: 1 picture with the label 'constructor'/);
    expect(err).toMatch(/skipped: 2 pictures with the label '__proto__'/);
    expect(err).toMatch(/unreadable: drawn\/cut-off\.jpg: CORRUPT_IMAGE/);
    expect(err).toMatch(/unreadable: drawn\/missing\.jpg: UNREADABLE_FILE/);
    expect(err).toMatch(/5\/5 pictures, [\d.]+ images\/s/);
    expect(out).toMatch(/balanced accuracy/);
    const written = JSON.parse(readFileSync(json, 'utf8')) as Record<string, unknown>;
    expect(written).toMatchObject({
      evaluationVersion: 2,
      classes: ['akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc'],
      counts: { rows: 9, evaluated: 3, unreadable: 2, unknownLabels: { wart: 1, constructor: 1 } },
      overall: { pictures: 2, groups: 1, malignant: { classes: ['bcc', 'mel', 'scc'], pictures: 1 } },
      parts: {
        'drawn-8': { classes: ['akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'scc', 'vasc'], lesions: { pictures: 2 } },
      },
      bySkinTone: {
        drawn: { 'fitzpatrick:3': { pictures: 1, groups: 1, figures: null }, 'not stated': { pictures: 1 } },
      },
      refusal: { byKind: { 'none: wall': { pictures: 1, poorQuality: 1, shareRefused: 1 } } },
    });
    const lines = readFileSync(predictions, 'utf8').trim().split('\n');
    expect(lines[0]).toBe('set,image,outcome,rejection,akiec,bcc,bkl,df,mel,nv,vasc,tier,prediction_set');
    expect(lines).toHaveLength(4);
    for (const line of lines.slice(1)) {
      const cells = line.split(',');
      const classes = lines[0]!.split(',').slice(4, -2);
      const scores = cells.slice(4, -2).map(Number);
      expect(scores.reduce((total, value) => total + value, 0)).toBeCloseTo(1, 4);
      const [outcome, tier, set] = [cells[2]!, cells.at(-2)!, cells.at(-1)!.split(' ').filter(Boolean)];
      const named = outcome === 'single' || outcome === 'several';
      expect(tier).toMatch(named ? /^(low|moderate|high)$/ : /^unknown$/);
      expect(set.length > 0).toBe(named);
      for (const id of set) expect(classes).toContain(id);
    }
    expect(existsSync(`${json}.part`)).toBe(false);
  });

  test('exit status 1 only when nothing could be read', async () => {
    const labels = csv(['drawn,missing.jpg,nv,g,val,photo,,']);
    const { code, err } = await run(
      'evaluate',
      '--labels',
      labels,
      '--images',
      join(folder, 'images'),
      '--json',
      join(folder, 'none.json'),
      '--jobs',
      '1',
    );
    expect(err).toMatch(/missing\.jpg/);
    expect(code).toBe(1);
  });

  test('--pairs and --test-time-augmentation: both pictures of a lesion together, each alone, in one run', async () => {
    const labels = csv([
      'drawn,spot.jpg,nv,g1,val,dermoscopy,,',
      'drawn,spot.png,nv,g1,val,photo,,',
      'drawn,orientation-6.jpg,mel,g2,val,photo,,',
      'drawn,cut-off.jpg,mel,g2,val,dermoscopy,,',
      'turned,orientation-1.jpg,other,g3,val,photo,,',
      'turned,orientation-3.jpg,other,g3,val,dermoscopy,,',
    ]);
    const json = join(folder, 'pairs.json');
    const input = { width: 32, height: 32, mean: [128, 128, 128], std: [64, 64, 64] };
    const tiny = modelFolder(
      (shipped) => withCombination({ ...shipped, input: { ...shipped.input, ...input } }),
      'any',
    );
    const { code, out, err } = await run(
      ...[
        'evaluate',
        '--labels',
        labels,
        '--images',
        join(folder, 'images'),
        '--model',
        tiny,
        '--json',
        json,
        '--jobs',
        '1',
        '--pairs',
        '--test-time-augmentation',
      ],
    );
    rmSync(tiny, { recursive: true });
    expect(code).toBe(0);
    // Six pictures and the pairs of g1 and g2; that of g2 holds a picture that cannot be read, and what is none of the
    // classes is not paired.
    expect(err).toMatch(/8\/8 pictures/);
    expect(err.match(/unreadable:/g)).toHaveLength(1);
    expect(out).toMatch(/1 lesion with both pictures +dermoscopy +photo +both together/);
    const written = JSON.parse(readFileSync(json, 'utf8')) as Record<string, unknown>;
    expect(written).toMatchObject({
      options: { testTimeAugmentation: true },
      counts: { evaluated: 5, unreadable: 1 },
      overall: { pictures: 3 },
      pairs: {
        lesions: 1,
        modalities: ['dermoscopy', 'photo'],
        alone: { photo: { pictures: 1 } },
        together: { pictures: 1 },
      },
    });
  });

  test('--pairs of a model that combines nothing is wrong use', async () => {
    const labels = csv(['drawn,missing.jpg,nv,g,val,photo,,']);
    const alone = modelFolder(({ combination: _left, ...json }) => json);
    const { code, err } = await run(
      'evaluate',
      '--labels',
      labels,
      '--images',
      'x',
      '--json',
      'y',
      '--pairs',
      '--model',
      alone,
    );
    rmSync(alone, { recursive: true });
    expect(err).toMatch(/--pairs: the model does not say how/);
    expect(code).toBe(2);
  });

  test('a part of a set that is not there is found before a picture is opened', async () => {
    const labels = csv(['drawn,missing.jpg,nv,g,val,photo,,']);
    const { code, err } = await run(
      'evaluate',
      '--labels',
      labels,
      '--images',
      'x',
      '--json',
      'y',
      '--part',
      'a:painted',
    );
    expect(err).toMatch(/--part a: no chosen row is of the set 'painted'; there are drawn/);
    expect(code).toBe(2);
  });

  test.each([
    [['--images', 'x', '--json', 'y'], /needs --labels/],
    [['--labels', 'nowhere.csv', '--images', 'x', '--json', 'y'], /nowhere\.csv could not be read/],
    [['--labels', 'nowhere.csv', '--images', 'x', '--json', 'y', '--merge', 'scc:xyz'], /no class 'xyz'/],
    [['--labels', 'nowhere.csv', '--images', 'x', '--json', 'y', '--positive', 'xyz'], /no class 'xyz'/],
    [
      ['--labels', 'nowhere.csv', '--images', 'x', '--json', 'y', '--malignant', 'mel,xyz'],
      /--malignant: there is no class 'xyz'/,
    ],
    [['--labels', 'nowhere.csv', '--images', 'x', '--json', 'y', '--part', 'drawn'], /--part must be NAME:SET/],
  ])('%j is wrong use', async (args, message) => {
    const { code, err } = await run('evaluate', ...args);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});
