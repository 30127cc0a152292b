/** What Dermlet says of a result: sentences that the element, the page, the command line and the handler share. */
export * from './answer.js';
export * from './element.js';
export * from './quality.js';
