/**
 * Results as DICOM structured reports: the tree, and the files that `classify --dicom-sr` writes, read back byte by
 * byte by another library than the one that wrote them.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import dicomParser, { type DataSet } from 'dicom-parser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dicomSourceOf } from '../../tools/cli/dicom-source.js';
import { type Reports, reportsIn } from '../../tools/cli/dicom-sr.js';
import type { Result } from '../../web/src/classifier/result.js';
import { type DicomDataset, toDicomSr } from '../../web/src/handler/index.js';
import { dicom, element, IMAGE, identified, PATIENT } from './dicom-file.js';
import { expectCode, picture, picturePath, result, root, startCli } from './support.js';

const at = new Date(Date.UTC(2026, 10, 29, 20, 5, 6, 78));
const sha256 = 'ab'.repeat(32);
const scored = result(
  [
    ['mel', 0.6123456789012345, 'high', true],
    ['nv', 0.3, 'low', true],
    ['a-category-with-a-long-id', 0.0876543210987655, 'low', false],
  ],
  'several',
  'high',
);
const refused = result([['mel', 0.99, 'high', true]], 'poor-quality', 'unknown');
const spot = picture('spot-422.jpg');
const source = (other: Parameters<typeof identified>[0] = {}, patient: string | Uint8Array = PATIENT) =>
  dicom({ parts: [spot], more: identified(other), patient });

// --- What was written, as another library reads it.

const bytesAt = (data: DataSet, tag: string): Buffer | undefined => {
  const found = data.elements[`x${tag}`];
  return found && Buffer.from(data.byteArray.subarray(found.dataOffset, found.dataOffset + found.length));
};
const textAt = (data: DataSet, tag: string): string | undefined =>
  bytesAt(data, tag)
    ?.toString('utf8')
    .replace(/[ \0]+$/, '');
const items = (data: DataSet, tag: string): DataSet[] =>
  (data.elements[`x${tag}`]?.items ?? []).map(({ dataSet }) => dataSet!);

interface Code {
  value: string;
  scheme: string;
  meaning: string;
}
const codeAt = (data: DataSet, tag: string): Code | undefined => {
  const [code] = items(data, tag);
  return (
    code && {
      value: (textAt(code, '00080100') ?? textAt(code, '00080119'))!,
      scheme: textAt(code, '00080102')!,
      meaning: textAt(code, '00080104')!,
    }
  );
};

interface Node {
  relation: string | undefined;
  type: string;
  name: Code | undefined;
  data: DataSet;
  children: Node[];
}
const nodeOf = (data: DataSet): Node => ({
  relation: textAt(data, '0040a010'),
  type: textAt(data, '0040a040')!,
  name: codeAt(data, '0040a043'),
  data,
  children: items(data, '0040a730').map(nodeOf),
});
const all = (node: Node): Node[] => [node, ...node.children.flatMap(all)];
const named = (node: Node, value: string): Node[] => all(node).filter(({ name }) => name?.value === value);
const texts = (node: Node, value: string) => named(node, value).map(({ data }) => textAt(data, '0040a160'));
const values = (node: Node, value: string) => named(node, value).map(({ data }) => codeAt(data, '0040a168')!.value);
/** Scores by category: exact, and as decimal text. */
const scores = (node: Node) =>
  all(node)
    .filter(({ type }) => type === 'NUM')
    .map(({ name, data }) => {
      const [measured] = items(data, '0040a300');
      return {
        id: name!.value.replace('score-', ''),
        exact: measured!.double('x0040a161')!,
        text: textAt(measured!, '0040a30a')!,
        unit: codeAt(measured!, '004008ea'),
      };
    });

function read(path: string) {
  const bytes = readFileSync(path);
  const data = dicomParser.parseDicom(new Uint8Array(bytes));
  return { bytes, data, tree: nodeOf(data) };
}

let folder: string;
let writer: Reports;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dermlet-sr-'));
  writer = await reportsIn(place('written'), false);
});
afterAll(() => rmSync(folder, { recursive: true }));
const place = (...parts: string[]) => join(folder, ...parts);

/** Writes a report and reads it. */
async function written(of: Result, file: Uint8Array, names = false) {
  const { originOf, write } = await reportsIn(place('written'), names);
  return read(write(of, '/photos/Jane Doe.jpg', originOf(file)));
}

