/**
 * A result as a FHIR R4 Bundle (http://hl7.org/fhir/R4): DiagnosticReport, an Observation for each category,
 * RiskAssessment, the network as a Device, and the photo as a Media. All of it is preliminary and names no patient.
 * Where no category may be named there are no observations, and the risk is unknown. The codes of categories, tiers and
 * kinds are this project's or the network's own: each is marked as not verified, and none claims to be of SNOMED CT,
 * LOINC or ICD.
 */
import type { RankedClass, Result } from '../classifier/index.js';
import { doctor, joined, language, mayName, purpose, summary, tierWords } from '../messages/index.js';
import { CODES, codeOf, uuid } from './codes.js';

export interface FhirOptions {
  /** When the picture was classified. */
  readonly at: Date;
  /** The photo, if it is to be in the bundle; else there is only a reference to it. */
  readonly photo?: { readonly contentType: string; readonly base64: string };
}

type Json = Record<string, unknown>;

export interface FhirBundle {
  resourceType: 'Bundle';
  type: 'collection';
  language: string;
  timestamp: string;
  entry: { fullUrl: string; resource: Json & { resourceType: string } }[];
}

const SYSTEM = 'urn:dermlet';
const UNVERIFIED = [{ url: `${SYSTEM}:not-verified`, valueBoolean: true }];
const SUBJECT = { display: 'The person in the photo, who is not identified' };

const concept = (system: string, code: string, text: string): Json => ({
  coding: [{ extension: UNVERIFIED, system: `${SYSTEM}:${system}`, code: codeOf(code), display: text || code }],
  text: text || code,
});

const kind = (code: keyof typeof CODES): Json => concept('kind', code, CODES[code]);

const reference = (fullUrl: string): Json => ({ reference: fullUrl });

function device({ model }: Result): Json & { resourceType: string } {
  const version = (type: string, value: string) => ({ type: { text: type }, value });
  return {
    resourceType: 'Device',
    deviceName: [{ name: model.title || model.name, type: 'user-friendly-name' }],
    modelNumber: model.name,
    type: { text: 'Neural network that scores photos of skin' },
    version: [version('model', model.version), version('sha256', model.sha256)],
    note: [{ text: purpose() }],
  };
}

function media(result: Result, { at, photo }: FhirOptions): Json & { resourceType: string } {
  const { width, height } = result.source;
  return {
    resourceType: 'Media',
    status: 'completed',
    modality: concept('modality', result.modality, result.modality),
    subject: SUBJECT,
    issued: at.toISOString(),
    ...(photo ? {} : { width, height }),
    content: photo
      ? { contentType: photo.contentType, data: photo.base64 }
      : { title: 'The photo is not in this file: it stayed on the device' },
  };
}

/** @param result as `classify` returns it */
export function toFhir(result: Result, options: FhirOptions): FhirBundle {
  const at = options.at.toISOString();
  const named = mayName(result);
  const tier = named ? result.tier : 'unknown';
  const [report, network, picture, risk] = [uuid(), uuid(), uuid(), uuid()].map((id) => `urn:uuid:${id}`) as [
    string,
    string,
    string,
    string,
  ];
  const observation = ({ id, name, probability, inSet }: RankedClass) => ({
    fullUrl: `urn:uuid:${uuid()}`,
    resource: {
      resourceType: 'Observation',
      status: 'preliminary',
      code: concept('category', id, name),
      subject: SUBJECT,
      effectiveDateTime: at,
      valueQuantity: { value: probability, unit: '1', system: 'http://unitsofmeasure.org', code: '1' },
      method: { text: `${CODES[result.head ? 'not-calibrated' : 'calibrated']}; those of all categories sum to 1` },
      device: reference(network),
      derivedFrom: [reference(picture)],
      component: [{ code: kind('in-prediction-set'), valueBoolean: inSet }],
    },
  });
  const observations = named ? result.ranking.map(observation) : [];
  const words = tierWords(tier);
  const conclusion = joined([summary(result), words.next, doctor(), purpose()]);
  return {
    resourceType: 'Bundle',
    type: 'collection',
    language: language().tag,
    timestamp: at,
    entry: [
      {
        fullUrl: report,
        resource: {
          resourceType: 'DiagnosticReport',
          status: 'preliminary',
          code: kind('photo-of-skin-scored'),
          subject: SUBJECT,
          effectiveDateTime: at,
          issued: at,
          ...(named ? { result: observations.map(({ fullUrl }) => reference(fullUrl)) } : {}),
          media: [{ link: reference(picture) }],
          conclusion,
        },
      },
      ...observations,
      {
        fullUrl: risk,
        resource: {
          resourceType: 'RiskAssessment',
          status: 'preliminary',
          subject: SUBJECT,
          occurrenceDateTime: at,
          method: { text: 'Concern tier: fixed limits on the score of categories that a doctor should look at' },
          basis: [reference(picture), ...observations.map(({ fullUrl }) => reference(fullUrl))],
          prediction: [{ qualitativeRisk: concept('tier', tier, words.title) }],
          mitigation: joined([words.next, doctor()]),
        },
      },
      { fullUrl: network, resource: device(result) },
      { fullUrl: picture, resource: media(result, options) },
    ],
  };
}
