/**
 * The whole path of a custom model: `finetune --from models/skin-8` on drawn pictures of one modality, then the folder
 * it wrote in the page. Needs the training tool's Python (DERMLET_PYTHON, else build/train-venv, which `npm test`
 * makes).
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from './fixtures.js';
import { expectSame, nodeResult } from './node-result.js';
import { root } from './site.js';

const MINUTES = 60_000;
const python = process.env.DERMLET_PYTHON ?? join(root, 'build', 'train-venv', 'bin', 'python');
const tool = join(root, 'tools', 'train');

function ask(args: string[]): Promise<{ stdout: string }> {
  const env = { ...process.env, OMP_NUM_THREADS: '1', PYTHONPATH: join(tool, 'tests') };
  return promisify(execFile)(python, args, { cwd: tool, env, maxBuffer: 64 << 20 });
}

test('a model fine-tuned from skin-8 on photos alone works in the page as in Node', async ({ app, page, site }) => {
  test.setTimeout(10 * MINUTES);
  const folder = mkdtempSync(join(tmpdir(), 'dermlet-finetune-'));
  try {
    const photos = join(folder, 'photos');
    const model = join(folder, 'my-clinic');
    await ask([
      '-c',
      `import pathlib, prepare_drawn; prepare_drawn.kind_folders(pathlib.Path(${JSON.stringify(photos)}), 11)`,
    ]);
    const quick = [
      '--epochs',
      '1',
      '--workers',
      '0',
      '--threads',
      '1',
      '--set',
      'samples_per_epoch=16',
      '--set',
      'precision=fp32',
    ];
    const { stdout } = await ask([
      '-m',
      'dermlet_train',
      'finetune',
      '--from',
      '../../models/skin-8',
      '--data',
      photos,
      '--out',
      model,
      ...quick,
    ]);
    expect(stdout).toContain('3 classes, 3 of them known to skin-8: mel, nv, vasc');
    expect(stdout).toContain('fits the schema, and `classify` ran it');

    const manifest = JSON.parse(readFileSync(join(model, 'manifest.json'), 'utf8')) as {
      modalities: { id: string }[];
      quality: { modalities: object };
    };
    expect(manifest.modalities.map(({ id }) => id)).toEqual(['photo']);
    expect(Object.keys(manifest.quality.modalities)).toEqual(['photo']);

    for (const file of readdirSync(model))
      site.answers.set(`models/my-clinic/${file}`, { body: readFileSync(join(model, file)) });
    site.addPage(
      'mine.html',
      '<dermlet-classifier model="models/my-clinic/" backend="wasm"></dermlet-classifier>' +
        '<script type="module" src="dermlet.js"></script>',
    );
    await page.goto(`${site.url}mine.html`);
    await page.getByRole('button', { name: 'Choose photos' }).focus();
    await app.untilReady();
    const picture = join(photos, 'nevus', 'nv-1.png');
    const result = await app.classify(picture);
    expect(result.model.name).toBe('my-clinic');
    expect(result.ranking.map(({ id }) => id).sort()).toEqual(['mel', 'nv', 'vasc']);
    expect(result.ranking.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 6);
    expectSame(result, await nodeResult(picture, model));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
