/** Messages for people: shared by the element, the page, the command line and the handler. */
export * from './answer.js';
export * from './category.js';
export * from './element.js';
export {
  day,
  exactPercent,
  isolated,
  joined,
  list,
  megabytes,
  milliseconds,
  number,
  percent,
  plainPercent,
  printable,
  readyFormats,
} from './format.js';
export * from './quality.js';
export {
  addLanguage,
  allLanguages,
  allWords,
  type Language,
  type Load,
  language,
  loadWordsBy,
  type Messages,
  onLanguage,
  type Say,
  type Sentence,
  say,
  sentence,
  setLanguage,
  translation,
} from './say.js';
