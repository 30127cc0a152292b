/** Results in the JSON of the retired servers. */
export * from './projections.js';
