// The Python module: the same names and tables for training.
/** @import { Contract, Documents } from '../contract.mjs' */
import { manifestVersion } from '../contract.mjs';
import { MARK, plural, upper, wrapped } from './text.mjs';

/**
 * @param {Contract} contract
 * @param {Documents} documents
 */
export function python({ numbers, enumerations, qualityChecks }, documents) {
  return [
    `"""${MARK}"""`,
    '',
    '# fmt: off',
    'from typing import Literal, NamedTuple',
    '',
    ...Object.entries(enumerations).flatMap(([name, { about, values }]) => {
      const ids = Object.keys(values);
      return [
        ...wrapped(about, '# '),
        `${name} = Literal[`,
        ...ids.map((id) => `    ${JSON.stringify(id)},`),
        ']',
        `${upper(plural(name))}: tuple[${name}, ...] = (`,
        ...Object.entries(values).flatMap(([id, value]) => [
          ...wrapped(value.about, '    # '),
          `    ${JSON.stringify(id)},`,
        ]),
        ')',
        '',
      ];
    }),
    '',
    'class QualityCheck(NamedTuple):',
    '    """One check of a picture before it is scored."""',
    '',
    '    id: str',
    '    key: str  # of its limit in a manifest',
    '    limit: Literal["least", "most"]  # that passes',
    '    unit: str',
    '    range: tuple[float, float]  # of limits',
    '',
    '',
    'QUALITY_CHECKS = {',
    '    check.id: check',
    '    for check in (',
    ...Object.entries(qualityChecks).flatMap(([id, { key, limit, unit, from, to, about }]) => [
      ...wrapped(about, '        # '),
      `        QualityCheck(${[id, key, limit, unit].map((text) => `"${text}"`).join(', ')}, (${from}, ${to})),`,
    ]),
    '    )',
    '}',
    '',
    ...Object.entries(numbers).flatMap(([name, { value, about }]) => [
      ...wrapped(about, '# '),
      `${upper(name)} = ${value}`,
      '',
    ]),
    '# The one version of manifests that is read and written.',
    `MANIFEST_VERSION = ${manifestVersion(documents)}`,
    '',
  ].join('\n');
}
