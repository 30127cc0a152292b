/** A result in the JSON of the retired servers. */
export * from './projections.js';
