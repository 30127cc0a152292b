/** The report in place of the page while the browser prints. */
import type { Subject } from '../tools.js';
import { DermletPaper } from './paper.js';
import { reportOf } from './report.js';

/** Everything else is left out; off the screen it is laid out as wide as it is printed, to be measured. */
const STYLES = `
@page { margin: 12mm; }
@media screen {
  dermlet-paper[data-printed] { position: absolute; inset: 0 auto auto 0; width: 184mm; visibility: hidden; }
}
@media print {
  html, body { display: block !important; min-height: 0 !important; margin: 0 !important; padding: 0 !important; }
  html, body { max-width: none !important; background: #fff !important; }
  body > :not(dermlet-paper[data-printed]) { display: none !important; }
  dermlet-paper[data-printed] { width: 184mm; break-inside: avoid; }
}`;

let shown: { paper: DermletPaper; sheet: CSSStyleSheet } | null = null;

function show(subject: Subject): void {
  if (shown) return;
  const paper = new DermletPaper();
  paper.dataset.printed = '';
  paper.report = reportOf(subject);
  const { state } = subject.photo;
  paper.preview = state.kind === 'done' ? (state.shown?.preview ?? null) : null;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLES);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  document.body.append(paper);
  shown = { paper, sheet };
  paper.fit();
}

function hide(): void {
  if (!shown) return;
  const { paper, sheet } = shown;
  shown = null;
  paper.remove();
  document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
}

/** From now on what is printed is the answer on one page, while there is one. */
export function follow(subject: () => Subject | null): void {
  addEventListener('beforeprint', () => {
    const now = subject();
    if (now) show(now);
  });
  addEventListener('afterprint', hide);
}

/** Prints this answer alone. */
export function printNow(subject: Subject): void {
  addEventListener('afterprint', hide, { once: true });
  show(subject);
  print();
}