const UID = /^(?=.{1,64}$)(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/;
/** Attributes that the modules of a Comprehensive SR must have: with a value (1), and at all (2). */
const TYPE_1 = [
  '00080016 00080018 0020000d', // SOP common, general study
  '00080060 0020000e 00200011', // SR document series
  '00200013 0040a491 0040a493 00080023 00080033', // SR document general
  '0040a040 0040a043 0040a050', // SR document content
].flatMap((tags) => tags.split(' '));
const TYPE_2 =
  '00100010 00100020 00100030 00100040 00080020 00080030 00080090 00200010 00080050 00081111 00080070 0040a372'.split(
    ' ',
  );

/** Each element by the rules of its value representation, and each code whole. */
function faults(data: DataSet, where = ''): string[] {
  const found: string[] = [];
  const most: Record<string, number> = { SH: 16, LO: 64, CS: 16, UI: 64, DS: 16, IS: 12, DT: 26, ST: 1024, PN: 64 };
  let last = '';
  const inFile = Object.entries(data.elements).sort(([, a], [, b]) => a.dataOffset - b.dataOffset);
  for (const [key, { vr, length, items: inner }] of inFile) {
    const tag = key.slice(1);
    const at = `${where}/${tag}`;
    if (tag <= last) found.push(`${at} is not in order`);
    last = tag;
    if (inner) {
      for (const each of inner) found.push(...faults(each.dataSet!, at));
      continue;
    }
    if (length % 2 === 1) found.push(`${at} has an odd length`);
    const text = textAt(data, tag)!;
    if (vr === 'UI' && !UID.test(text)) found.push(`${at} is no UID: ${text}`);
    if (vr && most[vr] && [...text].length > most[vr]) found.push(`${at} is too long for ${vr}`);
    if (vr === 'CS' && !/^[A-Z0-9_ ]*$/.test(text)) found.push(`${at} is no CS: ${text}`);
    if (vr === 'DS' && !/^[-+]?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text)) found.push(`${at} is no number: ${text}`);
    if (['SH', 'LO', 'PN', 'UC', 'CS'].includes(vr!) && /[\p{Cc}\\]/u.test(text)) found.push(`${at}: ${text}`);
    if (vr === 'UT' && /(?![\n\t])\p{Cc}/u.test(text)) found.push(`${at} has control characters`);
  }
  if (data.elements.x00080102 && data.elements.x00080104) {
    const both = [data.elements.x00080100, data.elements.x00080119].filter(Boolean);
    if (both.length !== 1 || !textAt(data, '00080104')) found.push(`${where} is no whole code`);
  }
  return found;
}

