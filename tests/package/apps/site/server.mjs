// Server-side rendering: every entry is imported where there is no document.
import { Classifier, DermletError } from 'dermlet';
import { DermletClassifier, Classifier as Same } from 'dermlet/element';
import { createFrame } from 'dermlet/embed';
import { toDiagnosis } from 'dermlet/handler';
import { say } from 'dermlet/messages';

if (typeof document !== 'undefined' || typeof window !== 'undefined') throw new Error('a DOM was made');
console.log(
  JSON.stringify(
    [Classifier, DermletError, DermletClassifier, createFrame, toDiagnosis, say].map((value) => typeof value),
  ),
  Classifier === Same,
);
