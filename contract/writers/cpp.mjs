// The C++ header: enumerations, their names, and the quality checks.
/** @import { Contract, Enumeration, QualityCheck, Value } from '../contract.mjs' */
import { named } from '../contract.mjs';
import { listed, MARK, measured, pascal, wrapped } from './text.mjs';

/**
 * The values that the core has: all, or those with the flag that `cpp` names.
 * @param {Enumeration} enumeration
 */
export const coreValues = ({ cpp, values }) =>
  Object.entries(values).filter(([, value]) => cpp === true || (typeof cpp === 'string' && value[cpp] === true));

/** @param {[id: string, value: Value]} entry */
function valueLines([id, { about }]) {
  const line = `  k${pascal(id)},  // ${about}`;
  return line.length <= 120 ? [line] : [...wrapped(about, '  // '), `  k${pascal(id)},`];
}

/** @param {[name: string, entry: Enumeration]} named */
function enumeration([name, entry]) {
  const values = coreValues(entry);
  const ids = values.map(([id]) => id);
  const predicates = Object.values(entry.subsets ?? {}).flatMap(({ flag, predicate, about }) =>
    predicate === undefined
      ? []
      : [
          '',
          ...wrapped(about, '// '),
          `[[nodiscard]] constexpr bool ${predicate}(${name} value) {`,
          `  return ${values
            .filter(([, value]) => value[flag])
            .map(([id]) => `value == ${name}::k${pascal(id)}`)
            .join(' || ')};`,
          '}',
        ],
  );
  return [
    ...wrapped(entry.about, '// '),
    `enum class ${name} : std::uint8_t {`,
    ...values.flatMap(valueLines),
    '};',
    '',
    'template <>',
    `struct Names<${name}> {`,
    `  static constexpr std::array<std::string_view, ${ids.length}> kAll = {`,
    ...ids.map((id) => `      "${id}",`),
    '  };',
    '};',
    ...predicates,
    '',
  ];
}

/** @param {[id: string, entry: QualityCheck]} named */
const check = ([id, entry]) => [...wrapped(measured(entry), '    // '), `    {"${id}", ${entry.limit === 'most'}},`];

/** @param {Contract} contract */
export function cpp({ numbers, enumerations, qualityChecks }) {
  const known = Object.entries(enumerations).filter(([, { cpp: inCore }]) => inCore);
  const labels = Object.values(named(enumerations, 'Format').values).flatMap(({ label }) => label ?? []);
  const checks = Object.entries(qualityChecks);
  return [
    `// ${MARK}`,
    '// clang-format off',
    '#pragma once',
    '',
    '#include <array>',
    '#include <cstddef>',
    '#include <cstdint>',
    '#include <string_view>',
    '',
    'namespace dermlet {',
    '',
    '// The stable names of an enumeration, in its order: what JavaScript, manifests and files say.',
    'template <typename Value>',
    'struct Names;',
    '',
    'template <typename Value>',
    '[[nodiscard]] constexpr std::string_view name_of(Value value) {',
    '  return Names<Value>::kAll[static_cast<std::size_t>(value)];',
    '}',
    '',
    ...known.flatMap(enumeration),
    ...Object.entries(numbers).flatMap(([name, { value, about, cpp: inCore = true }]) =>
      !inCore ? [] : [...wrapped(about, '// '), `inline constexpr double k${pascal(name)} = ${value};`, ''],
    ),
    '// For sentences.',
    `inline constexpr std::string_view kReadableFormats = "${listed(labels)}";`,
    '',
    'struct QualityKind {',
    '  std::string_view id;   // ends in a NUL',
    '  bool highest = false;  // the limit is the highest value that passes, else the lowest',
    '};',
    '',
    `inline constexpr std::array<QualityKind, ${checks.length}> kQualityKinds = {{`,
    ...checks.flatMap(check),
    '}};',
    '',
    '}  // namespace dermlet',
    '',
  ].join('\n');
}
