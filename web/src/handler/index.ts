/** Results in the JSON of the retired servers, and of clinics. */
export * from './fhir.js';
export * from './projections.js';
