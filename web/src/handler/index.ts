/** Results in the JSON of the retired servers, and of clinics; the retired servers' interfaces. */
export * from './dicom-sr.js';
export * from './fetch-handler.js';
export * from './fhir.js';
export * from './projections.js';
export { PATHS, type RefusalCode, type RefusalDetails, refusal } from './refusals.js';
