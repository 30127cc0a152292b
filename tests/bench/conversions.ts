/** The shipped network in the forms that peers take. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const model = join(here, '..', '..', 'models', 'skin-8');

interface Manifest {
  file: { path: string; sha256: string };
  input: { width: number; height: number; mean: number[]; std: number[] };
  classes: { id: string }[];
}

const manifest = () => JSON.parse(readFileSync(join(model, 'manifest.json'), 'utf8')) as Manifest;

/** Writes the folder that transformers.js loads: its two descriptions beside the same ONNX file. */
export function forTransformers(folder: string): void {
  const { file, input, classes } = manifest();
  const config = {
    model_type: 'efficientnet',
    architectures: ['EfficientNetForImageClassification'],
    id2label: Object.fromEntries(classes.map(({ id }, index) => [index, id])),
  };
  const preprocessing = {
    image_processor_type: 'EfficientNetImageProcessor',
    do_resize: true,
    size: { width: input.width, height: input.height },
    resample: 3, // bicubic
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: input.mean.map((value) => value / 255),
    image_std: input.std.map((value) => value / 255),
  };
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(preprocessing));
  copyFileSync(join(model, file.path), join(folder, 'onnx', 'model.onnx'));
}

function run(command: string, args: string[]): void {
  const { status, error, stderr } = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? ''}`);
}

/** Paths of the network as TFLite by kind of number; converted where that was not done for this very network. */
export async function asTflite(cache: string, tell: (text: string) => void): Promise<Record<string, string>> {
  const { file } = manifest();
  const locked = join(here, 'tflite', 'locked.txt');
  const python = join(cache, 'venv', 'bin', 'python');
  const folder = join(cache, 'tflite', file.sha256.slice(0, 16));
  const paths = { float: join(folder, 'float.tflite'), int8: join(folder, 'int8.tflite') };
  if (Object.values(paths).every(existsSync)) return paths;
  if (!existsSync(join(cache, 'venv', 'complete'))) {
    tell('Installing TensorFlow for the conversion to TFLite ...');
    run('python3', ['-m', 'venv', '--clear', join(cache, 'venv')]);
    const asLocked = ['--require-hashes', '--no-deps', '--only-binary', ':all:', '-r', locked];
    run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...asLocked]);
    writeFileSync(join(cache, 'venv', 'complete'), '');
  }
  tell('Converting the network to TFLite ...');
  run(python, [join(here, 'tflite', 'convert.py'), '--model', join(model, file.path), '--out', folder]);
  return paths;
}