describe('what every report holds', () => {
  test.each([
    ['scored, of a photo', scored, spot],
    ['scored, of a DICOM file', scored, source()],
    ['refused, of a photo', refused, spot],
    ['refused, of a DICOM file', refused, source()],
  ])('%s: all attributes that must be there, by the rules of each', async (_name, of, file) => {
    const { bytes, data, tree } = await written(of, file);
    expect(bytes.subarray(128, 132).toString()).toBe('DICM');
    expect(textAt(data, '00020010')).toBe('1.2.840.10008.1.2.1');
    expect(textAt(data, '00020002')).toBe('1.2.840.10008.5.1.4.1.1.88.33');
    expect(textAt(data, '00020003')).toBe(textAt(data, '00080018'));
    for (const tag of TYPE_1) {
      const own = data.elements[`x${tag}`];
      expect(own && (own.items ? own.items.length : own.length), tag).toBeGreaterThan(0);
    }
    for (const tag of TYPE_2) expect(data.elements[`x${tag}`], tag).toBeDefined();
    expect(faults(data)).toEqual([]);
    expect(data.elements.x7fe00010).toBeUndefined();
    expect(textAt(data, '00080005')).toBe('ISO_IR 192');
    expect([textAt(data, '0040a491'), textAt(data, '0040a493'), textAt(data, '0040a496')]).toEqual([
      'PARTIAL',
      'UNVERIFIED',
      'PRELIMINARY',
    ]);
    expect(tree.name).toEqual({ value: '126000', scheme: 'DCM', meaning: 'Imaging Measurement Report' });
    expect(textAt(items(data, '0040a504')[0]!, '0040db00')).toBe('1500');
    for (const node of all(tree).slice(1)) expect(node.relation, JSON.stringify(node.name)).toBeTruthy();
    // What it is, and the advice, are in each.
    expect(texts(tree, 'about')[0]).toMatch(/not a medical device/);
    expect(texts(tree, 'next')[0]).toMatch(/see a doctor whatever this page shows/);
    expect(bytes.toString('latin1')).not.toMatch(/\bsafe\b|\bdetects?\b|you have/i);
  });

  test('UIDs are new in each, but for the network’s, which its hash makes', async () => {
    const [first, second] = [await written(scored, spot), await written(scored, spot)];
    for (const tag of ['00080018', '0020000d', '0020000e'])
      expect(textAt(first.data, tag)).not.toBe(textAt(second.data, tag));
    expect(textAt(first.data, '00181002')).toBe(textAt(second.data, '00181002'));
    expect(textAt(named(first.tree, '121012')[0]!.data, '0040a124')).toBe(textAt(first.data, '00181002'));
    const other = { ...scored, model: { ...scored.model, sha256: '1'.repeat(64) } };
    expect(textAt((await written(other, spot)).data, '00181002')).not.toBe(textAt(first.data, '00181002'));
    // A UUID of version 8 and the usual variant, as decimal.
    const uuid = BigInt(textAt(first.data, '00181002')!.replace('2.25.', '')).toString(16).padStart(32, '0');
    expect(uuid).toMatch(/^.{12}8.{3}[89ab].{15}$/);
  });

  test('our codes are of a private scheme that says it is not verified; of SNOMED CT are two names', async () => {
    const { data, tree } = await written(scored, source());
    const [scheme] = items(data, '00080110');
    expect(textAt(scheme!, '00080102')).toBe('99DERMLET');
    expect(textAt(scheme!, '00080115')).toMatch(/not verified/);
    const codes = all(tree).flatMap((node) => ['0040a043', '0040a168'].flatMap((tag) => codeAt(node.data, tag) ?? []));
    expect(codes.length).toBeGreaterThan(40);
    const known = ['DCM', 'SCT', 'UCUM', 'RFC5646', '99DERMLET'];
    for (const code of codes) expect(known, JSON.stringify(code)).toContain(code.scheme);
    const snomed = new Set(codes.filter((code) => code.scheme === 'SCT').map(({ meaning }) => meaning));
    expect([...snomed].sort()).toEqual(['Measurement Method', 'Source']);
  });

  test('the clock: real, with its offset; in that of the source where it has one', () => {
    const dataset = (file: Uint8Array) => toDicomSr(scored, { at, sha256, source: dicomSourceOf(file) });
    const valueAt = (own: DicomDataset, tag: string) => own[tag]?.Value?.[0] as string;
    const there = dataset(source({ offset: element(8, 0x201, 'SH', '+0530') }));
    expect(valueAt(there, '0040A032')).toBe('20261130013506.078+0530');
    expect([valueAt(there, '00080023'), valueAt(there, '00080033')]).toEqual(['20261130', '013506.078']);
    expect(valueAt(there, '00080201')).toBe('+0530');
    // Where the source gives none, none is said of its times.
    const unsaid = dataset(source());
    expect(unsaid['00080201']).toBeUndefined();
    const [, date, time, sign, hours, minutes] = /^(\d{8})(\d{6}\.078)([+-])(\d\d)(\d\d)$/.exec(
      valueAt(unsaid, '0040A032'),
    )!;
    const iso = `${date!.replace(/(....)(..)(..)/, '$1-$2-$3')}T${time!.replace(/(..)(..)(.*)/, '$1:$2:$3')}`;
    expect(new Date(`${iso}${sign}${hours}:${minutes}`).getTime()).toBe(at.getTime());
    expect(valueAt(dataset(spot), '00080201')).toBe(`${sign}${hours}${minutes}`);
  });
});

