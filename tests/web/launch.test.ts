import { expect, test, vi } from 'vitest';
import { type LaunchQueue, takeLaunched } from '../../web/src/page/launch.js';

type Launch = Parameters<Parameters<LaunchQueue['setConsumer']>[0]>[0];

function installed() {
  let take: (launch: Launch) => void = () => undefined;
  const add = vi.fn<(files: readonly File[]) => void>();
  const failed = { hidden: true } as HTMLElement;
  takeLaunched({ add }, failed, { setConsumer: (consumer) => (take = consumer) });
  const launch = async (...files: NonNullable<Launch['files']>) => {
    take({ files });
    await new Promise((done) => setTimeout(done));
  };
  return { add, failed, launch, start: (params: Launch) => take(params) };
}

const picture = (name: string) => ({ kind: 'file' as const, getFile: async () => new File(['x'], name) });
const gone = { kind: 'file' as const, getFile: () => Promise.reject(new Error('moved')) };

test('all files of a launch are added at once, in their order', async () => {
  const { add, failed, launch } = installed();
  await launch(picture('a.jpg'), picture('b.heic'));
  expect(add.mock.calls.map(([files]) => files.map(({ name }) => name))).toEqual([['a.jpg', 'b.heic']]);
  expect(failed.hidden).toBe(true);
});

test('a file that is gone leaves the others, and is told until the next launch', async () => {
  const { add, failed, launch } = installed();
  await launch(gone, picture('b.jpg'));
  expect(add.mock.calls.map(([files]) => files.map(({ name }) => name))).toEqual([['b.jpg']]);
  expect(failed.hidden).toBe(false);
  await launch(gone);
  expect(add).toHaveBeenCalledTimes(1);
  await launch(picture('c.jpg'));
  expect(failed.hidden).toBe(true);
});

test('a launch without files, and a folder, add nothing', async () => {
  const { add, failed, launch, start } = installed();
  start({});
  await launch({ kind: 'directory', getFile: () => Promise.reject(new Error('none')) });
  expect(add).not.toHaveBeenCalled();
  expect(failed.hidden).toBe(true);
});

test('a browser without a queue is left alone', () => {
  expect(() => takeLaunched({ add: vi.fn() }, {} as HTMLElement, undefined)).not.toThrow();
});
