/**
 * Results in the JSON of the two retired servers, for their clients. The shapes are the same, the faults are fixed:
 * severity, risk level and urgency come from the result's concern tier, never from the first-ranked class alone, and an
 * unusable or unrecognised picture gets no class.
 */
import type { Concern, Outcome, RankedClass, Result, Tier } from '../classifier/index.js';
import { doctor, joined, summary, whyNone } from '../messages/index.js';
import { type FhirBundle, toFhir } from './fhir.js';

/** `POST /api/predict/skin-disease/` of the Django server. */
export interface DiagnosisAnswer {
  /** Class id; null when no class may be named. */
  label: string | null;
  /** Class name, or why there is none. */
  diagnosis: string;
  /** 0..100 with two decimals; 0 when no class may be named. */
  confidence: number;
  /** The concern tier; `Unknown` where no class may be named, or the model gives no tier. */
  severity: 'High' | 'Moderate' | 'Low' | 'Unknown';
  advice: string;
  /**
   * The old field: a class may be named, the concern tier is low, and every class in the prediction set is of low
   * concern. Not a verdict on the spot; false if in doubt.
   */
  isSafe: boolean;
}

/** `POST /predict` of the FastAPI server, later version. */
export interface PredictAnswer {
  /** Class name; null when no class may be named. */
  predicted_class: string | null;
  /** 0..1; 0 when no class may be named. */
  confidence: number;
  /** The first three, most probable first; empty when no class may be named. */
  all_predictions: { class_name: string; confidence: number; risk_level: RiskLevel; clinical_priority: number }[];
  /** The concern tier; `unknown` where no class may be named, or the model gives no tier. */
  risk_level: RiskLevel | 'unknown';
  /** 1..3, 1 the most urgent; null where the risk level is unknown. */
  clinical_priority: number | null;
  medical_warning: string;
  requires_urgent_evaluation: boolean;
}

/** `POST /predict` of the FastAPI server's first version. */
export interface EarlierPredictAnswer extends Pick<PredictAnswer, 'predicted_class' | 'confidence'> {
  all_predictions: Pick<PredictAnswer['all_predictions'][number], 'class_name' | 'confidence'>[];
}

/** Stands beside an answer that names no class, for clients that know of it. */
export interface NoClassification {
  outcome: Exclude<Outcome, 'single' | 'several'>;
  /** Why, and what to do about it. */
  message: string;
}

export type RiskLevel = 'high' | 'medium' | 'low';

const SEVERITY: Record<Tier, DiagnosisAnswer['severity']> = {
  high: 'High',
  moderate: 'Moderate',
  low: 'Low',
  unknown: 'Unknown',
};
const RISK: Record<Concern, RiskLevel> = { high: 'high', moderate: 'medium', low: 'low' };
/** 1 is the most urgent. */
const PRIORITY: Record<Concern, number> = { high: 1, moderate: 2, low: 3 };

/** The class that may be named, if any. */
function namedClass(result: Result): RankedClass | undefined {
  const { outcome, ranking } = result;
  return outcome === 'single' || outcome === 'several' ? ranking.find(({ inSet }) => inSet) : undefined;
}

/** The result's tier; `unknown` when no class may be named. A head, and a model without `tiers`, gives no other. */
function tierOf(result: Result): Tier {
  return namedClass(result) ? result.tier : 'unknown';
}

/** The answer as text, followed by the doctor's sentence. */
const asText = (result: Result): string => joined([namedClass(result) ? summary(result) : whyNone(result), doctor()]);

export function toDiagnosis(result: Result): DiagnosisAnswer {
  const first = namedClass(result);
  const tier = tierOf(result);
  const advice = asText(result);
  if (!first)
    return { label: null, diagnosis: whyNone(result), confidence: 0, severity: 'Unknown', advice, isSafe: false };
  const allLow = tier === 'low' && result.ranking.every(({ inSet, concern }) => !inSet || concern === 'low');
  return {
    label: first.id,
    diagnosis: first.name,
    confidence: Math.round(first.probability * 1e4) / 100,
    severity: SEVERITY[tier],
    advice,
    isSafe: allLow,
  };
}

export function toPredict(result: Result): PredictAnswer {
  const first = namedClass(result);
  const tier = tierOf(result);
  return {
    predicted_class: first?.name ?? null,
    confidence: first?.probability ?? 0,
    all_predictions: first
      ? result.ranking.slice(0, 3).map(({ name, probability, concern }) => ({
          class_name: name,
          confidence: probability,
          risk_level: RISK[concern],
          clinical_priority: PRIORITY[concern],
        }))
      : [],
    risk_level: tier === 'unknown' ? 'unknown' : RISK[tier],
    clinical_priority: tier === 'unknown' ? null : PRIORITY[tier],
    medical_warning: asText(result),
    requires_urgent_evaluation: tier === 'high',
  };
}

export function toEarlierPredict(result: Result): EarlierPredictAnswer {
  const { predicted_class, confidence, all_predictions } = toPredict(result);
  return {
    predicted_class,
    confidence,
    all_predictions: all_predictions.map(({ class_name, confidence }) => ({ class_name, confidence })),
  };
}

/** What says that an answer is no classification; nothing for one that is. */
export function noClassification(result: Result): NoClassification | undefined {
  if (namedClass(result)) return undefined;
  const { outcome } = result;
  // A result that contradicts itself names nothing.
  const why = outcome === 'single' || outcome === 'several' ? 'not-recognised' : outcome;
  return { outcome: why, message: asText(result) };
}

/** Apart from what stands beside it, such as a file's name: a bundle takes nothing that FHIR does not know. */
const toBundle = (result: Result): { bundle: FhirBundle } => ({ bundle: toFhir(result, { at: new Date() }) });

/** Output formats other than the result itself, by their `--format` names. */
export const PROJECTIONS = { predict: toPredict, diagnosis: toDiagnosis, fhir: toBundle } as const;