describe('what it says', () => {
  test('scored: each category’s probability, exactly; the tier; the prediction set', async () => {
    const { tree } = await written(scored, spot);
    expect(scores(tree).map(({ id, exact }) => [id, exact])).toEqual(
      scored.ranking.map(({ id, probability }) => [id, probability]),
    );
    for (const { exact, text, unit } of scores(tree)) {
      expect(Math.abs(Number(text) - exact)).toBeLessThan(1e-13);
      expect(unit).toEqual({ value: '1', scheme: 'UCUM', meaning: 'no units' });
    }
    expect(values(tree, 'outcome')).toEqual(['outcome-several']);
    expect(values(tree, 'tier')).toEqual(['tier-high']);
    expect(values(tree, 'in-prediction-set')).toEqual(['category-mel', 'category-nv']);
    expect(texts(tree, '111003')).toEqual(['1.0.0']);
    expect(texts(tree, '111002')).toContain(`sha256=${scored.model.sha256}`);
    expect(texts(tree, 'sha256')).toEqual([createHash('sha256').update(spot).digest('hex')]);
  });

  test.each(['poor-quality', 'not-recognised', 'no-spot', 'several-spots'] as const)(
    '%s: it says so, and holds no score, no tier and no category',
    async (outcome) => {
      const { bytes, tree } = await written({ ...refused, outcome }, spot);
      expect(values(tree, 'outcome')).toEqual([`outcome-${outcome}`]);
      expect(scores(tree)).toEqual([]);
      for (const name of ['tier', 'in-prediction-set']) expect(named(tree, name)).toEqual([]);
      expect(bytes.includes('Name of mel')).toBe(false);
      expect(texts(tree, 'summary')[0]).toMatch(/no category/);
    },
  );

  test('the checks of the picture, with what was measured', async () => {
    const checks: Result['quality']['checks'] = [
      { id: 'blurred', passed: false, value: 0.1, limit: 0.3 },
      { id: 'dark', passed: true, value: 120, limit: 40 },
    ];
    const { tree } = await written({ ...refused, quality: { usable: false, checks } }, spot);
    expect(values(tree, 'quality-blurred')).toEqual(['not-passed']);
    expect(values(tree, 'quality-dark')).toEqual(['passed']);
    expect(textAt(named(tree, 'quality-blurred')[0]!.children[0]!.data, '0040a160')).toMatch(/0\.1.*0\.3/);
  });

  test('a head’s shares are not called calibrated, and have no tier', async () => {
    const head = {
      title: 'Two rashes',
      pictures: 40,
      accuracy: 0.8,
      interval: [0.7, 0.9] as [number, number],
      leaveOneOut: true,
      calibrated: false as const,
      warnings: [],
    };
    const { tree } = await written({ ...scored, tier: 'unknown', head }, spot);
    expect(new Set(values(tree, '370129005'))).toEqual(new Set(['not-calibrated']));
    expect(named(tree, 'tier')).toEqual([]);
    expect(texts(tree, '111002').join()).toContain('head=Two rashes, trained on 40 pictures');
  });

  test('a photo: no person, no image, its name only if asked for', async () => {
    const { bytes, data, tree } = await written(scored, spot);
    for (const tag of ['00100010', '00100020', '00100030', '00100040', '00080050', '00080020'])
      expect(textAt(data, tag), tag).toBe('');
    expect(data.elements.x0040a375).toBeUndefined();
    expect(all(tree).filter(({ type }) => type === 'IMAGE' || type === 'SCOORD')).toEqual([]);
    expect(bytes.includes('Jane')).toBe(false);
    expect(texts((await written(scored, spot, true)).tree, 'file-name')).toEqual(['Jane Doe.jpg']);
  });
});

describe('of a DICOM file', () => {
  test('patient and study are taken over, the series is new, the image is referenced', async () => {
    const { data, tree } = await written(scored, source());
    const taken = Object.fromEntries(
      '00100010 00100020 00100021 00100030 00100040 0020000d 00080020 00080030 00080050 00080090 00200010 00081030'
        .split(' ')
        .map((tag) => [tag, textAt(data, tag)]),
    );
    expect(taken).toEqual({
      '00100010': PATIENT,
      '00100020': 'ID-1',
      '00100021': 'CLINIC',
      '00100030': '19600102',
      '00100040': 'F',
      '0020000d': IMAGE.study,
      '00080020': '20261103',
      '00080030': '101500',
      '00080050': 'ACC-17',
      '00080090': 'Referrer^Ruth',
      '00200010': 'S-1',
      '00081030': 'Skin',
    });
    expect(textAt(data, '0020000e')).not.toBe(IMAGE.series);
    const [study] = items(data, '0040a375');
    expect(textAt(study!, '0020000d')).toBe(IMAGE.study);
    const [series] = items(study!, '00081115');
    expect(textAt(series!, '0020000e')).toBe(IMAGE.series);
    const images = [
      items(series!, '00081199')[0]!,
      ...all(tree)
        .filter(({ type }) => type === 'IMAGE')
        .map(({ data }) => items(data, '00081199')[0]!),
    ];
    expect(images).toHaveLength(3);
    for (const image of images)
      expect([textAt(image, '00081150'), textAt(image, '00081155')]).toEqual([IMAGE.kind, IMAGE.instance]);
    const [region] = all(tree).filter(({ type }) => type === 'SCOORD');
    expect(textAt(region!.data, '00700023')).toBe('POLYLINE');
    expect(Array.from({ length: 10 }, (_, i) => region!.data.float('x00700022', i))).toEqual([
      0, 0, 10, 0, 10, 10, 0, 10, 0, 0,
    ]);
    expect(region!.children.map(({ relation, type }) => [relation, type])).toEqual([['SELECTED FROM', 'IMAGE']]);
    expect(values(tree, '121139')).toEqual(['DMS']);
  });

  test('of a picture that was turned there is no region, but the image', async () => {
    const { tree } = await written({ ...scored, source: { ...scored.source, orientation: 6 } }, source());
    expect(all(tree).filter(({ type }) => type === 'SCOORD')).toEqual([]);
    expect(named(tree, '121112').map(({ type }) => type)).toEqual(['IMAGE']);
  });

  test.each([
    ['Latin-1', 'ISO_IR 100', Buffer.from('Müller^Jürgen', 'latin1'), 'Müller^Jürgen'],
    ['UTF-8', 'ISO_IR 192', Buffer.from('Wang^XiaoDong=王^小东='), 'Wang^XiaoDong=王^小东'],
    ['Cyrillic', 'ISO_IR 144', Buffer.from([0xbb, 0xee, 0xda, 0x63, 0xd5]), 'Люкcе'.replace('c', 'c')],
    [
      'Japanese by code extensions (PS3.5, H.3.1)',
      '\\ISO 2022 IR 87',
      Buffer.from('Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B', 'latin1'),
      'Yamada^Tarou=山田^太郎',
    ],
    [
      'Korean by code extensions (PS3.5, I.2)',
      '\\ISO 2022 IR 149',
      Buffer.concat([
        Buffer.from('Hong^Gildong=\x1b$)C', 'latin1'),
        Buffer.from([0xfb, 0xf3, 0x5e, 0x1b, 0x24, 0x29, 0x43, 0xd1, 0xce, 0xd4, 0xd7]),
      ]),
      'Hong^Gildong=洪^吉洞',
    ],
    ['GB18030', 'GB18030', Buffer.concat([Buffer.from('Wang='), Buffer.from([0xcd, 0xf5])]), 'Wang=王'],
  ])('a name in %s is the same name in UTF-8', async (_name, set, encoded, name) => {
    const file = source({ charset: element(8, 5, 'CS', set) }, encoded);
    expect(textAt((await written(scored, file)).data, '00100010')).toBe(name);
  });

  test('a file of another program, with Japanese names: what is in it is in the report', async () => {
    const clinic = readFileSync(new URL('./dicom/clinic.dcm', import.meta.url));
    const { data } = await written(scored, new Uint8Array(clinic));
    expect(textAt(data, '00100010')).toBe('Yamada^Tarou=山田^太郎=やまだ^たろう');
    expect(textAt(data, '00081030')).toBe('皮膚');
    expect([textAt(data, '00080030'), textAt(data, '00080201')]).toEqual(['101500.25', '+0900']);
    expect(textAt(data, '0040a032')).toMatch(/\+0900$/);
    expect(textAt(items(items(data, '0040a375')[0]!, '00081115')[0]!, '0020000e')).toBe(
      '1.2.826.0.1.3680043.8.498.77.3',
    );
    expect(faults(data)).toEqual([]);
    const { ran } = start(
      fileURLToPath(new URL('./dicom/clinic.dcm', import.meta.url)),
      '--json',
      '--dicom-sr',
      place('clinic'),
    );
    const { code, out } = await ran;
    expect(code).toBe(0);
    const { dicomSr, source } = JSON.parse(out) as Line;
    expect(source).toMatchObject({ format: 'jpeg', width: 240, height: 180 });
    expect(textAt(read(dicomSr as string).data, '00100010')).toBe(textAt(data, '00100010'));
  });

  test('broken dates, sex, physician and description are left out; the rest stands', async () => {
    const file = source({
      born: element(0x10, 0x30, 'DA', '2 Jan 60'),
      sex: element(0x10, 0x40, 'CS', 'female'),
      studyTime: element(8, 0x30, 'TM', '25:99'),
      physician: element(8, 0x90, 'PN', 'x'.repeat(70)),
      description: element(8, 0x1030, 'LO', 'a\\b'),
      modality: element(8, 0x60, 'CS', 'a\x1b[2J'),
      offset: element(8, 0x201, 'SH', '+9900'),
    });
    const { data, tree } = await written(scored, file);
    for (const tag of ['00100030', '00100040', '00080030', '00080090']) expect(textAt(data, tag), tag).toBe('');
    for (const tag of ['00081030', '00080201']) expect(data.elements[`x${tag}`], tag).toBeUndefined();
    expect(named(tree, '121139')).toEqual([]);
    expect(textAt(data, '00100020')).toBe('ID-1');
    expect(faults(data)).toEqual([]);
  });

  test.each([
    ['no study', { study: null }, 'CORRUPT_IMAGE', /Study Instance UID is missing or broken/],
    ['a broken study', { study: element(0x20, 0xd, 'UI', '1.02.3') }, 'CORRUPT_IMAGE', /Study Instance UID/],
    ['two studies', { study: element(0x20, 0xd, 'UI', '1.2\\1.3') }, 'CORRUPT_IMAGE', /Study Instance UID/],
    ['no series', { series: null }, 'CORRUPT_IMAGE', /Series Instance UID/],
    ['no image', { instance: null }, 'CORRUPT_IMAGE', /SOP Instance UID/],
    ['a long id', { id: element(0x10, 0x20, 'LO', 'SECRET'.repeat(11)) }, 'CORRUPT_IMAGE', /\(00100020\) is broken/],
    ['two ids', { id: element(0x10, 0x20, 'LO', 'SECRET\\2') }, 'CORRUPT_IMAGE', /\(00100020\) is broken/],
    ['control characters', { id: element(0x10, 0x20, 'LO', 'SECRET\x07') }, 'CORRUPT_IMAGE', /\(00100020\) is broken/],
    [
      'a long accession number',
      { accession: element(8, 0x50, 'SH', 'SECRET'.repeat(3)) },
      'CORRUPT_IMAGE',
      /\(00080050\)/,
    ],
    [
      'letters of no set',
      { charset: null, id: element(0x10, 0x20, 'LO', 'SECRETé') },
      'UNSUPPORTED_FORMAT',
      /\(00100020\) is in a character set that is not read/,
    ],
    [
      'letters that are not of the set',
      { charset: element(8, 5, 'CS', 'ISO_IR 192'), id: element(0x10, 0x20, 'LO', 'SECRETé') },
      'UNSUPPORTED_FORMAT',
      /\(00100020\) is in a character set/,
    ],
  ] as const)(
    '%s: no report, for it would be filed elsewhere; the value is not quoted',
    async (_name, other, code, why) => {
      const { originOf, write } = await reportsIn(place('broken'), false);
      const origin = originOf(source(other));
      await expectCode(() => write(scored, 'x.dcm', origin), code, why);
      expect(origin.problem!.message).not.toContain('SECRET');
      expect(readdirSync(place('broken'))).toEqual([]);
    },
  );

  test('with any byte changed: what is taken over keeps to the rules, or there is no report; nothing is quoted', () => {
    const file = dicom({ parts: [spot.subarray(0, 8)], more: identified({ id: element(0x10, 0x20, 'LO', 'SECRET') }) });
    const rules: Record<string, RegExp> = {
      PN: /^[^\p{Cc}\\]{0,192}$/u,
      LO: /^[^\p{Cc}\\]{1,64}$/u,
      SH: /^[^\p{Cc}\\]{1,16}$/u,
      DA: /^\d{8}$/,
      TM: /^\d{2,6}(\.\d{1,6})?$/,
      CS: /^[MFO]$/,
      UI: UID,
    };
    let taken = 0;
    let left = 0;
    for (let at = 132; at < file.length; at++)
      for (const value of [0, 0x1b, 0x5c, 0x80, 0xff]) {
        const changed = file.slice();
        changed[at] = value;
        const { source: own, problem } = writer.originOf(changed);
        expect(problem?.message ?? '').not.toContain('SECRET');
        if (!own) {
          left++;
          continue;
        }
        taken++;
        for (const { vr, Value } of Object.values(own.identity)) {
          const [first] = Value as [string | Record<string, string>];
          const text = typeof first === 'string' ? first : Object.values(first).join('=');
          expect(text, vr).toMatch(rules[vr]!);
        }
        for (const uid of [own.sopClassUid, own.sopInstanceUid, own.seriesUid]) expect(uid).toMatch(UID);
      }
    expect(taken).toBeGreaterThan(1000);
    expect(left).toBeGreaterThan(500);
  });

  test('a JPEG that has a DICOM file’s mark in its midst is a photo: nobody’s name is taken from it', async () => {
    const file = source();
    file.set(spot.subarray(0, 4));
    expect(dicomSourceOf(file)).toBeUndefined();
  });
});

describe('strangers’ words', () => {
  test('of a foreign model are cut and cleaned as their representation wants', async () => {
    const name = `mole\\2\u001b[2J\u202e${'x'.repeat(90)}`;
    const foreign: Result = {
      ...scored,
      model: { ...scored.model, name: 'foreign', title: `\\${'é'.repeat(100)}\ud800` },
      ranking: scored.ranking.map((entry) => ({ ...entry, name })),
      predictionSet: scored.predictionSet,
    };
    const { data, tree } = await written(foreign, spot);
    expect(faults(data)).toEqual([]);
    const [first] = named(tree, 'score-mel');
    expect(first!.name!.meaning).toMatch(/^Score: mole\/2 \[2Jx+…$/);
    expect([...first!.name!.meaning]).toHaveLength(64);
    // What is not cut by its representation is whole.
    expect(texts(tree, '111001')[0]).toBe(`\\${'é'.repeat(100)}`);
  });
});

// --- From outside.

const MODEL = `${root}tests/imported/keras-2`;
const start = (...args: string[]) => startCli(['classify', ...args, '--model', MODEL]);
const run = (...args: string[]) => start(...args).ran;

type Line = Partial<Result> & { file: string; dicomSr?: string | { error: { code: string } }; error?: unknown };
const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);

describe('classify --dicom-sr', () => {
  test('one report a picture, with the figures of the JSON; two of one name, and what fails, beside it', async () => {
    const photos = place('photos');
    for (const part of ['a', 'b']) mkdirSync(join(photos, part), { recursive: true });
    copyFileSync(picturePath('spot.jpg'), join(photos, 'a', 'Jane.jpg'));
    copyFileSync(picturePath('orientation-6.jpg'), join(photos, 'b', 'Jane.jpg'));
    copyFileSync(picturePath('cut-off.jpg'), join(photos, 'cut-off.jpg'));
    writeFileSync(join(photos, 'clinic.dcm'), source());
    writeFileSync(join(photos, 'no-study.dcm'), source({ study: null }));
    const reports = place('made', 'reports');
    const { code, out, err } = await run(photos, '--ndjson', '--dicom-sr', reports, '--jobs', '2');
    expect(code).toBe(1);
    expect(err).toMatch(/no-study\.dcm: CORRUPT_IMAGE: no DICOM SR was written: /);
    expect(err).toMatch(/4 classified, 2 failed\n$/);
    const lines = linesOf(out);
    expect(lines).toHaveLength(5);
    const paths = lines.flatMap(({ dicomSr }) => (typeof dicomSr === 'string' ? [dicomSr] : []));
    expect(paths).toHaveLength(3);
    expect(readdirSync(reports).sort()).toEqual(paths.map((path) => basename(path)).sort());
    for (const line of lines) {
      if (typeof line.dicomSr !== 'string') continue;
      const { bytes, data, tree } = read(line.dicomSr);
      expect(basename(line.dicomSr)).toBe(`${textAt(data, '00080018')}.dcm`);
      expect(faults(data)).toEqual([]);
      expect(scores(tree).map(({ id, exact }) => [id, exact])).toEqual(
        line.ranking!.map(({ id, probability }) => [id, probability]),
      );
      expect(texts(tree, 'sha256')).toEqual([createHash('sha256').update(readFileSync(line.file)).digest('hex')]);
      expect(bytes.includes('Jane')).toBe(false);
      expect(textAt(data, '0020000d') === IMAGE.study).toBe(line.file.endsWith('clinic.dcm'));
    }
    expect(lines.find(({ file }) => file.endsWith('no-study.dcm'))).toMatchObject({
      outcome: expect.any(String) as string,
      dicomSr: { error: { code: 'CORRUPT_IMAGE' } },
    });
  });

  test('for people: the path stands under the answer; --names names the file', async () => {
    const reports = place('people');
    const { code, out } = await run(picturePath('spot.jpg'), '--dicom-sr', reports, '--names');
    expect(code).toBe(0);
    const [name] = readdirSync(reports);
    expect(out.replace(/\s+/g, ' ')).toContain(`DICOM SR: ${join(reports, name!)}`);
    expect(texts(read(join(reports, name!)).tree, 'file-name')).toEqual(['spot.jpg']);
  });

  test('--resume writes the reports that are missing, and goes on with no run that wrote none', async () => {
    const [reports, lines] = [place('resumed'), place('resumed.ndjson')];
    const args = ['--ndjson', '--output', lines, '--dicom-sr', reports];
    const [first, second] = ['spot.jpg', 'spot.png'].map(picturePath) as [string, string];
    expect((await run(first, ...args)).code).toBe(0);
    const { code, err } = await run(first, second, ...args, '--resume');
    expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/1 classified, 1 answered before/) as string });
    expect(readdirSync(reports)).toHaveLength(2);
    const other = await run(first, '--ndjson', '--output', lines, '--resume');
    expect(other.code).toBe(2);
    expect(other.err).toMatch(/of another model or of other options/);
  });

  test('--shard: the parts’ reports are in one folder, none twice', async () => {
    const photos = place('shards');
    mkdirSync(photos);
    for (let i = 0; i < 6; i++) copyFileSync(picturePath('spot.jpg'), join(photos, `${i}.jpg`));
    const reports = place('sharded');
    const ran = await Promise.all(
      ['1/2', '2/2'].map((shard) => run(photos, '--ndjson', '--shard', shard, '--dicom-sr', reports)),
    );
    expect(ran.map(({ code }) => code)).toEqual([0, 0]);
    expect(readdirSync(reports)).toHaveLength(6);
  });

  test.each([
    ['of a folder that is a file', [picturePath('spot.jpg')], /could not be written/],
    ['below what is no folder', ['/dev/null/x'], /\/dev\/null\/x could not be written/],
    ['with --lesion', ['reports', '--lesion', picturePath('spot.png')], /neither --lesion nor --beside/],
    ['with --beside', ['reports', '--beside', MODEL], /neither --lesion nor --beside/],
  ])('%s is wrong use, before any picture is read', async (_name, args, why) => {
    const { code, out, err } = await run(picturePath('spot.jpg'), '--dicom-sr', ...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(why);
    expect(existsSync(join(root, 'reports'))).toBe(false);
  });

  test('--names alone is wrong use', async () => {
    expect((await run(picturePath('spot.jpg'), '--names')).err).toMatch(/--names needs --dicom-sr/);
  });

  test('a folder that goes away ends the run loudly, and an interrupted one leaves whole files only', async () => {
    const { originOf, write } = await reportsIn(place('gone'), false);
    rmSync(place('gone'), { recursive: true });
    expect(() => write(scored, 'x.jpg', originOf(spot))).toThrow(/could not be written: .*ENOENT/);
    const reports = place('interrupted');
    const photos = Array.from({ length: 400 }, () => picturePath('spot.jpg'));
    const { child, ran } = start(...photos, '--ndjson', '--dicom-sr', reports);
    while (!existsSync(reports) || readdirSync(reports).length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(child.exitCode).toBeNull();
    }
    child.kill('SIGKILL');
    await ran;
    const whole = readdirSync(reports).filter((name) => name.endsWith('.dcm'));
    expect(whole.length).toBeGreaterThan(0);
    expect(whole.length).toBeLessThan(400);
    for (const name of whole) expect(faults(read(join(reports, name)).data)).toEqual([]);
  }, 60_000);
});
